import { X509Certificate } from 'node:crypto';
import type { IssuedCertificate } from '../support/certificates.js';
import { clientCert, envoyEscaped } from '../support/client-cert-dialects.js';
import { authority } from '../support/sidecar.js';
import {
  type Caller,
  type Cast,
  type Dialect,
  fronts,
  type Listening,
  origins,
  type Stranger,
} from './deployment.js';
import type { Random } from './random.js';

/** The certificate that a field tells of which a front has written; undefined: none, or one that is not trusted */
export type Told = IssuedCertificate | undefined;

/** What a front says about the client of one request. */
export interface FrontWord {
  /** field lines */
  readonly fields: readonly string[];
  /** who has the certificate of which it tells */
  readonly holder: Caller | undefined;
  readonly origin: string;
}

interface FrontDesk {
  readonly cast: Cast;
  readonly listening: Listening;
  readonly peer: string;
  readonly holder: Caller | undefined;
  /** every X-Forwarded-Client-Cert that was written: in truth, not as it can be read */
  readonly told: Map<string, Told>;
}

const clients = [
  '203.0.113.9',
  '10.6.6.6, 203.0.113.9',
  'unknown, 203.0.113.10:4711, 127.0.0.3',
  '203.0.113.11, 127.0.0.2,127.0.0.3',
  '[2001:db8::9]:4711',
  '127.0.0.2',
] as const;

/**
 * Fields as the peer writes them that is a front; as a client forges them that is none, which then say nothing.
 * @param mark - makes the request unlike any other
 */
export function writeFrontFields(random: Random, desk: FrontDesk, mark: string): FrontWord {
  const { cast, listening, peer } = desk;
  const [origin] = origins[listening];
  const dialect = fronts.get(peer);
  const isForged = dialect === undefined;
  if (isForged && (listening !== 'front' || random.chance(0.6)))
    return { fields: [], holder: desk.holder, origin };
  const fields: string[] = [];
  const named = random.pick([undefined, ...origins.front, ...origins.front]);
  if (named !== undefined) {
    const [scheme, host] = named.split('://');
    fields.push(`X-Forwarded-Proto: ${scheme}`);
    if (host !== authority || random.chance(0.3)) fields.push(`X-Forwarded-Host: ${host}`);
  }
  for (const hops of random.some(0.3, clients)) fields.push(`X-Forwarded-For: ${hops}`);
  if (random.chance(0.4)) fields.push(`X-Request-Id: ${mark}-${random.text(12, 'abcdef0123456789!~"')}`);
  const holder = cast.callers[random.pick([0, 2, 2, 3, 3])];
  const owner = random.chance(0.8) ? holder : random.pick([cast.elsewhere, ...cast.strangers]);
  fields.push(...writeCertificate(random, desk, { dialect: dialect ?? 'rfc9440', owner }));
  return isForged
    ? { fields, holder: desk.holder, origin }
    : {
        fields,
        holder: owner === holder && holder?.certificate ? holder : undefined,
        origin: named ?? origin,
      };
}

interface Shown {
  readonly dialect: Dialect;
  /** whose certificate it is; one who has none shows none */
  readonly owner: Caller | Stranger | undefined;
}

function writeCertificate(random: Random, { cast, told }: FrontDesk, { dialect, owner }: Shown): string[] {
  const hasChain = random.chance(0.2);
  if (dialect === 'rfc9440') {
    if (owner?.certificate === undefined) return [];
    const chain = hasChain ? [`Client-Cert-Chain: ${chainOf(cast)}`] : [];
    return [`Client-Cert: ${clientCert(owner.certificate)}`, ...chain];
  }
  if (owner?.certificate === undefined && random.chance(0.6)) return [];
  const value = writeXfcc(random, cast, { owner, hasChain });
  told.set(
    value,
    cast.certificates.find((one) => one === owner?.certificate),
  );
  return [`X-Forwarded-Client-Cert: ${value}`];
}

function chainOf({ ca }: Cast): string {
  return clientCert({ der: new X509Certificate(ca.certPem).raw });
}

/**
 * As Envoy does it: keys in its order, names of certificates unquoted and as they are, and what the client has sent in front,
 * who knows all certificates and wants to pass for their owners.
 */
function writeXfcc(
  random: Random,
  cast: Cast,
  { owner, hasChain }: Omit<Shown, 'dialect'> & { hasChain: boolean },
): string {
  const own = owner?.certificate?.certPem;
  const names =
    owner !== undefined && 'name' in owner ? [`DNS=${owner.name}`] : ['DNS=shop.test', 'URI=spiffe://shop/a'];
  const element = [
    'By=spiffe://front',
    'Hash=00',
    ...(own === undefined ? [] : [`Cert="${envoyEscaped(own)}"`]),
    ...(own !== undefined && hasChain ? [`Chain="${envoyEscaped(own, cast.ca.certPem)}"`] : []),
    ...random.some(0.2, ['Subject="CN=a"', 'Subject="CN=\\"a\\",Hash=1"']).slice(0, 1),
    ...random.some(0.5, names),
  ].join(';');
  const victim = envoyEscaped(cast.callers[random.pick([2, 3])]?.certificate?.certPem ?? '');
  const before = [
    `Hash=00;Cert="${victim}"`,
    `Hash=00;DNS=${random.pick([cast.elsewhere, ...cast.strangers]).name}`,
    'Hash=00;Subject="CN=a',
    'Hash=00',
  ] as const;
  return random.chance(0.15) ? `${random.pick(before)},${element}` : element;
}
