import assert from 'node:assert/strict';
import test from 'node:test';
import { Origins } from '#holdfast/request/authority.js';
import { isPreflight } from '#holdfast/request/cors.js';
import { denied } from '../../support/denied.js';
import { makeFacts } from '../../support/facts.js';

test('A22: HTTP/1.0 and HTTP/1.1 only', () => {
  for (const httpVersion of ['0.9', '2.0', '1.2', ''])
    denied(() => makeFacts({ httpVersion }), 'http_version_refused');
  for (const httpVersion of ['1.0', '1.1']) makeFacts({ httpVersion });
});

test('A01: one Host field in every request, also in HTTP/1.0', () => {
  denied(() => makeFacts({ host: false }), 'host_invalid');
  denied(() => makeFacts({ host: false, httpVersion: '1.0' }), 'host_invalid');
  denied(() => makeFacts({ headers: ['host', 'api.example'] }), 'host_invalid');
  makeFacts({ host: false, headers: ['hOST', 'api.example'] });
});

test('A05: an absolute target is refused, whatever Host says', () => {
  denied(() => makeFacts({ target: 'http://evil/x' }), 'target_invalid');
  denied(() => makeFacts({ target: 'https://api.example/x' }), 'target_invalid');
  makeFacts({ target: '/x' });
});

test('A06: OPTIONS * is answered here and never becomes a path', () => {
  denied(() => makeFacts({ method: 'OPTIONS', target: '*' }), 'method_not_allowed');
  denied(() => makeFacts({ method: 'GET', target: '*' }), 'target_invalid');
});

test('A20: TRACE and CONNECT are never forwarded', () => {
  denied(() => makeFacts({ method: 'TRACE' }), 'method_not_allowed');
  denied(() => makeFacts({ method: 'CONNECT', target: 'api.example:443' }), 'method_not_allowed');
  assert.equal(makeFacts({ method: 'DELETE' }).method, 'DELETE');
});

const handshake = [
  'Connection',
  'Upgrade',
  'Upgrade',
  'websocket',
  'Sec-WebSocket-Version',
  '13',
  'Sec-WebSocket-Key',
  'dGhlIHNhbXBsZSBub25jZQ==',
];

test('A23: the opening handshake of a WebSocket is an upgrade, and nothing else is', () => {
  assert.equal(makeFacts({ isUpgrade: true, headers: handshake }).upgrade, 'websocket');
  assert.equal(makeFacts().upgrade, undefined);
  const upgrade =
    (...headers: string[]) =>
    () =>
      makeFacts({ isUpgrade: true, headers: ['Connection', 'Upgrade', ...headers] });
  assert.equal(denied(upgrade('Upgrade', 'h2c'), 'upgrade_unsupported').entry.status, 501);
  assert.equal(denied(upgrade('Upgrade', 'websocket, h2c'), 'upgrade_invalid').entry.status, 400);
  denied(upgrade('Upgrade', 'websocket', 'Upgrade', 'h2c'), 'upgrade_invalid');
  denied(upgrade('Upgrade', 'websocket'), 'upgrade_invalid');
  const old = handshake.map((text) => (text === '13' ? '8' : text));
  const { status } = denied(
    () => makeFacts({ isUpgrade: true, headers: old }),
    'upgrade_version_unsupported',
  ).entry;
  assert.equal(status, 426);
});

test('A23: an upgrade that only we or only the parser sees is refused', () => {
  denied(() => makeFacts({ headers: handshake }), 'upgrade_invalid');
  denied(() => makeFacts({ isUpgrade: true }), 'upgrade_invalid');
  denied(() => makeFacts({ isUpgrade: true, headers: ['Upgrade', 'websocket'] }), 'upgrade_invalid');
});

test('A23: Upgrade without Connection, or the reverse, is an ordinary request', () => {
  makeFacts({ headers: ['Upgrade', 'h2c'] });
  makeFacts({ headers: ['Connection', 'keep-alive', 'Upgrade', 'websocket, h2c'] });
  makeFacts({ headers: ['Connection', 'Upgrade'] });
});

test('B04: a request that already passed here is a loop', () => {
  for (const via of [
    '1.1 holdfast-test',
    '1.0 a, 1.1 holdfast-test',
    '1.1 a,HTTP/1.1  holdfast-test (comment)',
  ]) {
    assert.equal(denied(() => makeFacts({ headers: ['Via', via] }), 'loop_detected').entry.status, 508);
  }
  denied(() => makeFacts({ headers: ['Via', '1.1 a', 'via', '1.1 holdfast-test'] }), 'loop_detected');
  makeFacts({ headers: ['Via', '1.1 holdfast-test-2, 1.1 other (holdfast-test)'] });
});

test('G12: the effective URI is made of configured parts, never of what the client says', () => {
  assert.equal(makeFacts({ target: '/a%7Eb?q=1' }).uri, 'https://api.example/a~b');
  assert.equal(
    makeFacts({
      headers: ['X-Forwarded-Host', 'evil', 'X-Forwarded-Proto', 'http', 'Forwarded', 'host=evil'],
    }).uri,
    'https://api.example/',
  );
  assert.equal(
    makeFacts({ host: false, headers: ['Host', 'API.example:443'], target: '/x' }).uri,
    'https://api.example/x',
  );
  denied(
    () => makeFacts({ host: false, headers: ['Host', 'api.example/intended?'], target: '/other' }),
    'host_invalid',
  );
});

test('G13: a prefix that a front proxy strips is part of the effective URI', () => {
  assert.equal(makeFacts({ target: '/a', rules: { pathPrefix: '/svc1' } }).uri, 'https://api.example/svc1/a');
  assert.equal(makeFacts({ target: '/a' }).uri, 'https://api.example/a');
});

test('B07: of several origins Host selects one, with its own scheme', () => {
  const origins = new Origins(['https://api.example', 'http://plain.example:8080']);
  const facts = makeFacts({ host: false, headers: ['Host', 'plain.example:8080'], rules: { origins } });
  assert.equal(facts.origin.uri, 'http://plain.example:8080');
});

test('A11: the declared length is held against the limit', () => {
  denied(
    () => makeFacts({ headers: ['Content-Length', '11'], rules: { maxBodyBytes: 10 } }),
    'body_too_large',
  );
  assert.deepEqual(makeFacts({ headers: ['Content-Length', '10'], rules: { maxBodyBytes: 10 } }).framing, {
    kind: 'length',
    bytes: 10,
  });
});

test('A12: the method has no influence on the framing', () => {
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) {
    assert.deepEqual(makeFacts({ method, headers: ['Transfer-Encoding', 'chunked'] }).framing, {
      kind: 'chunked',
    });
  }
});

test('G12: facts cannot be changed after they were checked', () => {
  assert.ok(Object.isFrozen(makeFacts()));
});

test('Fetch, CORS preflight: OPTIONS with one Origin and one requested method', () => {
  const asked = ['Origin', 'https://app.example', 'Access-Control-Request-Method', 'PUT'];
  assert.ok(isPreflight(makeFacts({ method: 'OPTIONS', headers: asked })));
  assert.ok(!isPreflight(makeFacts({ method: 'GET', headers: asked })));
  for (const method of ['', ' ', 'a b', 'GET, POST', '"', '\x80'])
    assert.ok(
      !isPreflight(
        makeFacts({
          method: 'OPTIONS',
          headers: ['Origin', 'https://a.example', 'Access-Control-Request-Method', method],
        }),
      ),
      method,
    );
  for (const origin of ['', 'a.example', 'https://a.example/x', 'https://a.example, https://b.example'])
    assert.ok(
      !isPreflight(
        makeFacts({
          method: 'OPTIONS',
          headers: ['Origin', origin, 'Access-Control-Request-Method', 'PUT'],
        }),
      ),
      origin,
    );
  assert.ok(!isPreflight(makeFacts({ method: 'OPTIONS', headers: asked.slice(0, 2) })));
  assert.ok(!isPreflight(makeFacts({ method: 'OPTIONS', headers: [...asked, ...asked] })));
});
