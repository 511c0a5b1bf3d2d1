import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { answerJson, type TestIssuer } from '../../../support/issuer.js';
import { Bench, type BenchOptions } from '../bench.js';

const metadataPath = '/.well-known/oauth-authorization-server';
const openidPath = '/.well-known/openid-configuration';

type Respond = (response: ServerResponse, issuer: TestIssuer) => void;

/** A verifier whose issuer answers like this at this path, after its first fetch. */
function startWith(
  t: TestContext,
  path: string,
  respond: Respond,
  options: BenchOptions = {},
): Promise<Bench> {
  const prepare = (issuer: TestIssuer) => issuer.respond(path, (_, response) => respond(response, issuer));
  return Bench.start(t, { ...options, prepare });
}

const good: readonly (readonly [what: string, respond: Respond])[] = [
  ['application/json', (response, issuer) => answerJson(response, issuer.keySet)],
  [
    'application/jwk-set+json',
    (response, issuer) => answerJson(response, issuer.keySet, 'application/jwk-set+json'),
  ],
  ['a charset', (response, issuer) => answerJson(response, issuer.keySet, 'Application/JSON; charset=utf-8')],
  ['255 KiB', (response, issuer) => answerJson(response, { ...issuer.keySet, pad: 'x'.repeat(255 * 1024) })],
  [
    '100 keys',
    (r, issuer) =>
      answerJson(r, { keys: [...issuer.keySet.keys, ...Array.from({ length: 99 }, () => ({}))] }),
  ],
];
const bad: readonly (readonly [what: string, respond: Respond])[] = [
  ['text/html', (response, issuer) => answerJson(response, issuer.keySet, 'text/html')],
  ['no content type', (response, issuer) => response.writeHead(200).end(JSON.stringify(issuer.keySet))],
  ['a type that only begins like JSON', (r, issuer) => answerJson(r, issuer.keySet, 'application/jsonp')],
  ['257 KiB', (response, issuer) => answerJson(response, { ...issuer.keySet, pad: 'x'.repeat(257 * 1024) })],
  [
    '101 keys',
    (r, issuer) =>
      answerJson(r, { keys: [...issuer.keySet.keys, ...Array.from({ length: 100 }, () => ({}))] }),
  ],
  ['an array', (response, issuer) => answerJson(response, issuer.keySet.keys)],
  ['no JSON', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":')],
  ['a body that breaks off', breakOff],
  [
    '302 to the keys',
    (response, issuer) => response.writeHead(302, { location: `${issuer.origin}/other` }).end(),
  ],
  [
    '203',
    (r, issuer) =>
      r.writeHead(203, { 'content-type': 'application/json' }).end(JSON.stringify(issuer.keySet)),
  ],
  ['204', (response) => response.writeHead(204).end()],
  ['500', (response) => response.writeHead(500).end()],
  ['401', (response) => response.writeHead(401).end()],
];

function breakOff(response: ServerResponse, issuer: TestIssuer): void {
  const body = JSON.stringify(issuer.keySet);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length + 1 });
  response.write(body, () => response.destroy());
}

for (const [what, respond] of good) {
  test(`P02: a key set with ${what} is taken`, async (t) => {
    const bench = await startWith(t, '/jwks', respond);
    assert.equal(bench.state.lastError, undefined);
    await bench.accepts(bench.issuer.mint());
  });
}
for (const [what, respond] of bad) {
  test(`P02: a key set with ${what} is an error`, async (t) => {
    const bench = await startWith(t, '/jwks', respond);
    assert.deepEqual(bench.refreshed, ['error']);
    await bench.cannotTell(bench.issuer.mint());
    assert.equal(bench.issuer.requests('/other'), 0);
  });
}

for (const fields of ['', 'Connection: Upgrade\r\nUpgrade: x\r\n']) {
  test(`P05: a 101 ${fields === '' ? 'without' : 'with'} Upgrade instead of the keys is an error`, {
    timeout: 10_000,
  }, async (t) => {
    const bench = await startWith(t, '/jwks', (response) => {
      response.socket?.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
    });
    assert.deepEqual(bench.refreshed, ['error']);
    await bench.cannotTell(bench.issuer.mint());
  });
}

test('P02, trap jose: no size limit: an endless body is broken off at the bound', async (t) => {
  let sent = 0;
  const bench = await startWith(t, '/jwks', (response) => {
    const chunk = Buffer.alloc(16 * 1024, ' ');
    const send = () => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
    };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.on('drain', send);
    send();
  });
  assert.equal(bench.state.ready, false);
  // What fits into the buffers of two sockets goes out beyond the bound; an unbounded reader would never end.
  assert(sent < 32 * 1024 * 1024, `${sent} bytes`);
});

for (const [what, respond] of [
  ['never begins', () => {}],
  [
    'never ends',
    (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
  ],
] satisfies readonly (readonly [string, Respond])[]) {
  test(`P02: an answer that ${what} is given up in time`, async (t) => {
    const bench = await startWith(t, '/jwks', respond, { times: { timeoutMs: 100 } });
    assert.deepEqual(bench.refreshed, ['error']);
    bench.issuer.respond('/jwks', undefined);
    bench.clock.advance(600_000);
  });
}

test('P01: metadata of RFC 8414, its well-known part before the path of the issuer', async (t) => {
  const bench = await Bench.start(t, { issuer: { path: '/tenant/1' } });
  assert.equal(bench.issuer.requests(`${metadataPath}/tenant/1`), 1);
  await bench.accepts(bench.issuer.mint());
});

for (const status of [404, 400, 403]) {
  test(`P01: OpenID Connect discovery, the well-known part behind the path, after ${status}`, async (t) => {
    const path = `/tenant${openidPath}`;
    const bench = await Bench.start(t, {
      issuer: { path: '/tenant' },
      prepare: (issuer) => {
        issuer.respond(`${metadataPath}/tenant`, (_, response) => response.writeHead(status).end());
        issuer.respond(path, (_, response) =>
          answerJson(response, { issuer: issuer.issuer, jwks_uri: `${issuer.origin}/jwks` }),
        );
      },
    });
    await bench.accepts(bench.issuer.mint());
    assert.equal(bench.issuer.requests(path), 1);
  });
}

test('P01: a failing server is not asked for OpenID Connect discovery', async (t) => {
  const bench = await startWith(t, metadataPath, (response) => response.writeHead(500).end());
  assert.equal(bench.issuer.requests(openidPath), 0);
  assert.equal(bench.state.ready, false);
});

const badMetadata: readonly (readonly [what: string, members: (issuer: TestIssuer) => object])[] = [
  ['of another issuer', ({ issuer, origin }) => ({ issuer: `${issuer}/`, jwks_uri: `${origin}/jwks` })],
  ['without issuer', ({ origin }) => ({ jwks_uri: `${origin}/jwks` })],
  ['with a list of issuers', ({ issuer, origin }) => ({ issuer: [issuer], jwks_uri: `${origin}/jwks` })],
  ['without jwks_uri', ({ issuer }) => ({ issuer })],
  ['with a relative jwks_uri', ({ issuer }) => ({ issuer, jwks_uri: '/jwks' })],
  ['with a file jwks_uri', ({ issuer }) => ({ issuer, jwks_uri: 'file:///etc/passwd' })],
  ['with a data jwks_uri', ({ issuer }) => ({ issuer, jwks_uri: 'data:application/json,{"keys":[]}' })],
  ['with a link-local jwks_uri', ({ issuer }) => ({ issuer, jwks_uri: 'https://169.254.169.254/jwks' })],
  ['with a cleartext jwks_uri off loopback', ({ issuer }) => ({ issuer, jwks_uri: 'http://192.0.2.1/jwks' })],
];

for (const [what, members] of badMetadata) {
  test(`P01: metadata ${what} is an error`, async (t) => {
    const bench = await startWith(
      t,
      metadataPath,
      (response, issuer) => answerJson(response, members(issuer)),
      {
        times: { timeoutMs: 60_000 },
      },
    );
    assert.deepEqual(bench.refreshed, ['error']);
    assert.equal(bench.issuer.requests(), 0);
    bench.issuer.respond(metadataPath, undefined);
    const verifier = bench.verifierOf([bench.issuer.settings]);
    t.after(() => verifier.close());
    await verifier.start();
    assert.equal(verifier.state()[0]?.ready, true);
  });
}

test('P01: redirected metadata is an error', async (t) => {
  const bench = await startWith(t, metadataPath, (response, issuer) =>
    response.writeHead(301, { location: `${issuer.origin}${openidPath}` }).end(),
  );
  assert.equal(bench.state.ready, false);
  assert.equal(bench.issuer.requests(openidPath), 0);
});

test('P01: a jwks_uri that has moved is followed at the next refresh', async (t) => {
  const bench = await Bench.start(t);
  bench.issuer.respond(metadataPath, (_, response) =>
    answerJson(response, { issuer: bench.issuer.issuer, jwks_uri: `${bench.issuer.origin}/moved` }),
  );
  bench.issuer.respond('/moved', (_, response) => answerJson(response, bench.issuer.keySet));
  bench.issuer.rotate();
  await bench.accepts(bench.issuer.mint());
  assert.deepEqual([bench.issuer.requests('/jwks'), bench.issuer.requests('/moved')], [1, 1]);
});
