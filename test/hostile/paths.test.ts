import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded } from '../support/guarded.js';
import { request } from '../support/sidecar.js';
import { type DeploymentName, deployments } from './case.js';
import { pathCases } from './corpus/paths.js';
import type { PathCase } from './path-case.js';
import { readingsBelow } from './readings.js';

const running = new Map<DeploymentName, Guarded>();
const outcomes = { refused: 0, forwarded: 0 };

before(async () => {
  for (const name of ['prefixes', 'catchAll'] as const) {
    running.set(name, await Guarded.start({ config: deployments[name] }));
  }
});
after(async () => {
  for (const guarded of running.values()) await guarded.stop();
});

/** Refused without a byte at the service, or forwarded as sent and readable as nothing that is protected. */
async function run({ target, at, must }: PathCase): Promise<void> {
  const guarded = running.get(at);
  assert.ok(guarded !== undefined);
  const { service } = guarded;
  service.reset();
  const response = await guarded.sidecar.send(request({ target }));
  if (response.status === 200) {
    outcomes.forwarded++;
    assert.notEqual(must, 'refuse', 'was forwarded');
    assert.deepEqual(
      service.requests.map(({ line }) => line),
      [`GET ${target} HTTP/1.1`],
    );
    assert.deepEqual(readingsBelow('/protected', target.replace(/\?.*$/s, '')), [], 'protected readings');
  } else {
    outcomes.refused++;
    assert.notEqual(must, 'forward', `${response.status} ${response.body}`);
    assert.ok([400, 401, 404].includes(response.status), `${response.status} ${response.body}`);
    assert.equal(service.bytes, 0, 'the service saw bytes of a refused request');
  }
  const good = await guarded.send({ target: '/protected/good' });
  assert.equal(good.status, 200, good.body);
  assert.equal(service.last.line, 'GET /protected/good HTTP/1.1');
  assert.equal(service.requests.length, response.status === 200 ? 2 : 1);
}

describe('paths', () => {
  for (const one of pathCases) test(`${one.title} (${one.at})`, () => run(one));
});

test('B06: both outcomes occur', () => {
  assert.ok(outcomes.refused > 300 && outcomes.forwarded > 20, JSON.stringify(outcomes));
});

describe('the oracle', () => {
  const readable = [
    '/protected',
    '/protected/x',
    '/a/../protected',
    '/PROTECTED/%78',
    '/a/..;/protected/x',
    '//protected',
    '/a%252f..%255cprotected',
    '/%c0%afprotected',
    '/protected%3f',
    '/PROTEC%C5%A2ED/x',
    '/%2525%37%30rotected',
    '/protected%20/x',
    '/protected.json',
    '/protected::$INDEX_ALLOCATION/x',
    '/index.php/protected/x',
    '/https://x/protected',
    '/(S(x))/protected',
  ];
  for (const path of readable) {
    test(`reads ${path} as protected`, () => assert.notEqual(readingsBelow('/protected', path).length, 0));
  }
  for (const path of ['/public', '/xprotected', '/protectedx', '/public/protected', '/a/%2e./b']) {
    test(`does not read ${path} as protected`, () => assert.deepEqual(readingsBelow('/protected', path), []));
  }
});
