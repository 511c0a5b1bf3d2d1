import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import { VerificationQueue } from '#holdfast/jws/verification-queue.js';
import { type DpopContext, type DpopEvidence, type DpopOptions, DpopVerifier } from '#holdfast/proof/dpop.js';
import { NonceIssuer } from '#holdfast/proof/nonce.js';
import { sha256Base64url } from '#holdfast/support/digest.js';

/** A verifier with a clock that the test holds, and the issuer of its nonces. */
export function makeVerifier({
  nowSeconds = 1_800_000_000,
  startedAtMs = 0,
  nonces,
  ...changes
}: Partial<DpopOptions> & { nowSeconds?: number; startedAtMs?: number; nonces?: NonceIssuer } = {}) {
  const clock = {
    seconds: nowSeconds,
    nowMs: () => clock.seconds * 1000,
    steadyMs: () => clock.seconds * 1000,
    ...{ startedAtMs, unbrokenSinceMs: startedAtMs, forgottenBeforeMs: 0, relived: undefined },
  };
  const issuer = nonces ?? new NonceIssuer({ lifetimeMs: 300_000, clock });
  const options: DpopOptions = {
    algorithms: ['ES256', 'PS256', 'EdDSA'],
    maxAgeSeconds: 60,
    clockSkewSeconds: 10,
    nonceRequired: false,
    memoryBeginsAtStart: true,
    ...changes,
  };
  const verified: string[] = [];
  const verifications = new VerificationQueue({
    observer: { verified: (kind, result) => verified.push(`${kind} ${result}`) },
  });
  const dpop = new DpopVerifier(options, { clock, nonces: issuer, verifications });
  return {
    verifier: {
      /** Both steps, as the gate takes them. */
      async verify(fields: readonly string[], request: DpopContext): Promise<DpopEvidence> {
        const { boundKey } = request;
        const bound = boundKey === ownKey ? await namedKey(fields) : boundKey;
        return dpop.verify(dpop.read(fields, { ...request, boundKey: bound }));
      },
    },
    ...{ dpop, clock, verified, nonces: issuer },
  };
}

/** The token is bound to the key that the proof names, whatever that is. */
export const ownKey = 'the key of the proof';

async function namedKey([proof = '']: readonly string[]): Promise<string> {
  try {
    return await calculateJwkThumbprint(decodeProtectedHeader(proof).jwk ?? {}, 'sha256');
  } catch {
    return 'none';
  }
}

/** The request that the proofs of a test are made for. */
export const context: DpopContext = {
  method: 'GET',
  uri: 'https://api.example/orders',
  tokenDigest: sha256Base64url('an access token'),
  origin: 'https://api.example',
  boundKey: ownKey,
  token: { issuer: 'https://login.example', clientId: 'c1', usableUntilMs: 1_800_000_600_000 },
  remoteAddress: '192.0.2.1',
};

/** Claims that fit `context` at that time. */
export function claimsAt(iat = 1_800_000_000): { htm: string; htu: string; iat: number; ath: string } {
  return { htm: context.method, htu: context.uri, iat, ath: context.tokenDigest };
}
