import '../support/reflect-metadata.js';
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import * as x509 from '@peculiar/x509';
import { type Ca, type IssuedCertificate, makeCa } from '../support/certificates.js';
import { type Call, Checkpoint } from '../support/checkpoint.js';
import { clientCert } from '../support/client-cert-dialects.js';
import { element, encodeCertificate, pemOf } from '../support/encoded-certificates.js';
import { boundTo, showing } from '../support/mtls.js';
import { tellsIntermediates } from '../support/node-release.js';
import {
  caExtensions,
  issueOdd,
  makeModulus,
  makeOddCa,
  rsaKey,
  signForExponentOne,
} from '../support/odd-certificates.js';
import { authority, spawnSidecar } from '../support/sidecar.js';
import { TokenSigner } from '../support/token-signer.js';

const front = '127.0.0.3';
const untrusted = { reason: 'client_certificate_untrusted', error: 'invalid_token', by: ['Bearer'] } as const;
const derOf = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

/** How a client's certificate, and what comes along with it, reaches the sidecar. */
const ways: Readonly<
  Record<
    string,
    (shown: IssuedCertificate, along: readonly Buffer[]) => Pick<Call, 'tls' | 'headers' | 'from'>
  >
> = {
  'over TLS': (shown, along) => ({
    tls: { ...showing(shown), cert: shown.certPem + along.map((der) => pemOf(der)).join('') },
  }),
  'from a trusted proxy': (shown, along) => ({
    headers: [
      `Client-Cert: ${clientCert(shown)}`,
      ...(along.length === 0
        ? []
        : [`Client-Cert-Chain: ${along.map((der) => clientCert({ der })).join(', ')}`]),
    ],
    from: front,
  }),
};

/** Both ways are open, and the service is told of certificates that are trusted. */
function start(ca: string, lists: string[] = []): Promise<Checkpoint> {
  return Checkpoint.start({
    origin: `https://${authority}`,
    tls: { ca: ['clients.pem'], crl: lists.map((_, index) => `${index}.crl`) },
    config: {
      identity: { clientCertificate: 'rfc9440' },
      listen: { trustedProxies: [{ from: [`${front}/32`], clientCertificate: 'rfc9440' }] },
    },
    files: {
      'clients.pem': ca,
      ...Object.fromEntries(lists.map((list, index) => [`${index}.crl`, list])),
    },
  });
}

/** The start has to end with exit code 2 for this. */
async function refusesToStart(ca: string, lists: string[], why: RegExp): Promise<void> {
  const signer = new TokenSigner();
  const server = await (await makeCa()).issue({ cn: authority, usage: 'server', san: [authority] });
  const { child, folder } = spawnSidecar({
    config: {
      upstream: { url: 'http://127.0.0.1:9' },
      issuers: [{ issuer: signer.issuer, audience: signer.audience, keys: { file: 'jwks.json' } }],
      listen: {
        origins: [`https://${authority}`],
        tls: {
          ...{ certificate: 'server.pem', key: 'server.key' },
          clientCertificates: { ca: ['clients.pem'], crl: lists.map((_, index) => `${index}.crl`) },
        },
      },
    },
    files: {
      ...{ 'jwks.json': signer.jwks, 'server.pem': server.certPem, 'server.key': server.keyPem },
      'clients.pem': ca,
      ...Object.fromEntries(lists.map((list, index) => [`${index}.crl`, list])),
    },
  });
  try {
    assert.equal(await child.end(), 2, child.text);
    assert.match(child.text, why);
    assert.ok(!child.events.some(({ event }) => event === 'listening'));
  } finally {
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('J18: revocation lists', () => {
  const oddList = (oid: string, value: string) => ({
    extensions: [new x509.Extension(oid, true, Buffer.from(value, 'hex'))],
  });
  const unusable = {
    'a delta list beside its base': [oddList('2.5.29.27', '020101'), /delta list/],
    'a list of one distribution point': [oddList('2.5.29.28', '30038101ff'), /one distribution point/],
    'an indirect list': [oddList('2.5.29.28', '30038401ff'), /one distribution point or indirect/],
  } as const;
  let ca: Ca;
  let guarded: Checkpoint;
  const shown: Record<'good' | 'revoked', IssuedCertificate[]> = { good: [], revoked: [] };
  before(async () => {
    ca = await makeCa({ cn: 'clients' });
    const [good, revoked] = [
      await ca.issue({ cn: 'good', usage: 'client' }),
      await ca.issue({ cn: 'revoked', usage: 'client' }),
    ];
    shown.good.push(good);
    shown.revoked.push(revoked);
    guarded = await start(ca.certPem, [await ca.revoke([revoked])]);
  });
  after(() => guarded.stop());

  for (const [title, [list, why]] of Object.entries(unusable))
    test(`J18: ${title} is refused at start, exit code 2`, async () => {
      await refusesToStart(ca.certPem, [await ca.revoke([]), await ca.revoke([], list)], why);
    });

  for (const [way, write] of Object.entries(ways)) {
    test(`J18: ${way}: a revoked certificate is refused, and the service sees no byte`, async () => {
      for (const one of shown.revoked) {
        const response = await guarded.refuses({ ...boundTo(guarded, one), ...write(one, []) }, untrusted);
        assert.match(String((await guarded.sidecar.logged(response)).detail), /CERT_REVOKED/);
      }
    });
    test(`J18: accepting twin: ${way}, a certificate of the same CA that no list names`, async () => {
      for (const one of shown.good) await guarded.admits({ ...boundTo(guarded, one), ...write(one, []) });
    });
  }
});

describe('J16: CAs that certify each other', () => {
  const [one, other] = [makeOddCa('one'), makeOddCa('other')];
  const certified = (ca: typeof one, by: typeof one) =>
    makeOddCa(ca.cn, { issuer: by, publicKey: createPublicKey(ca.key) }).der;
  const circle = [certified(one, other), certified(other, one)];

  test('J16: in the bundle they are refused at start, exit code 2', async () => {
    await refusesToStart(circle.map((der) => pemOf(der)).join(''), [], /CAs that certify each other/);
  });

  test('J16: accepting twin: a root and the CA below it', async (t) => {
    const root = await makeCa({ cn: 'root' });
    const below = await root.issueCa({ cn: 'below' });
    const guarded = await start(root.certPem + below.certPem);
    t.after(() => guarded.stop());
    const client = await below.issue({ cn: 'client', usage: 'client' });
    for (const write of Object.values(ways))
      await guarded.admits({ ...boundTo(guarded, client), ...write(client, []) });
  });

  for (const [way, write] of Object.entries(ways))
    test(`J16: ${way} they lead nowhere`, async (t) => {
      const ca = await makeCa({ cn: 'clients' });
      const guarded = await start(ca.certPem);
      t.after(() => guarded.stop());
      const stranger = issueOdd(one);
      await guarded.refuses({ ...boundTo(guarded, stranger), ...write(stranger, circle) }, untrusted);
      const client = await ca.issue({ cn: 'client', usage: 'client' });
      await guarded.admits({ ...boundTo(guarded, client), ...write(client, circle) });
    });
});

describe('L10: the chain that the service is told of', () => {
  for (const [way, write] of Object.entries(ways))
    test(`L10: ${way}: an issuer that was invented is not in Client-Cert-Chain, the true one is`, async (t) => {
      const ca = await makeCa({ cn: 'clients' });
      const below = await ca.issueCa({ cn: 'below' });
      const guarded = await start(ca.certPem);
      t.after(() => guarded.stop());
      const [client, deep] = [
        await ca.issue({ cn: 'client', usage: 'client' }),
        await below.issue({ cn: 'client', usage: 'client' }),
      ];
      // Its own name, so that it looks like the issuer of what the CA has issued, or like that of the intermediate.
      const invented = ['clients', 'below'].map((cn) => makeOddCa(cn).der);
      const direct = await guarded.admits({ ...boundTo(guarded, client), ...write(client, invented) });
      assert.deepEqual(direct.seen.all('client-cert'), [clientCert(client)]);
      assert.deepEqual(direct.seen.all('client-cert-chain'), []);
      const along = [derOf(below.certPem), ...invented];
      const { seen } = await guarded.admits({ ...boundTo(guarded, deep), ...write(deep, along) });
      assert.deepEqual(seen.all('client-cert'), [clientCert(deep)]);
      const isTold = tellsIntermediates || way !== 'over TLS';
      assert.deepEqual(
        seen.all('client-cert-chain'),
        isTold ? [clientCert({ der: derOf(below.certPem) })] : [],
      );
    });
});

describe('J19: one rule for keys, times and encodings', () => {
  const root = makeOddCa('root');
  let guarded: Checkpoint;
  before(async () => {
    guarded = await start(pemOf(root.der));
  });
  after(() => guarded.stop());

  interface Odd {
    readonly shown: IssuedCertificate;
    readonly along?: readonly Buffer[];
    readonly cause: RegExp;
  }
  const explicitCurve = (): Odd => ({
    shown: issueOdd(root, {}, generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })),
    cause: /KEY_CURVE_PARAMETERS_EXPLICIT/,
  });
  const exponentOne = (): Odd => {
    const publicKey = rsaKey(makeModulus(), Buffer.of(1));
    const between = encodeCertificate({ cn: 'weak', publicKey, issuer: root, extensions: caExtensions() });
    const algorithm = Buffer.from('300d06092a864886f70d01010b0500', 'hex');
    const shown = issueOdd({ cn: 'weak', key: signForExponentOne }, { algorithm });
    return { shown, along: [between], cause: /KEY_EXPONENT_NOT_65537/ };
  };
  const noTime = (): Odd => ({
    shown: issueOdd(root, { notAfter: element(0x18, Buffer.from('20301301000000Z')) }),
    // In a handshake OpenSSL says so before us.
    cause: /CERT_CANNOT_BE_READ|ERROR_IN_CERT_NOT_AFTER_FIELD/,
  });
  const odd = {
    'a curve given by its parameters': explicitCurve,
    'an intermediate with the RSA exponent 1, for which anybody can sign': exponentOne,
    'an end that is no time': noTime,
  };
  for (const [way, write] of Object.entries(ways)) {
    for (const [title, make] of Object.entries(odd)) {
      // Where Node does not tell what came along, OpenSSL alone has judged it (docs/operations.md), and it takes this key.
      if (make === exponentOne && way === 'over TLS' && !tellsIntermediates) continue;
      test(`J19: ${way}: ${title} is refused, and the service sees no byte`, async () => {
        const { shown, along = [], cause } = make();
        const response = await guarded.refuses(
          { ...boundTo(guarded, shown), ...write(shown, along) },
          untrusted,
        );
        const { detail } = await guarded.sidecar.logged(response);
        assert.match(String(detail), cause);
      });
    }
    test(`J19: accepting twin: ${way}, a named curve, and a time`, async () => {
      const shown = issueOdd(root);
      await guarded.admits({ ...boundTo(guarded, shown), ...write(shown, []) });
    });
  }
});
