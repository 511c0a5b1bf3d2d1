import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded, until } from '../support/guarded.js';
import type { SeenRequest } from '../support/recording-service.js';
import type { Wire, WireResponse } from '../support/wire.js';
import { type DeploymentName, deployments, type ExpectedRequest, type HostileCase } from './case.js';
import { authorityCases } from './corpus/authority.js';
import { bodyCases } from './corpus/bodies.js';
import { connectionFieldCases } from './corpus/connection-fields.js';
import { forwardingCases } from './corpus/forwarding.js';
import { framingCases } from './corpus/framing.js';
import { headerCases } from './corpus/headers.js';
import { lengthCases } from './corpus/lengths.js';
import { limitCases } from './corpus/limits.js';
import { messageCases } from './corpus/messages.js';
import { pipelineCases } from './corpus/pipelines.js';
import { replyCases } from './corpus/replies.js';
import { targetCases } from './corpus/targets.js';
import { upgradeCases } from './corpus/upgrades.js';

const corpus: Readonly<Record<string, readonly HostileCase[]>> = {
  authority: authorityCases,
  targets: targetCases,
  framing: framingCases,
  lengths: lengthCases,
  bodies: bodyCases,
  headers: headerCases,
  connectionFields: connectionFieldCases,
  forwarding: forwardingCases,
  limits: limitCases,
  messages: messageCases,
  pipelines: pipelineCases,
  upgrades: upgradeCases,
  replies: replyCases,
};

const goodTarget = '/protected/good';
const goodLine = `GET ${goodTarget} HTTP/1.1`;

const running = new Map<DeploymentName, Guarded>();
let viaName = '';
/** good requests behind forwarded cases, and how many of them shared the connection to the service with the case */
const reuse = { followers: 0, shared: 0 };

/** Looked up at the end: the log is written in batches, and waiting for each would take longer than the cases. */
const reasons: { title: string; reason: string; response: WireResponse; guarded: Guarded }[] = [];

before(async () => {
  for (const name of ['prefixes', 'catchAll'] as const) {
    running.set(name, await Guarded.start({ config: deployments[name] }));
  }
  const { service } = guardedAt('prefixes');
  await good(guardedAt('prefixes'));
  viaName = service.last.all('via').join().split(' ')[1] ?? '';
});
after(async () => {
  for (const guarded of running.values()) await guarded.stop();
});

function guardedAt(name: DeploymentName): Guarded {
  const guarded = running.get(name);
  assert.ok(guarded !== undefined, name);
  return guarded;
}

/** Puts in what cannot be written down beforehand. */
function fill(bytes: string, guarded: Guarded): string {
  const [ownMethod = '', ownTarget = ''] = bytes.split(' ');
  return bytes
    .replaceAll('{{via}}', viaName)
    .replace(/\{\{proof(?: (\S+) (\S+))?\}\}/g, (_, method?: string, path?: string) =>
      guarded.credentials(method ?? ownMethod, path ?? ownTarget.replace(/\?.*$/s, '')).join('\r\n'),
    );
}

/** A good request on a connection of its own is served. */
async function good(guarded: Guarded): Promise<void> {
  const response = await guarded.send({ target: goodTarget });
  assert.equal(response.status, 200, `a good request: ${response.body}`);
}

async function readAnswers(one: HostileCase, wire: Wire, guarded: Guarded): Promise<WireResponse[]> {
  const answers: WireResponse[] = [];
  for (const expected of one.answers) {
    const response = await wire.response({
      head: one.bytes.startsWith('HEAD ') && expected.content !== true,
    });
    const status: readonly number[] = [expected.status].flat();
    assert.ok(status.includes(response.status), `${response.status} ${response.body}; expected ${status}`);
    for (const [name, value] of Object.entries(expected.fields ?? {})) {
      if (value instanceof RegExp) assert.match(response.one(name) ?? '', value);
      else assert.equal(response.one(name) ?? null, value, name);
    }
    if (response.status === 100) wire.send(fill(one.upon100 ?? '', guarded));
    else assert.match(response.one('x-request-id') ?? '', /^[0-9a-f-]{36}$/, 'in our form');
    if (expected.reason !== undefined)
      reasons.push({ title: one.title, reason: expected.reason, response, guarded });
    answers.push(response);
  }
  return answers;
}

function compare(seen: SeenRequest | undefined, expected: ExpectedRequest): void {
  assert.ok(seen !== undefined, `the service did not see ${expected.line}`);
  assert.equal(seen.line, expected.line);
  assert.equal(seen.body, expected.body ?? '', 'body at the service');
  assert.deepEqual(seen.all('host'), ['api.test'], 'Host at the service');
  for (const [name, values] of Object.entries(expected.fields ?? {})) {
    if (values instanceof RegExp) assert.match(seen.all(name).join('|'), values, name);
    else assert.deepEqual(seen.all(name), values, `${name} at the service`);
  }
  for (const name of expected.lacks ?? []) assert.deepEqual(seen.all(name), [], `${name} at the service`);
}

async function run(one: HostileCase, guarded: Guarded): Promise<void> {
  const { service } = guarded;
  service.reset();
  const { reply } = one;
  if (reply !== undefined) service.script = () => reply;
  const wire = await guarded.open();
  try {
    wire.send(fill(one.bytes, guarded));
    if (one.ends) wire.socket.end();
    const last = (await readAnswers(one, wire, guarded)).at(-1);
    if (last !== undefined) assert.equal(last.one('connection') === 'close', one.closes, 'Connection: close');
    if (one.closes) assert.equal(await wire.closed(), '', 'nothing follows the last answer');
    await checkService(one, wire, guarded);
  } finally {
    wire.close();
  }
}

/** What the service saw of the case, and that a good request is served behind it as what it is. */
async function checkService(one: HostileCase, wire: Wire, guarded: Guarded): Promise<void> {
  const { service } = guarded;
  const expected = one.saw === 'incomplete' ? [] : one.saw;
  if (one.saw !== 'incomplete' && expected.length === 0)
    assert.equal(service.bytes, 0, 'the service saw bytes of a refused request');
  expected.forEach((request, index) => {
    compare(service.requests[index], request);
  });
  const { script } = service;
  service.script = (request, socket) =>
    request.line === goodLine ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' : script(request, socket);
  const followers = [goodLine];
  if (!one.closes) {
    wire.send(guarded.proven({ target: goodTarget }));
    assert.equal((await wire.response()).status, 200, 'the connection goes on');
    followers.push(goodLine);
  }
  await good(guarded);
  await until(() => service.unfinished.length === 0, 'no bytes but those of whole requests at the service');
  assert.deepEqual(
    service.requests.map(({ line }) => line),
    [...expected.map(({ line }) => line), ...followers],
    'the service saw nothing else',
  );
  const at = service.requests.slice(-1 - followers.length).map(({ connection }) => connection);
  if (expected.length === 0 || at.length < 2) return;
  reuse.followers++;
  if (at[0] === at[1]) reuse.shared++;
}

for (const [family, cases] of Object.entries(corpus)) {
  describe(family, () => {
    for (const one of cases) test(one.title, () => run(one, guardedAt(one.at ?? 'prefixes')));
  });
}

test('A18: each refusal is in the log with the reason that its case states', async () => {
  assert.ok(reasons.length > 300, `${reasons.length} refusals`);
  for (const { title, reason, response, guarded } of reasons) {
    assert.equal((await guarded.sidecar.logged(response)).reason, reason, title);
  }
});

test('A12: most good requests rode on the connection to the service that the case before them had used', () => {
  assert.ok(reuse.shared * 2 > reuse.followers, `${reuse.shared} of ${reuse.followers}`);
});
