import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { readingsOf } from '../hostile/readings.js';
import { authority } from '../support/sidecar.js';
import type { SentRequest } from './client.js';
import {
  assertionAudience,
  type Caller,
  type Cast,
  exceptionId,
  type Listening,
  originOf,
  routes,
} from './deployment.js';
import { endToEndFields, foreignFields } from './forwarded-fields.js';
import type { RequestMessage } from './message.js';
import type { GoodProof } from './requests.js';
import type { Arrival } from './service.js';

/** A `request` event, with the deployment that wrote it. */
export interface LoggedRequest {
  readonly listening: Listening;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An arrival beside what it has to agree with. */
export interface Evidence {
  readonly arrival: Arrival;
  readonly sent: SentRequest;
  readonly logged: LoggedRequest;
  /** whose certificate the connection showed */
  readonly holder: Caller | undefined;
}

export interface Ground {
  readonly cast: Cast;
  readonly proofs: ReadonlyMap<string, GoodProof>;
  /** public keys of the assertions */
  readonly assertionKeys: Readonly<Record<Listening, JsonWebKey>>;
}

/** What the credentials of a request entitle to. */
interface Grant {
  readonly label: string;
  readonly caller: Caller | undefined;
  readonly key: string | undefined;
}

/** @returns everything in which the arrival is not the request that was sent, logged and proven */
export function judgeArrival(evidence: Evidence, ground: Ground): string[] {
  const { arrival, sent, logged } = evidence;
  const grant = judgeGrant(evidence, ground);
  if (typeof grant === 'string') return [grant];
  return [
    ...judgeMessage(arrival, sent),
    ...judgeLog(arrival, logged, grant),
    ...judgePath(arrival.message, logged),
    ...judgeFields(evidence, grant),
    ...judgeAssertion(evidence, grant, ground),
  ];
}

function judgeMessage({ message, whole }: Arrival, sent: SentRequest): string[] {
  const client = sent.message;
  const found: string[] = [];
  if (message.method !== client.method || message.target !== client.target)
    found.push(`request line differs from what was sent: ${client.line}`);
  if (whole ? message.body !== client.body || !sent.whole : !client.body.startsWith(message.body))
    found.push('body differs from what was framed');
  const bodiless = client.framing === 'none' || (client.framing === 'length' && client.body === '');
  if (bodiless ? message.body !== '' : message.framing !== client.framing) found.push('framing differs');
  return found;
}

function judgeLog(
  { message, whole }: Arrival,
  { fields }: LoggedRequest,
  { label, caller, key }: Grant,
): string[] {
  const [path] = message.target.split('?', 1);
  const expected = { method: message.method, path, proof: label, client: caller?.client, key };
  const found = Object.entries(expected)
    .filter(([name, value]) => fields[name] !== value)
    .map(
      ([name, value]) =>
        `${name} in the log is ${JSON.stringify(fields[name])}, not ${JSON.stringify(value)}`,
    );
  if (whole && fields.outcome === 'refused') found.push(`logged as refused: ${String(fields.reason)}`);
  return found;
}

/** The route is the one that the path names, in every reading; and it lets this kind of proof pass. */
function judgePath({ target, method }: RequestMessage, { fields }: LoggedRequest): string[] {
  const [path = ''] = target.split('?', 1);
  const route = routes.find((one) => one.path === fields.route);
  if (route === undefined) return [`forwarded on the route ${String(fields.route)}`];
  const own = prefixOf(route.path);
  const found: string[] = [];
  const readings = /[%;\\A-Z]|\/[/.]/.test(path) ? [...readingsOf(path)] : [path];
  for (const other of routes.map((one) => prefixOf(one.path)).filter((prefix) => prefix !== own)) {
    const reading = readings.find((one) => one === other || one.startsWith(`${other}/`));
    if (reading !== undefined) found.push(`forwarded as ${own}, but readable as ${reading}`);
  }
  const { proof, methods } = route;
  const isPreflight = route.preflight === 'forward' && method === 'OPTIONS' && fields.proof === 'none';
  const fits =
    proof === fields.proof ||
    isPreflight ||
    (proof !== 'none' && fields.proof === 'dpop+mtls') ||
    (proof === 'any' && (fields.proof === 'dpop' || fields.proof === 'mtls')) ||
    (own === '/legacy' && fields.proof === 'exception');
  if (!fits) found.push(`proof ${String(fields.proof)} passed on ${own}`);
  if (methods !== undefined && !methods.includes(method) && !isPreflight)
    found.push(`${method} passed on ${own}`);
  return found;
}

function prefixOf(path: string): string {
  return path.replace('/**', '');
}

/** @returns what was proven; or why nothing was, although the request arrived */
function judgeGrant({ sent, logged, holder }: Evidence, { cast, proofs }: Ground): Grant | string {
  if (logged.fields.proof === 'none') return { label: 'none', caller: undefined, key: undefined };
  const { all, method, target } = sent.message;
  const [authorization = '', ...others] = all('authorization');
  const [, scheme = '', token = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  const caller = cast.callers.find((one) => one.token === token);
  if (caller === undefined || others.length > 0) return 'arrived without a token that anybody was given';
  const showsItsCertificate = caller.certificate !== undefined && caller.certificate === holder?.certificate;
  const x5t = showsItsCertificate ? caller.certificate?.thumbprint : undefined;
  if (scheme.toLowerCase() === 'bearer') {
    if (caller.key === undefined && caller.certificate === undefined)
      return { label: 'exception', caller, key: undefined };
    if (x5t !== undefined && caller.key === undefined) return { label: 'mtls', caller, key: x5t };
    return 'a bound token arrived as bearer token';
  }
  const [proof = '', ...more] = all('dpop');
  const good = proofs.get(proof);
  const [path = ''] = target.split('?', 1);
  const fits =
    good !== undefined &&
    more.length === 0 &&
    good.caller === caller &&
    good.method === method &&
    normalized(good.uri) === normalized(originOf(logged.listening) + path);
  if (!fits) return 'arrived without a proof that was made for it';
  if (caller.certificate !== undefined && !showsItsCertificate)
    return 'arrived without the certificate of its token';
  return { label: x5t === undefined ? 'dpop' : 'dpop+mtls', caller, key: caller.key?.jkt };
}

/** @see RFC 3986 §6.2.2.1, §6.2.2.2 */
function normalized(uri: string): string {
  return uri.replace(/%([0-9a-f]{2})/gi, (encoded, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

function judgeFields({ arrival, sent, logged }: Evidence, { label, caller, key }: Grant): string[] {
  const { message } = arrival;
  const client = sent.message;
  const found: string[] = [];
  const expected: Record<string, string | undefined> = {
    host: authority,
    via: [...client.all('via'), `${client.version} ${pseudonymOf(message)}`].join(', '),
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': originOf(logged.listening).split(':', 1)[0],
    'x-forwarded-host': authority,
    'x-auth-proof': label,
    'x-auth-subject': caller && encodePercent(caller.subject),
    'x-auth-type': caller && 'user',
    'x-auth-client': caller?.client,
    'x-auth-issuer': caller && 'https://as.test',
    'x-auth-scope': caller && 'read write',
    'x-auth-key': key,
    'x-auth-exception': label === 'exception' ? exceptionId : undefined,
  };
  for (const [name, value] of Object.entries(expected)) {
    const values = message.all(name);
    if (values.length !== (value === undefined ? 0 : 1) || values[0] !== value)
      found.push(`${name} is ${JSON.stringify(values)}, not ${JSON.stringify(value)}`);
  }
  const [connection = 'keep-alive', ...more] = message.all('connection');
  if (more.length > 0 || !/^(?:keep-alive|close)$/.test(connection))
    found.push(`connection is ${connection}`);
  const may = new Set([...Object.keys(expected), 'x-auth-assertion', 'connection', 'x-request-id']);
  const framing = ['content-length', 'transfer-encoding', 'max-forwards'];
  for (const [name] of message.fields) {
    const lower = name.toLowerCase();
    if (may.has(lower) || framing.includes(lower)) continue;
    if (!foreignFields({ ...message, fields: [[name, '']] })[0]) found.push(`protected field ${name}`);
  }
  const [foreign, passed] = [foreignFields(message), endToEndFields(client)];
  if (JSON.stringify(foreign) !== JSON.stringify(passed))
    found.push(`fields ${JSON.stringify(foreign)}, not ${JSON.stringify(passed)}`);
  return found;
}

function pseudonymOf({ all }: RequestMessage): string {
  return all('via')[0]?.split(' ').at(-1) ?? '';
}

/** The configured encoding, apart from the product's. */
function encodePercent(text: string): string {
  return [...Buffer.from(text)]
    .map((byte, index, all) => {
      const atEnd = index === 0 || index === all.length - 1;
      const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25 && !(byte === 0x20 && atEnd);
      return plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function judgeAssertion(
  { arrival, logged }: Evidence,
  { label, caller, key }: Grant,
  ground: Ground,
): string[] {
  const [assertion, ...more] = arrival.message.all('x-auth-assertion');
  if (caller === undefined) return assertion === undefined ? [] : ['an assertion about nobody'];
  if (assertion === undefined || more.length > 0) return ['not one assertion'];
  const [header = '', payload = '', signature = ''] = assertion.split('.');
  const publicKey = createPublicKey({ key: ground.assertionKeys[logged.listening], format: 'jwk' });
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  const { method, target } = arrival.message;
  const [path = ''] = target.split('?', 1);
  const { aud, sub, client_id, pop, req } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const said = JSON.stringify({ aud, sub, client_id, pop, req });
  const expected = JSON.stringify({
    aud: assertionAudience,
    sub: caller.subject,
    client_id: caller.client,
    pop: { method: label, key },
    req: { method, path_sha256: createHash('sha256').update(path).digest('base64url') },
  });
  return isSigned && said === expected
    ? []
    : [`assertion says ${said}, not ${expected}, signed: ${isSigned}`];
}
