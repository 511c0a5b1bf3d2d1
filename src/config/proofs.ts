import type * as z from 'zod';
import type { DpopConfig, ReplayConfig } from './config.js';
import type { Context } from './context.js';
import { choice, choiceOrOff, file, integer, list, section, wholeSeconds } from './scalars.js';

const minSecretBytes = 32;
// 32 random bytes have some 30 distinct ones, in hexadecimal some 14.
const minDistinctBytes = 8;

const algorithms = choice(['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA', 'Ed25519']);

export const dpopSchema = section({
  algorithms: list(algorithms, 'a list of at least one algorithm', 1)
    .prefault(['ES256', 'PS256', 'EdDSA'])
    .describe('Accepted signature algorithms of proofs.'),
  maxAge: wholeSeconds({ min: '5s', max: '300s' }).prefault('60s').describe('How old a proof may be.'),
  clockSkew: wholeSeconds({ min: '0s', max: '60s' })
    .prefault('10s')
    .describe('How far in the future `iat` may lie.'),
  nonce: choiceOrOff(['off', 'required'])
    .prefault('off')
    .describe('Whether every proof needs a nonce of ours.'),
  nonceLifetime: wholeSeconds({ min: '10s', max: '1h' })
    .prefault('5m')
    .describe('How long a nonce is accepted after it was issued. A new one is issued at most once a second.'),
  nonceSecret: file(`at least ${minSecretBytes} random bytes`, { secret: true })
    .optional()
    .describe(
      'Secret that replicas share, so that each takes the nonces of all. Absent: random per process.',
    ),
});

export const replaySchema = section({
  store: choice(['memory'], ['redis']).prefault('memory').describe('Where used proofs are remembered.'),
  capacity: integer(1, 10_000_000)
    .prefault(1_000_000)
    .describe('Live proofs that are remembered. Full means refuse, never forget.'),
  perKey: integer(1, 10_000_000).prefault(100_000).describe('The same for the proofs of one key.'),
  perClient: integer(1, 10_000_000)
    .optional()
    .describe(
      'The same for the proofs of one client of an issuer, over all of its keys. Absent: half of `capacity`, and `perKey` at least.',
    ),
});

export function resolveDpop(settings: z.output<typeof dpopSchema>, { files, report }: Context): DpopConfig {
  const { algorithms, nonce, nonceSecret } = settings;
  const path = ['dpop', 'nonceSecret'];
  const before = report.problems.length;
  const secret = nonceSecret === undefined ? undefined : files.read(path, nonceSecret, true);
  if (secret !== undefined && secret.length < minSecretBytes && report.problems.length === before) {
    report.problem(path, `the file holds ${secret.length} bytes; expected at least ${minSecretBytes}`);
  } else if (secret !== undefined && report.problems.length === before && isRepetitive(secret)) {
    report.problem(
      path,
      `the file holds a constant or a repetition; expected at least ${minSecretBytes} random bytes`,
    );
  }
  return {
    algorithms,
    maxAgeSeconds: settings.maxAge,
    clockSkewSeconds: settings.clockSkew,
    nonce,
    nonceLifetimeSeconds: settings.nonceLifetime,
    nonceSecret: secret,
  };
}

/** Nobody's random bytes: a few values only, or one piece again and again. Says nothing good of those that pass. */
function isRepetitive(secret: Buffer): boolean {
  const bytes = [...secret.toString('latin1').trimEnd()];
  if (new Set(bytes).size < minDistinctBytes) return true;
  const isPeriod = (period: number) => bytes.every((byte, at) => at < period || byte === bytes[at - period]);
  return Array.from({ length: minSecretBytes / 2 }, (_, at) => at + 1).some(isPeriod);
}

export function resolveReplay(settings: z.output<typeof replaySchema>, { report }: Context): ReplayConfig {
  if (settings.perKey > settings.capacity) report.illegal(['replay', 'perKey'], 'at most replay.capacity');
  const { capacity, perKey, perClient = Math.max(perKey, Math.ceil(capacity / 2)) } = settings;
  if (settings.perClient !== undefined && perClient > capacity)
    report.illegal(['replay', 'perClient'], 'at most replay.capacity');
  return { ...settings, perClient };
}
