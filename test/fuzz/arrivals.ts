import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { readingsOf } from '../hostile/readings.js';
import { clientCert } from '../support/client-cert-dialects.js';
import type { Case } from './cases.js';
import type { SentRequest } from './client.js';
import {
  assertionAudience,
  type Caller,
  type Cast,
  exceptionId,
  exceptionIssuers,
  type Listening,
  type RouteRule,
  routes,
} from './deployment.js';
import { endToEndFields, foreignFields } from './forwarded-fields.js';
import type { Told } from './front-fields.js';
import { type RequestMessage, switchesToWebsocket } from './message.js';
import type { GoodProof } from './requests.js';
import { type Arrival, isOurs } from './service.js';
import { hostOf, readVouched, type Vouched } from './vouched.js';

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
  /** in which it was sent */
  readonly case: Case;
}

/** The same with who is known to stand behind it. */
interface Judged extends Omit<Evidence, 'case'> {
  readonly vouched: Vouched;
}

export interface Ground {
  readonly cast: Cast;
  readonly proofs: ReadonlyMap<string, GoodProof>;
  readonly told: ReadonlyMap<string, Told>;
  /** public keys of the assertions */
  readonly assertionKeys: ReadonlyMap<Listening, JsonWebKey>;
}

/** What the credentials of a request entitle to. */
interface Grant {
  readonly label: string;
  readonly caller: Caller | undefined;
  readonly key: string | undefined;
}

/** @returns everything in which the arrival is not the request that was sent, logged and proven */
export function judgeArrival(evidence: Evidence, ground: Ground): string[] {
  const { arrival, sent, logged, case: one } = evidence;
  const vouched = readVouched(sent.message, one, ground);
  if (typeof vouched === 'string') return [vouched];
  const judged = { arrival, sent, logged, vouched };
  const grant = judgeGrant(judged, ground);
  if (typeof grant === 'string') return [grant];
  return [
    ...judgeMessage(arrival, sent),
    ...judgeUpgrade(judged, one),
    ...judgeLog(judged, grant, one),
    ...judgePath(arrival.message, logged),
    ...judgeCaller(grant, routeOf(logged)),
    ...judgeFields(judged, grant),
    ...judgeAssertion(arrival, logged, { grant, ground }),
  ];
}

/** An upgrade is one for both sides, on a route that allows it, and carries what followed it and nothing else. */
function judgeUpgrade({ arrival, sent, logged }: Judged, { bytes }: Case): string[] {
  const [isAsked, isMade] = [sent.message, arrival.message].map(switchesToWebsocket);
  const found: string[] = [];
  if (isAsked !== isMade)
    found.push(isMade ? 'an upgrade that nobody asked for' : 'an upgrade that got lost');
  if (isMade && routeOf(logged)?.websocket !== true) found.push('upgrade on a route without WebSockets');
  if (isMade && `${sent.message.method} ${sent.message.version}` !== 'GET 1.1')
    found.push(`upgrade by ${sent.message.line}`);
  if (!bytes.startsWith(arrival.tunnelled, sent.end))
    found.push('the tunnel carried what the client did not send');
  return found;
}

function routeOf({ fields }: LoggedRequest): RouteRule | undefined {
  return routes.find(({ path }) => path === fields.route);
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
  { arrival: { message, whole }, logged: { fields }, vouched }: Judged,
  { label, caller, key }: Grant,
  { peer }: Case,
): string[] {
  const [path] = message.target.split('?', 1);
  const expected = {
    ...{ method: message.method, path, proof: label, key },
    ...{ client: caller?.client, issuer: caller?.issuer },
    remote_address: vouched.address || peer,
  };
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
function judgePath({ target, method }: RequestMessage, logged: LoggedRequest): string[] {
  const { fields } = logged;
  const [path = ''] = target.split('?', 1);
  const route = routeOf(logged);
  if (route === undefined) return [`forwarded on the route ${String(fields.route)}`];
  const own = prefixOf(route.path);
  const found: string[] = [];
  const readings = /[%;\\A-Z:(]|\/[/.]|\.|\+/.test(path) ? [...readingsOf(path)] : [path];
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

/** Names are names within one issuer. */
function judgeCaller({ label, caller }: Grant, route: RouteRule | undefined): string[] {
  if (caller === undefined || route === undefined) return [];
  const { issuers = label === 'exception' ? exceptionIssuers : [caller.issuer], clients = [caller.client] } =
    route;
  const { issuer, client, subject } = caller;
  return issuers.includes(issuer) && clients.includes(client)
    ? []
    : [`${client} (${subject}) of ${issuer} passed on ${route.path}`];
}

function prefixOf(path: string): string {
  return path.replace('/**', '');
}

/** @returns what was proven; or why nothing was, although the request arrived */
function judgeGrant({ sent, logged, vouched }: Judged, { cast, proofs }: Ground): Grant | string {
  if (logged.fields.proof === 'none') return { label: 'none', caller: undefined, key: undefined };
  const { all, method, target } = sent.message;
  const [authorization = '', ...others] = all('authorization');
  const [, scheme = '', token = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  const caller = cast.callers.find((one) => one.token === token);
  if (caller === undefined || others.length > 0) return 'arrived without a token that anybody was given';
  const { certificate, origin, prefix } = vouched;
  const showsItsCertificate = caller.certificate !== undefined && caller.certificate === certificate;
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
    normalized(good.uri) === normalized(origin + prefix + path);
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

function judgeFields({ arrival, sent, vouched }: Judged, { label, caller, key }: Grant): string[] {
  const { message } = arrival;
  const client = sent.message;
  const found: string[] = [];
  const { scheme, host } = hostOf(vouched);
  const isUpgrade = switchesToWebsocket(client);
  const certificate = caller && vouched.certificate;
  const expected: Record<string, string | undefined> = {
    host,
    upgrade: isUpgrade ? 'websocket' : undefined,
    via: [...client.all('via'), `${client.version} ${pseudonymOf(message)}`].join(', '),
    'x-forwarded-for': vouched.address || undefined,
    'x-forwarded-proto': scheme,
    'x-forwarded-host': host,
    'x-forwarded-prefix': vouched.prefix || undefined,
    'x-request-id': vouched.requestId ?? message.all('x-request-id').find(isOurs),
    'client-cert': certificate && clientCert(certificate),
    // No certificate stands between that of a client and its CA, whatever a front says.
    'client-cert-chain': undefined,
    'x-auth-proof': label,
    'x-auth-subject': caller && encodePercent(caller.subject),
    'x-auth-type': caller && 'user',
    'x-auth-client': caller?.client,
    'x-auth-issuer': caller?.issuer,
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
  if (more.length > 0 || !(isUpgrade ? /^Upgrade$/ : /^(?:keep-alive|close)$/).test(connection))
    found.push(`connection is ${connection}`);
  if (connection !== 'close' && hasBody(message) && (caller === undefined || bodiless.has(message.method)))
    found.push('a body that may stay unread came on a shared connection');
  const may = new Set([...Object.keys(expected), 'x-auth-assertion', 'connection']);
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

const bodiless: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'PURGE',
  'SOURCE',
  'M-SEARCH',
]);

function hasBody({ all }: RequestMessage): boolean {
  return all('transfer-encoding').length > 0 || all('content-length').some((length) => length !== '0');
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
  arrival: Arrival,
  { listening }: LoggedRequest,
  { grant: { label, caller, key }, ground }: { grant: Grant; ground: Ground },
): string[] {
  const [assertion, ...more] = arrival.message.all('x-auth-assertion');
  const jwk = ground.assertionKeys.get(listening);
  if (caller === undefined) return assertion === undefined ? [] : ['an assertion about nobody'];
  if (assertion === undefined || more.length > 0 || jwk === undefined) return ['not one assertion'];
  const [header = '', payload = '', signature = ''] = assertion.split('.');
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
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
