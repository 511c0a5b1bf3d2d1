import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type IssuedCertificate, makeCa, makeSelfSigned } from '../support/certificates.js';
import { type Call, Checkpoint, type Refused } from '../support/checkpoint.js';
import { albEscaped, clientCert, envoyEscaped, nginxEscaped } from '../support/client-cert-dialects.js';
import { boundTo, showing } from '../support/mtls.js';
import { authority } from '../support/sidecar.js';
import { Wire } from '../support/wire.js';

/** Where the trusted front is; everybody else in these tests is at 127.0.0.1. */
const front = '127.0.0.3';
const origin = `https://${authority}`;

const refused = (reason: string): Refused => ({ reason, error: 'invalid_token', by: ['Bearer'] });
const malformed = (reason: string): Refused => ({
  reason,
  status: 400,
  body: 'invalid_request',
  schemes: [],
});

/** A sidecar without TLS that trusts 127.0.0.3, and what it has of its clients' certificates. */
function startBehind(
  entry: Record<string, unknown>,
  config: Record<string, unknown> = {},
): Promise<Checkpoint> {
  const { listen, ...rest } = config as { listen?: object };
  return Checkpoint.start({
    origin,
    config: { ...rest, listen: { trustedProxies: [{ from: [`${front}/32`], ...entry }], ...listen } },
  });
}

describe('what a trusted front says of its client counts, and what anybody else says does not', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await startBehind(
      {},
      {
        listen: { origins: [origin, 'http://api.test', 'https://other.test:8443'] },
        routes: [{ path: '/public/**', proof: 'none' }, { path: '/**' }],
        exceptions: [
          {
            ...{
              id: 'partner',
              kind: 'bearer',
              owner: 'team',
              reason: 'r',
              ticket: 't',
              clients: ['partner'],
            },
            ...{
              created: today(0),
              expires: today(30),
              routes: ['/partner/**'],
              sources: ['203.0.113.0/24'],
            },
          },
        ],
      },
    );
    await guarded.fetchNonce({ from: front });
  });
  after(() => guarded.stop());

  const forged = [
    'X-Forwarded-For: 203.0.113.9',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Host: other.test:8443',
    'X-Forwarded-Port: 1',
    'X-Forwarded-Prefix: /evil',
    'X-Real-IP: 203.0.113.9',
    'True-Client-IP: 203.0.113.9',
    'Forwarded: for=203.0.113.9;host=other.test;proto=http',
    'X-Request-Id: chosen-by-the-client',
    'X-Original-URL: /admin',
  ];

  test('B08: from an untrusted peer everything of the kind is removed and written anew', async () => {
    const { seen, response } = await guarded.admits({ headers: forged });
    assert.deepEqual(seen.all('x-forwarded-for'), ['127.0.0.1']);
    assert.deepEqual(seen.all('x-forwarded-proto'), ['https']);
    assert.deepEqual(seen.all('x-forwarded-host'), [authority]);
    for (const name of [
      'x-forwarded-port',
      'x-forwarded-prefix',
      'x-real-ip',
      'true-client-ip',
      'forwarded',
      'x-original-url',
    ])
      assert.deepEqual(seen.all(name), [], name);
    assert.notEqual(response.one('x-request-id'), 'chosen-by-the-client');
    assert.equal((await guarded.sidecar.logged(response)).remote_address, '127.0.0.1');
  });

  test('B08: accepting twin: from a trusted front address and request id are taken over, the rest is removed', async () => {
    const headers = forged.filter((line) => !/^X-Forwarded-(?:Host|Proto)/.test(line));
    const { seen, response } = await guarded.admits({ headers, from: front });
    assert.deepEqual(seen.all('x-forwarded-for'), ['203.0.113.9']);
    assert.deepEqual(seen.all('x-forwarded-proto'), ['https']);
    for (const name of [
      'x-forwarded-port',
      'x-forwarded-prefix',
      'x-real-ip',
      'true-client-ip',
      'forwarded',
      'x-original-url',
    ])
      assert.deepEqual(seen.all(name), [], name);
    assert.equal(response.one('x-request-id'), 'chosen-by-the-client');
    assert.deepEqual(seen.all('x-request-id'), ['chosen-by-the-client']);
    assert.equal((await guarded.sidecar.logged(response)).remote_address, '203.0.113.9');
  });

  test('B08: the right-most hop that is no trusted proxy is the client, whatever it claims itself', async () => {
    for (const [sent, client] of [
      ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
      ['6.6.6.6, 203.0.113.9, 127.0.0.3', '203.0.113.9'],
      ['<script>, unknown, 203.0.113.9', '203.0.113.9'],
      ['127.0.0.3', '127.0.0.3'],
      ['[2001:db8::7]:4711', '2001:db8::7'],
      ['203.0.113.9:4711', '203.0.113.9'],
    ] as const) {
      const { seen } = await guarded.admits({ headers: [`X-Forwarded-For: ${sent}`], from: front });
      assert.deepEqual(seen.all('x-forwarded-for'), [client], sent);
    }
    const lines = ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-For: 203.0.113.9'];
    assert.deepEqual((await guarded.admits({ headers: lines, from: front })).seen.all('x-forwarded-for'), [
      '203.0.113.9',
    ]);
  });

  test('B08: a front that does not tell: nobody knows the client', async () => {
    const { seen } = await guarded.admits({ from: front });
    assert.deepEqual(seen.all('x-forwarded-for'), []);
  });

  for (const line of [
    'X-Forwarded-For: unknown',
    'X-Forwarded-For: 203.0.113.9,',
    'X-Forwarded-For: 203.0.113.999',
    'X-Forwarded-For: 203.0.113.9, 127.1',
    'X-Forwarded-For: 203.0.113.9 127.0.0.3',
    `X-Forwarded-For: ${'1.1.1.1,'.repeat(64)}1.1.1.1`,
    'X-Forwarded-Proto: https, http',
    'X-Forwarded-Proto: ftp',
    'X-Forwarded-Host: api.test, other.test',
  ]) {
    test(`B08: from a trusted front a malformed field refuses: ${line.slice(0, 60)}`, async () => {
      await guarded.refuses({ headers: [line], from: front }, malformed('forwarded_field_malformed'));
      await guarded.admits({ headers: [line] });
    });
  }

  test('G12: X-Forwarded-Host and -Proto choose among the origins, and name no other', async () => {
    // Nonces are of one origin, so each has to give its own first.
    const at = async (uri: string, ...headers: string[]): Promise<Call> => {
      const token = guarded.token();
      const old = Math.floor(Date.now() / 1000) - 50;
      const first = guarded.proof({ token, uri, nonce: undefined, claims: { iat: old } });
      const nonce = (await guarded.send({ token, proof: first, headers, from: front })).one('dpop-nonce');
      return { token, proof: guarded.proof({ token, uri, nonce }), headers, from: front };
    };
    const { seen } = await guarded.admits(
      await at('https://other.test:8443/', 'X-Forwarded-Host: other.test:8443', 'X-Forwarded-Proto: https'),
    );
    assert.deepEqual(seen.all('x-forwarded-host'), ['other.test:8443']);
    await guarded.admits(await at('http://api.test/', 'X-Forwarded-Proto: http'));
    await guarded.admits(
      await at('https://api.test/', 'X-Forwarded-Proto: HTTPS', 'X-Forwarded-Host: API.test'),
    );
    await guarded.refuses(await at('https://api.test/', 'X-Forwarded-Proto: http'), {
      reason: 'dpop_htu_mismatch',
      error: 'invalid_dpop_proof',
    });
    const elsewhere = { reason: 'host_not_served', status: 421, body: 'misdirected_request', schemes: [] };
    await guarded.refuses(await at('https://evil.test/', 'X-Forwarded-Host: evil.test'), elsewhere);
    await guarded.refuses(
      await at('http://other.test:8443/', 'X-Forwarded-Host: other.test:8443', 'X-Forwarded-Proto: http'),
      elsewhere,
    );
  });

  test('R04: the sources of an exception are held against the client, not against its front', async () => {
    const partner = (headers: string[], from: string): Call => ({
      ...{ target: '/partner/1', scheme: 'Bearer', proof: null, headers, from },
      token: guarded.token({ client_id: 'partner', cnf: undefined }),
    });
    const elsewhere = refused('exception_source_refused');
    await guarded.admits(partner(['X-Forwarded-For: 203.0.113.9'], front));
    await guarded.refuses(partner(['X-Forwarded-For: 198.51.100.9'], front), elsewhere);
    await guarded.refuses(partner([], front), elsewhere);
    await guarded.refuses(partner(['X-Forwarded-For: 203.0.113.9'], '127.0.0.1'), elsewhere);
  });

  test("L01, L02: an identity header from a trusted front is the client's, and removed", async () => {
    const headers = [
      'X-Auth-Subject: admin',
      'x-auth-proof: dpop',
      'X-Auth-Request-User: admin',
      'Remote-User: admin',
    ];
    for (const target of ['/', '/public/1']) {
      const call = target === '/' ? {} : { token: null, proof: null };
      const { seen } = await guarded.admits({ ...call, target, headers, from: front });
      assert.doesNotMatch(JSON.stringify(seen.headers), /admin/);
      assert.equal(seen.all('x-auth-proof').length, 1);
    }
    await guarded.refuses(
      { headers: ['X_Auth_Subject: admin'], from: front },
      malformed('header_name_refused'),
    );
  });

  test('L02: the same with an expectation, which takes another way through Node', async () => {
    const wire = await Wire.open({ port: guarded.sidecar.port, from: front });
    const headers = ['X-Auth-Subject: admin', 'Expect: 100-continue', 'Content-Length: 4'];
    wire.send(guarded.bytes({ method: 'POST', headers }));
    assert.equal((await wire.response()).status, 100);
    wire.send('body');
    assert.equal((await wire.response()).status, 200);
    wire.close();
    assert.deepEqual(guarded.service.last.all('x-auth-subject'), ['alice']);
    assert.equal(guarded.service.last.rawBody, 'body');
  });

  test('S01: a request id that is no visible ASCII of moderate length is not taken over', async () => {
    for (const lines of [
      ['X-Request-Id: two words'],
      [`X-Request-Id: ${'a'.repeat(129)}`],
      ['X-Request-Id: one', 'X-Request-Id: two'],
      ['X-Request-Id: '],
    ]) {
      const { response } = await guarded.admits({ headers: lines, from: front });
      assert.match(response.one('x-request-id') ?? '', /^[0-9a-f-]{36}$/, lines.join());
    }
  });
});

/** A day from today, as it is written in a configuration. */
function today(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

describe('K07: a certificate in a header counts from a trusted front only', () => {
  let one: IssuedCertificate;
  let other: IssuedCertificate;
  before(async () => {
    one = await makeSelfSigned({ cn: 'client', usage: 'client' });
    other = await makeSelfSigned({ cn: 'client', usage: 'client' });
  });

  const dialects: Readonly<Record<string, (shown: IssuedCertificate) => string>> = {
    rfc9440: (shown) => `Client-Cert: ${clientCert(shown)}`,
    xfcc: (shown) =>
      `X-Forwarded-Client-Cert: Hash=00;Cert="${envoyEscaped(shown.certPem)}";Subject="CN=a\\"b,c;d"`,
    'nginx-escaped-pem': (shown) => `ssl-client-cert: ${nginxEscaped(shown.certPem)}`,
    alb: (shown) => `X-Amzn-Mtls-Clientcert-Leaf: ${albEscaped(shown.certPem)}`,
  };

  for (const [dialect, write] of Object.entries(dialects)) {
    describe(dialect, () => {
      let guarded: Checkpoint;
      before(async () => {
        guarded = await startBehind({ clientCertificate: dialect });
      });
      after(() => guarded.stop());

      test('K07, J01: the certificate that the front passes on proves possession, any other does not', async () => {
        const { seen } = await guarded.admits({
          ...boundTo(guarded, one),
          headers: [write(one)],
          from: front,
        });
        assert.deepEqual(seen.all('x-auth-proof'), ['mtls']);
        assert.deepEqual(seen.all('x-auth-key'), [one.thumbprint]);
        assert.doesNotMatch(JSON.stringify(seen.headers), /client-cert|ssl-client|mtls-clientcert/i);
        await guarded.refuses(
          { ...boundTo(guarded, one), headers: [write(other)], from: front },
          refused('certificate_thumbprint_mismatch'),
        );
      });

      test('K01: from an untrusted peer the same header is removed and ignored', async () => {
        await guarded.refuses(
          { ...boundTo(guarded, one), headers: [write(one)] },
          refused('certificate_missing'),
        );
      });

      test('K07: the header of another dialect is removed and ignored', async () => {
        const foreign = Object.entries(dialects).filter(([name]) => name !== dialect);
        for (const [, writeOther] of foreign) {
          const call = { ...boundTo(guarded, one), headers: [writeOther(one)], from: front };
          await guarded.refuses(call, refused('certificate_missing'));
        }
      });

      test('K09: no field, or an empty one, is no certificate', async () => {
        await guarded.refuses({ ...boundTo(guarded, one), from: front }, refused('certificate_missing'));
        const empty = `${write(one).split(':', 1)[0]}: `;
        await guarded.refuses(
          { ...boundTo(guarded, one), headers: [empty], from: front },
          refused('certificate_missing'),
        );
      });

      test('K07: two fields, or something else in it, refuse the request', async () => {
        const name = write(one).split(':', 1)[0] ?? '';
        const value = write(one).slice(name.length + 2);
        const broken = [
          [`${name}: ${value}`, `${name}: ${value}`],
          [`${name}: ${value}x`],
          [`${name}: ${value.slice(0, -40)}`],
          [`${name}: :{http.request.tls.client.certificate_der_base64}:`],
          [`${name}: (null)`],
          [`${name}: -`],
          [`${name}: ::`],
          [`${name}: :AAAA:`],
          [`${name}: ${nginxEscaped(one.keyPem)}`],
          [`${name}: ${one.der.toString('base64')}`],
        ];
        for (const headers of broken) {
          const call = { ...boundTo(guarded, one), headers, from: front };
          await guarded.refuses(call, malformed('client_certificate_header_malformed'));
        }
      });
    });
  }
});

describe('K07: X-Forwarded-Client-Cert of several elements', () => {
  let guarded: Checkpoint;
  let one: IssuedCertificate;
  let other: IssuedCertificate;
  before(async () => {
    guarded = await startBehind({ clientCertificate: 'xfcc' });
    one = await makeSelfSigned({ cn: 'client', usage: 'client' });
    other = await makeSelfSigned({ cn: 'client', usage: 'client', san: ['b.test'] });
  });
  after(() => guarded.stop());

  const element = ({ certPem }: IssuedCertificate) => `Hash=00;Cert="${envoyEscaped(certPem)}"`;
  const shown = (value: string): Call => ({
    ...boundTo(guarded, one),
    headers: [`X-Forwarded-Client-Cert: ${value}`],
    from: front,
  });

  test('K07: the last one counts, which the front wrote, and none that was there before', async () => {
    await guarded.admits(shown(`${element(other)};DNS=b.test,${element(one)}`));
    await guarded.refuses(
      shown(`${element(one)},${element(other)}`),
      refused('certificate_thumbprint_mismatch'),
    );
    await guarded.refuses(shown(`${element(one)},Hash=00`), malformed('client_certificate_header_malformed'));
  });

  // What Envoy writes for it with `dns: true` or `uri: true`.
  test('K07: a certificate whose name reads like another element does not speak for the owner of another', async () => {
    const name = `a.test,${element(one)}`;
    const thief = await makeSelfSigned({ cn: 'thief', usage: 'client', san: [name] });
    await guarded.refuses(
      shown(`${element(thief)};DNS=${name}`),
      malformed('client_certificate_header_malformed'),
    );
  });
});

describe("the certificate of the front is never its client's", () => {
  let guarded: Checkpoint;
  let own: IssuedCertificate;
  before(async () => {
    guarded = await Checkpoint.start({
      tls: {},
      config: {
        listen: {
          trustedProxies: [
            { from: [`${front}/32`], clientCertificate: 'rfc9440' },
            { from: ['127.0.0.4/32'] },
          ],
        },
      },
    });
    own = await makeSelfSigned({ cn: 'front', usage: 'client' });
  });
  after(() => guarded.stop());

  test('J01: accepting twin: whoever is no front speaks for itself', async () => {
    await guarded.admits({ ...boundTo(guarded, own), tls: showing(own) });
  });

  test('K07: a token bound to the certificate of a front does not pass for those who call through it', async () => {
    for (const from of [front, '127.0.0.4']) {
      const call = { ...boundTo(guarded, own), tls: showing(own), from };
      await guarded.refuses(call, refused('certificate_missing'));
    }
  });
});

describe('K07: with CAs a certificate from a front has to chain to them, too', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await startBehind({ clientCertificate: 'rfc9440', ca: ['ca.pem'] });
  });
  after(() => guarded.stop());

  const shown = (certificate: IssuedCertificate, ...more: string[]) => ({
    ...boundTo(guarded, certificate),
    headers: [`Client-Cert: ${clientCert(certificate)}`, ...more],
    from: front,
  });

  test('K07: one of the CA is good, also below an intermediate that comes along', async () => {
    await guarded.admits(shown(await guarded.ca.issue({ cn: 'client', usage: 'client' })));
    const below = await guarded.ca.issueCa({ cn: 'below' });
    const client = await below.issue({ cn: 'client', usage: 'client' });
    const chain = Buffer.from(below.certPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    await guarded.admits(shown(client, `Client-Cert-Chain: ${clientCert({ der: chain })}`));
    await guarded.refuses(shown(client), refused('client_certificate_untrusted'));
  });

  test('J06: self-signed, of another CA, expired, not yet valid, for servers: no evidence', async () => {
    const hour = 3_600_000;
    const another = await makeCa();
    const bad: readonly (readonly [code: string, IssuedCertificate])[] = [
      ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', await makeSelfSigned({ cn: 'client', usage: 'client' })],
      ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', await another.issue({ cn: 'client', usage: 'client' })],
      [
        'CERT_HAS_EXPIRED',
        await guarded.ca.issue({ cn: 'c', usage: 'client', notAfter: new Date(Date.now() - 1000) }),
      ],
      [
        'CERT_NOT_YET_VALID',
        await guarded.ca.issue({ cn: 'c', usage: 'client', notBefore: new Date(Date.now() + hour) }),
      ],
      ['INVALID_PURPOSE', await guarded.ca.issue({ cn: 'client', usage: 'server' })],
    ];
    for (const [code, certificate] of bad) {
      const response = await guarded.refuses(shown(certificate), refused('client_certificate_untrusted'));
      assert.equal((await guarded.sidecar.logged(response)).detail, code);
    }
  });
});

test('K08: a certificate of 10 KiB fits into the header that is taken by default, a larger one is answered 431', async (t) => {
  const guarded = await startBehind({ clientCertificate: 'rfc9440' });
  t.after(() => guarded.stop());
  const withNames = (count: number) => {
    const san = Array.from({ length: count }, (_, index) => `${index}.${'n'.repeat(60)}.test`);
    return makeSelfSigned({ cn: 'client', usage: 'client', san });
  };
  const shown = (certificate: IssuedCertificate) => ({
    ...boundTo(guarded, certificate),
    headers: [`Client-Cert: ${clientCert(certificate)}`],
    from: front,
  });
  const big = await withNames(145);
  assert.ok(big.der.length > 10_240);
  await guarded.admits(shown(big));
  const huge = await withNames(200);
  await guarded.refuses(shown(huge), {
    ...{ reason: 'header_fields_too_large', status: 431, body: 'header_fields_too_large', schemes: [] },
  });
});

test('S09: the limit of connections for one address is for clients, not for trusted fronts', async (t) => {
  const guarded = await startBehind({}, { listen: { limits: { connectionsPerAddress: 1 } } });
  t.after(() => guarded.stop());
  assert.equal(await statusOfThird(guarded, front), 401);
  assert.equal(await statusOfThird(guarded, '127.0.0.1'), undefined);
});

/** What the last of three connections at once is answered, if it is. */
async function statusOfThird(guarded: Checkpoint, from: string): Promise<number | undefined> {
  const wires = [];
  for (let count = 0; count < 3; count++) wires.push(await Wire.open({ port: guarded.sidecar.port, from }));
  const last = wires.at(-1) as Wire;
  last.send(guarded.bytes({ token: null }));
  const answer = await last.response().catch(() => undefined);
  for (const wire of wires) wire.close();
  return answer?.status;
}

describe('plain HTTP where others can reach it', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await startBehind({}, { listen: { address: '0.0.0.0:0' } });
    await guarded.fetchNonce({ from: front });
  });
  after(() => guarded.stop());

  test('B08: a trusted front is served, everybody else refused, before anything else is looked at', async () => {
    await guarded.admits({ from: front });
    await guarded.refuses({}, { reason: 'peer_not_trusted', status: 403, body: 'forbidden', schemes: [] });
    await guarded.refuses('GET / HTTP/1.0\r\n\r\n', {
      reason: 'peer_not_trusted',
      status: 403,
      body: 'forbidden',
      schemes: [],
    });
  });
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

describe('B08: fronts and IPv6', { skip: !hasIpv6 && 'no IPv6 on this machine' }, () => {
  let certificate: IssuedCertificate;
  before(async () => {
    certificate = await makeSelfSigned({ cn: 'client', usage: 'client' });
  });

  /** A dual-stack listener with TLS: who is no trusted front is served, too, and speaks for itself. */
  const startOn = async (t: TestContext, ...from: string[]): Promise<Checkpoint> => {
    const entry = { from, clientCertificate: 'rfc9440' };
    const listen = { address: '[::]:0', trustedProxies: [entry] };
    const guarded = await Checkpoint.start({ tls: {}, config: { listen } });
    t.after(() => guarded.stop());
    return guarded;
  };
  const callFrom = (guarded: Checkpoint, from: string, hops = '2001:db8::7'): Call => ({
    ...boundTo(guarded, certificate),
    headers: [`Client-Cert: ${clientCert(certificate)}`, `X-Forwarded-For: ${hops}`],
    from,
  });
  const believes = async (guarded: Checkpoint, from: string, hops?: string) => {
    const { seen, response } = await guarded.admits(callFrom(guarded, from, hops));
    assert.deepEqual(seen.all('x-forwarded-for'), ['2001:db8::7'], hops);
    assert.equal((await guarded.sidecar.logged(response)).remote_address, '2001:db8::7');
  };
  const ignores = async (guarded: Checkpoint, from: string) => {
    const response = await guarded.refuses(callFrom(guarded, from), refused('certificate_missing'));
    assert.match(String((await guarded.sidecar.logged(response)).remote_address), new RegExp(`${from}$`));
  };

  test('B08: a front that connects from ::1 is known by an IPv6 range', async (t) => {
    const guarded = await startOn(t, '::1/128');
    await believes(guarded, '::1');
    await ignores(guarded, '127.0.0.1');
  });

  test('B08: ::1 is in no other IPv6 range, and in none of IPv4', async (t) => {
    await ignores(await startOn(t, '2001:db8::/32', '127.0.0.0/8'), '::1');
  });

  test('B08: a front that a dual-stack listener sees as ::ffff:127.0.0.3 is known by an IPv4 range', async (t) => {
    const guarded = await startOn(t, `${front}/32`);
    await believes(guarded, front);
    for (const other of ['127.0.0.1', '::1']) await ignores(guarded, other);
  });

  test('B09: no IPv6 range stands for a peer of IPv4, however wide it is', async (t) => {
    const guarded = await startOn(t, '::/1');
    await believes(guarded, '::1');
    await ignores(guarded, front);
  });

  test('B08: a hop in X-Forwarded-For is skipped as a trusted front in either way to write it', async (t) => {
    const guarded = await startOn(t, '::1/128', `${front}/32`);
    for (const hops of ['2001:db8::7, ::1', `2001:db8::7, ::ffff:${front}, [0:0::1]:80`])
      await believes(guarded, '::1', hops);
  });

  test('B08: without TLS a listener on all addresses of both families answers trusted fronts only', async (t) => {
    const guarded = await startBehind({ from: ['::1/128'] }, { listen: { address: '[::]:0' } });
    t.after(() => guarded.stop());
    await guarded.fetchNonce({ from: '::1' });
    await guarded.admits({ from: '::1' });
    for (const from of ['127.0.0.1', front])
      await guarded.refuses(
        { from },
        {
          reason: 'peer_not_trusted',
          status: 403,
          body: 'forbidden',
          schemes: [],
        },
      );
  });

  test('S09: the limit of connections for one address knows a front in either family', async (t) => {
    const guarded = await startBehind(
      { from: ['::1/128', `${front}/32`] },
      { listen: { address: '[::]:0', limits: { connectionsPerAddress: 1 } } },
    );
    t.after(() => guarded.stop());
    for (const from of ['::1', front]) assert.equal(await statusOfThird(guarded, from), 401);
    assert.equal(await statusOfThird(guarded, '127.0.0.1'), undefined);
  });
});
