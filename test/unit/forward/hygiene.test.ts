import assert from 'node:assert/strict';
import test from 'node:test';
import {
  buildRequestHeaders,
  copyResponseHeaders,
  type HygieneOptions,
  remainingHops,
} from '#holdfast/forward/hygiene.js';
import { HeaderNames } from '#holdfast/request/header-names.js';
import { denied } from '../../support/denied.js';
import { type FactsRequest, identityNames, makeFacts } from '../../support/facts.js';
import { makeAdmission, makePublicGrant } from '../../support/grants.js';
import { ManualClock } from '../../support/manual-clock.js';

const names = new HeaderNames(identityNames);
const options: HygieneOptions = {
  ...{ names, pseudonym: 'holdfast-test', pathPrefix: '', authorization: 'strip' },
  certificateClock: undefined,
};
const identity = [['X-Auth-Subject', 'alice']] as const;
/** Values by name as spelled: one, or several for a field that has several lines. */
const group = (built: readonly string[]) => {
  const fields = new Map<string, string | string[]>();
  for (let i = 0; i + 1 < built.length; i += 2) {
    const [name = '', value = ''] = built.slice(i, i + 2);
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : [earlier, value].flat());
  }
  return fields;
};
/** The same by lower-case name. */
const build = (headers: string[], request: FactsRequest = {}, changes: Partial<HygieneOptions> = {}) => {
  const built = buildRequestHeaders(makeAdmission(makeFacts({ headers, ...request })), identity, {
    ...options,
    ...changes,
  });
  const lower = [...group(built)].map(([name, value]) => [name.toLowerCase(), value] as const);
  assert.equal(new Set(lower.map(([name]) => name)).size, lower.length, 'one spelling a name');
  return new Map(lower);
};
const own = [
  'host',
  'via',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-request-id',
  'x-auth-subject',
];

test('L01: an identity header of the caller never survives, whatever its case or count', () => {
  const headers = build([
    'x-auth-subject',
    'admin',
    'X-AUTH-SUBJECT',
    'root',
    'X-Auth-Type',
    'user',
    'Remote-User',
    'admin',
  ]);
  assert.equal(headers.get('x-auth-subject'), 'alice');
  assert.equal(headers.has('x-auth-type'), false);
  assert.equal(headers.has('remote-user'), false);
});

test('L02: a request with Expect is cleaned like any other, and Expect goes no further', () => {
  const headers = build(['Expect', '100-continue', 'X-Auth-Subject', 'admin']);
  assert.equal(headers.get('x-auth-subject'), 'alice');
  assert.equal(headers.has('expect'), false);
});

test('B01: what Connection nominates is removed, our own fields cannot be nominated away', () => {
  const headers = build([
    'Connection',
    'keep-alive, X-Auth-Subject, X-Custom, Via, Host',
    'X-Custom',
    'a',
    'X-Other',
    'b',
  ]);
  assert.equal(headers.has('connection'), false);
  assert.equal(headers.has('x-custom'), false);
  assert.equal(headers.get('x-other'), 'b');
  assert.equal(headers.get('x-auth-subject'), 'alice');
  assert.equal(headers.get('via'), '1.1 holdfast-test');
});

test('B02: hop-by-hop fields and credentials go no further', () => {
  const gone = [
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Upgrade',
    'Proxy-Authorization',
    'Proxy-Authenticate',
    'HTTP2-Settings',
    'Authorization',
    'DPoP',
  ];
  const headers = build(gone.flatMap((name) => [name, 'x']));
  assert.deepEqual([...headers.keys()].sort(), [...own].sort());
});

test('A21: method override headers go no further', () => {
  const headers = build(
    ['X-HTTP-Method-Override', 'DELETE', 'X-Method-Override', 'PUT', 'X-HTTP-Method', 'PUT', 'X-Custom', 'a'],
    { method: 'POST' },
  );
  assert.deepEqual([...headers.keys()].sort(), [...own, 'content-length', 'x-custom'].sort());
});

test('B08: forwarding headers are ours alone', () => {
  const headers = build([
    'X-Forwarded-For',
    '6.6.6.6',
    'X-Forwarded-Proto',
    'http',
    'X-Forwarded-Host',
    'evil',
    'X-Forwarded-Prefix',
    '/x',
    'Forwarded',
    'for=6.6.6.6',
    'X-Real-IP',
    '6.6.6.6',
    'X-Request-Id',
    'theirs',
    'True-Client-IP',
    '6.6.6.6',
  ]);
  assert.equal(headers.get('x-forwarded-for'), '192.0.2.1');
  assert.equal(headers.get('x-forwarded-proto'), 'https');
  assert.equal(headers.get('x-forwarded-host'), 'api.example');
  assert.equal(headers.get('x-request-id'), 'request-1');
  for (const name of ['x-forwarded-prefix', 'forwarded', 'x-real-ip', 'true-client-ip'])
    assert.equal(headers.has(name), false, name);
});

test('B08: the prefix is stated when one is configured, the address when there is one', () => {
  assert.equal(build([], {}, { pathPrefix: '/svc1' }).get('x-forwarded-prefix'), '/svc1');
  assert.equal(build([], { remoteAddress: '' }).has('x-forwarded-for'), false);
});

test('B07: Host is the configured authority, not what the client wrote', () => {
  assert.equal(build(['Host', 'API.EXAMPLE:443'], { host: false }).get('host'), 'api.example');
});

test('B04: Via is appended to, in order', () => {
  assert.equal(build([]).get('via'), '1.1 holdfast-test');
  assert.equal(build(['Via', '1.0 a', 'via', '1.1 b']).get('via'), '1.0 a, 1.1 b, 1.1 holdfast-test');
});

test('A12: framing is written from what was parsed', () => {
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) {
    const chunked = build(['Transfer-Encoding', 'Chunked'], { method });
    assert.equal(chunked.get('transfer-encoding'), 'chunked');
    assert.equal(chunked.has('content-length'), false);
    const sized = build(['Content-Length', '5'], { method });
    assert.equal(sized.get('content-length'), '5');
    assert.equal(sized.has('transfer-encoding'), false);
    const none = build([], { method });
    assert.equal(none.has('transfer-encoding'), false);
  }
});

test('B05: Max-Forwards counts down on OPTIONS and is dropped elsewhere', () => {
  assert.equal(build(['Max-Forwards', '5'], { method: 'OPTIONS' }).get('max-forwards'), '4');
  assert.equal(build(['Max-Forwards', '5']).has('max-forwards'), false);
  assert.equal(remainingHops(makeFacts({ method: 'OPTIONS', headers: ['Max-Forwards', '0'] })), 0);
  const several = (...values: string[]) =>
    remainingHops(
      makeFacts({ method: 'OPTIONS', headers: values.flatMap((value) => ['Max-Forwards', value]) }),
    );
  assert.equal(several('5', '0'), 0, 'of several the strictest');
  assert.equal(several('0', 'x'), undefined);
  for (const value of ['', '-1', 'x', '1.5', '9'.repeat(20)]) {
    assert.equal(
      remainingHops(makeFacts({ method: 'OPTIONS', headers: ['Max-Forwards', value] })),
      undefined,
    );
  }
});

test('A14: odd names go no further, ordinary ones do, as they were spelled', () => {
  const built = buildRequestHeaders(
    makeAdmission(makeFacts({ headers: ['X_Foo', 'a', 'x-CUSTOM', 'b', 'Accept', 'c'] })),
    [],
    options,
  );
  const fields = group(built);
  assert.equal(fields.has('X_Foo'), false);
  assert.equal(fields.get('x-CUSTOM'), 'b');
  assert.equal(fields.get('Accept'), 'c');
});

test('A14: a name that is repeated in another spelling stays one field with all its values', () => {
  assert.deepEqual(build(['X-A', '1', 'x-a', '2', 'X-a', '3', 'Cookie', 'a=1']).get('x-a'), ['1', '2', '3']);
});

test('D14: a field named like a member of every object is a field', () => {
  const built = buildRequestHeaders(
    makeAdmission(
      makeFacts({
        headers: ['constructor', 'a', '__proto__', 'b', 'hasOwnProperty', 'c', 'Constructor', 'd'],
      }),
    ),
    [],
    options,
  );
  const fields = group(built);
  assert.deepEqual(fields.get('constructor'), ['a', 'd']);
  assert.equal(fields.has('__proto__'), false);
  assert.equal(fields.get('hasOwnProperty'), 'c');
});

test('A12: a request without body says so where its method suggests one, and not elsewhere', () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'QUERY'])
    assert.equal(build([], { method }).get('content-length'), '0', method);
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS'])
    assert.equal(build([], { method }).has('content-length'), false, method);
  assert.equal(build(['Transfer-Encoding', 'chunked'], { method: 'POST' }).has('content-length'), false);
});

test('C13: the token goes to the service only when the operator says so', () => {
  const sent = ['Authorization', 'DPoP abc', 'DPoP', 'proof'];
  assert.equal(build(sent).has('authorization'), false);
  assert.equal(build(sent, {}, { authorization: 'bearer' }).get('authorization'), 'Bearer abc');
  assert.equal(
    build(['Authorization', 'bearer   abc'], {}, { authorization: 'bearer' }).get('authorization'),
    'Bearer abc',
  );
  assert.equal(
    build(sent, {}, { authorization: { basic: 'dXNlcjpwYXNz' } }).get('authorization'),
    'Basic dXNlcjpwYXNz',
  );
  for (const authorization of ['strip', 'bearer'] as const)
    assert.equal(build(sent, {}, { authorization }).has('dpop'), false);
});

test('L07: on a public route nothing of the credentials that were sent goes on', () => {
  const facts = makeFacts({
    headers: ['Authorization', 'Bearer abc', 'DPoP', 'x', 'X-Auth-Subject', 'admin'],
  });
  for (const authorization of ['strip', 'bearer'] as const) {
    const built = buildRequestHeaders(makeAdmission(facts, makePublicGrant()), [], {
      ...options,
      authorization,
    });
    for (const name of group(built).keys()) assert.doesNotMatch(name, /^(authorization|dpop|x-auth-.*)$/i);
  }
});

test('B03: hop-by-hop and nominated fields of an answer go no further', () => {
  const { headers } = copyResponseHeaders(
    [
      'Connection',
      'close, X-Foo',
      'X-Foo',
      'a',
      'Keep-Alive',
      'timeout=5',
      'Trailer',
      'X',
      'Upgrade',
      'h2c',
      'Proxy-Authenticate',
      'Basic',
      'X-Bar',
      'b',
      'connection',
      'X-Baz',
      'x-baz',
      'c',
    ],
    { names, guarded: true },
  );
  assert.deepEqual(headers, ['X-Bar', 'b']);
});

test('B03: repeated fields of an answer keep their order and count, framing is handed over', () => {
  const copied = copyResponseHeaders(
    [
      'Set-Cookie',
      'a=1',
      'Content-Type',
      'text/plain',
      'set-cookie',
      'b=2',
      'Content-Length',
      '5',
      'Transfer-Encoding',
      'chunked',
    ],
    { names, guarded: false },
  );
  assert.deepEqual(copied.headers, ['Set-Cookie', 'a=1', 'Content-Type', 'text/plain', 'set-cookie', 'b=2']);
  assert.equal(copied.contentLength, '5');
  assert.deepEqual(copied.transferEncoding, ['chunked']);
  assert.equal(copied.contentType, 'text/plain');
});

test('L09: what speaks for the sidecar is not taken from the service', () => {
  const { headers } = copyResponseHeaders(
    [
      'X-Auth-Subject',
      'alice',
      'X-Request-Id',
      'x',
      'Client-Cert',
      ':AA==:',
      'Client-Cert-Chain',
      ':AA==:',
      'ETag',
      '"1"',
    ],
    { names, guarded: true },
  );
  assert.deepEqual(headers, ['ETag', '"1"']);
});

test('H09: nonces on a guarded route are ours alone', () => {
  const raw = ['DPoP-Nonce', 'theirs', 'ETag', '"1"'];
  assert.deepEqual(copyResponseHeaders(raw, { names, guarded: true }).headers, ['ETag', '"1"']);
  assert.deepEqual(copyResponseHeaders(raw, { names, guarded: false }).headers, raw);
});

test('K02, K06: Client-Cert is of a trusted certificate, in date, and only where it is asked for', () => {
  const clock = new ManualClock();
  const [notBeforeMs, notAfterMs] = [clock.nowMs(), clock.nowMs() + 1000];
  const fields = { clientCert: ':AQ==:', clientCertChain: ':Ag==:' };
  const trusted = { thumbprint: 'x', trusted: true, notBeforeMs, notAfterMs, fields } as const;
  const told = (certificate: FactsRequest['certificate'], nowMs = notBeforeMs) => {
    const headers = build([], { certificate }, { certificateClock: new ManualClock(nowMs) });
    return [headers.get('client-cert'), headers.get('client-cert-chain')];
  };
  const nothing = [undefined, undefined];
  assert.deepEqual(told(trusted), [':AQ==:', ':Ag==:']);
  assert.deepEqual(told({ ...trusted, fields: { ...fields, clientCertChain: undefined } }), [
    ':AQ==:',
    undefined,
  ]);
  assert.deepEqual(told(trusted, notAfterMs - 1), [':AQ==:', ':Ag==:']);
  for (const nowMs of [notBeforeMs - 1, notAfterMs]) assert.deepEqual(told(trusted, nowMs), nothing);
  assert.deepEqual(told({ thumbprint: 'x', trusted: false, distrust: undefined }), nothing);
  assert.deepEqual(told(undefined), nothing);
  assert.ok(!build([], { certificate: trusted }).has('client-cert'), 'off');
  const facts = makeFacts({ certificate: trusted });
  const open = buildRequestHeaders(makeAdmission(facts, makePublicGrant()), [], {
    ...options,
    certificateClock: clock,
  });
  assert.ok(!open.includes('Client-Cert'), 'a public route');
});

test('K08: certificate and chain together have a limit, and are never cut', () => {
  const certificateClock = new ManualClock();
  const at = certificateClock.nowMs();
  const attempt = (length: number) => {
    const fields = { clientCert: 'a'.repeat(1000), clientCertChain: 'b'.repeat(length - 1000) };
    const certificate = {
      thumbprint: 'x',
      trusted: true,
      notBeforeMs: at,
      notAfterMs: at + 1,
      fields,
    } as const;
    return build([], { certificate }, { certificateClock });
  };
  assert.equal(attempt(16_384).get('client-cert-chain')?.length, 15_384);
  denied(() => attempt(16_385), 'identity_too_large');
});

test('K05: an answer that varies by the client certificate varies by everything', () => {
  const vary = (value: string) => copyResponseHeaders(['vary', value], { names, guarded: true }).headers;
  for (const value of ['Client-Cert', 'accept,CLIENT-CERT', 'client-cert-chain , accept'])
    assert.deepEqual(vary(value), ['vary', '*']);
  for (const value of ['accept', 'x-client-cert', 'client-certificate', '*'])
    assert.deepEqual(vary(value), ['vary', value]);
});
