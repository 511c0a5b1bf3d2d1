import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject, randomUUID, sign, type webcrypto } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { type DpopKey, makeDpopKey } from '../support/dpop.js';
import { makeKeyPair } from '../support/keys.js';
import { type Overrides, sha256 } from '../support/token-signer.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function refused(reason: string): Refused {
  return { reason, error: 'invalid_dpop_proof' };
}

/** What a row changes of a proof that is otherwise good for GET http://api.test/orders/7. */
interface Changes {
  readonly claims?: Overrides;
  readonly header?: Overrides;
}

const target = '/orders/7?page=2';

describe('a proof is signed with a sound key', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start();
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  function call(changes: Changes = {}) {
    const token = guarded.token();
    return { target, token, proof: guarded.proof({ token, target, ...changes }) };
  }

  test('accepting twin of all: a good proof', async () => {
    await guarded.admits(call());
  });

  describe('G05: accepting twins: the other algorithms', () => {
    const kinds = {
      PS256: () => makeKeyPair('rsa', { modulusLength: 2048 }),
      EdDSA: () => makeKeyPair('ed25519'),
    };
    for (const [alg, generate] of Object.entries(kinds)) {
      test(`G05, G20: a ${alg} proof`, async () => {
        const { privateKey, publicKey } = generate();
        const { proof, jkt } = proofWith({ alg, privateKey, jwk: publicKey.export({ format: 'jwk' }) });
        const token = guarded.token({ cnf: { jkt } });
        await guarded.admits({ target, token, proof: proof(token) });
      });
    }

    /** A good proof signed with another algorithm. @see RFC 7638 §3.2 for the members of the thumbprint */
    function proofWith({
      alg,
      privateKey,
      jwk,
    }: {
      alg: string;
      privateKey: KeyObject;
      jwk: webcrypto.JsonWebKey;
    }) {
      const { crv, e, kty, n, x } = jwk;
      const jkt = sha256(JSON.stringify(kty === 'RSA' ? { e, kty, n } : { crv, kty, x }));
      const proof = (token: string) => {
        const input = [
          encode({ typ: 'dpop+jwt', alg, jwk }),
          encode({
            ...{ jti: randomUUID(), htm: 'GET', htu: `${guarded.origin}/orders/7`, iat: nowSeconds() },
            ...{ ath: sha256(token), nonce: guarded.nonce },
          }),
        ].join('.');
        const signature =
          alg === 'EdDSA'
            ? sign(null, Buffer.from(input), privateKey)
            : sign('sha256', Buffer.from(input), { key: privateKey, padding: 6, saltLength: 32 });
        return `${input}.${signature.toString('base64url')}`;
      };
      return { proof, jkt };
    }
  });

  const signatures: Readonly<Record<string, (signature: Buffer) => Buffer>> = {
    'all zero': (signature) => Buffer.alloc(signature.length),
    truncated: (signature) => signature.subarray(0, 63),
    'one bit off': (signature) => Buffer.from(signature.map((byte, i) => (i === 20 ? byte ^ 1 : byte))),
    'with a byte too many': (signature) => Buffer.concat([signature, Buffer.of(0)]),
    'as DER': (signature) => derSignature(signature),
  };
  for (const [title, change] of Object.entries(signatures)) {
    test(`G06: the signature ${title}`, async () => {
      const { token, proof } = call();
      const [header, payload, signature = ''] = proof.split('.');
      const changed = change(Buffer.from(signature, 'base64url')).toString('base64url');
      await guarded.refuses(
        { target, token, proof: `${header}.${payload}.${changed}` },
        refused('dpop_signature_invalid'),
      );
    });
  }
  test('G06: signed by another key than the jwk', async () => {
    const token = guarded.token();
    const header = { jwk: guarded.client.jwk };
    const proof = guarded.proof({ token, target, key: makeDpopKey(), header });
    await guarded.refuses({ target, token, proof }, refused('dpop_signature_invalid'));
  });
  test('G06: claims changed after signing', async () => {
    const { token, proof } = call();
    const [header, payload = '', signature] = proof.split('.');
    const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), jti: randomUUID() };
    await guarded.refuses(
      { target, token, proof: `${header}.${encode(changed)}.${signature}` },
      refused('dpop_signature_invalid'),
    );
  });

  describe('check 7: the key', () => {
    const rsa = makeKeyPair('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    const rows: Readonly<Record<string, (jwk: Overrides) => unknown>> = {
      'G07: with d': (jwk) => ({ ...jwk, d: 'AAAA' }),
      'G07: with an empty d': (jwk) => ({ ...jwk, d: '' }),
      'G07, trap jose: with k': (jwk) => ({ ...jwk, k: 'AAAA' }),
      'G07, trap jose: with p and q': (jwk) => ({ ...jwk, p: 'AAAA', q: 'AAAA' }),
      'G07: with oth null': (jwk) => ({ ...jwk, oth: null }),
      'G07: symmetric': () => ({ kty: 'oct', k: 'AAAA' }),
      'G07: missing': () => undefined,
      'G07: a string': (jwk) => JSON.stringify(jwk),
      'G07: a list': (jwk) => [jwk],
      'G08, trap jose: x with a byte of zero before it': (jwk) => ({
        ...jwk,
        x: Buffer.concat([Buffer.of(0), Buffer.from(String(jwk.x), 'base64url')]).toString('base64url'),
      }),
      'G08: x of 31 bytes': (jwk) => ({ ...jwk, x: Buffer.alloc(31, 1).toString('base64url') }),
      'G08: x of 33 bytes': (jwk) => ({ ...jwk, x: Buffer.alloc(33, 1).toString('base64url') }),
      'G08: off the curve': (jwk) => ({ ...jwk, y: Buffer.alloc(32, 1).toString('base64url') }),
      'G08: padded': (jwk) => ({ ...jwk, x: `${jwk.x}=` }),
      'G08: of another curve': (jwk) => ({ ...jwk, crv: 'P-384' }),
      'G08: of another kind than alg': () => rsa,
      'G08: with another alg': (jwk) => ({ ...jwk, alg: 'PS256' }),
    };
    for (const [title, change] of Object.entries(rows)) {
      test(title, async () => {
        const jwk = change(guarded.client.jwk);
        const { crv, kty, x, y } = Object(jwk);
        const token = guarded.token({ cnf: { jkt: sha256(JSON.stringify({ crv, kty, x, y })) } });
        const proof = guarded.proof({ token, target, header: { jwk } });
        await guarded.refuses({ target, token, proof }, refused('dpop_key_invalid'));
      });
    }
    const weak: Readonly<Record<string, Overrides>> = {
      'trap jose: RSA with exponent 1': { kty: 'RSA', n: rsa.n, e: 'AQ' },
      'RSA with exponent 3': { kty: 'RSA', n: rsa.n, e: 'Aw' },
      'RSA of 1024 bits': { kty: 'RSA', n: Buffer.alloc(128, 0xff).toString('base64url'), e: 'AQAB' },
      'RSA of 16384 bits': { kty: 'RSA', n: Buffer.alloc(2048, 0xff).toString('base64url'), e: 'AQAB' },
      'RSA with a leading zero': { kty: 'RSA', n: `AA${rsa.n}`, e: 'AQAB' },
    };
    for (const [title, jwk] of Object.entries(weak)) {
      test(`G08: ${title}`, async () => {
        await guarded.refuses(call({ header: { alg: 'PS256', jwk } }), refused('dpop_key_invalid'));
      });
    }
    for (const point of [Buffer.alloc(32), Buffer.concat([Buffer.of(1), Buffer.alloc(31)])]) {
      test(`G08, trap jose: Ed25519 point of small order ${point.toString('hex', 0, 2)}…`, async () => {
        const jwk = { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') };
        await guarded.refuses(call({ header: { alg: 'EdDSA', jwk } }), refused('dpop_key_invalid'));
      });
    }
    test('G08: accepting twin: members that are not of the key are ignored', async () => {
      await guarded.admits(
        call({ header: { jwk: { ...guarded.client.jwk, kid: 'a', use: 'sig', alg: 'ES256' } } }),
      );
    });
  });
});

describe('G20: RFC examples', () => {
  test('G20: the thumbprint of RFC 9449 figure 8 is what binds', async (t) => {
    const jwk = {
      ...{ kty: 'EC', crv: 'P-256' },
      x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
      y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    };
    const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';
    assert.ok(createPublicKey({ key: jwk, format: 'jwk' }));
    const guarded = await Checkpoint.start();
    t.after(() => guarded.stop());
    // The private key is not known to us, so the proof can only fail at its signature, after the key was taken.
    const token = guarded.token({ cnf: { jkt } });
    const key: DpopKey = { ...guarded.client, jwk };
    const response = await guarded.refuses({ token, key }, refused('dpop_signature_invalid'));
    assert.equal((await guarded.sidecar.logged(response)).detail, `key ${jkt}`);
  });
});

/** The same ECDSA signature in the other encoding: SEQUENCE of two INTEGERs. */
function derSignature(raw: Buffer): Buffer {
  const integer = (bytes: Buffer) => {
    const trimmed = bytes.subarray(
      Math.max(
        0,
        bytes.findIndex((byte) => byte !== 0),
      ),
    );
    const value = (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed;
    return Buffer.concat([Buffer.of(2, value.length), value]);
  };
  const both = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, both.length), both]);
}
