import { makeProof, signCompact } from '../support/dpop.js';
import { authority } from '../support/sidecar.js';
import { type Caller, type Cast, type Listening, pathPrefix, type RouteRule, routes } from './deployment.js';
import { hidden } from './dictionary.js';
import { type Told, writeFrontFields } from './front-fields.js';
import type { Random } from './random.js';

/** A request in the parts that mutations work on. */
export interface Draft {
  method: string;
  target: string;
  version: string;
  /** field lines */
  fields: string[];
  /** as on the wire, with chunk framing */
  body: string;
}

/** What a proof that was rightly made is good for. */
export interface GoodProof {
  readonly caller: Caller;
  readonly method: string;
  /** with the path as it was sent */
  readonly uri: string;
}

/** What the writer of requests needs to know and keeps. */
export interface Desk {
  readonly cast: Cast;
  readonly listening: Listening;
  /** the address that the connection comes from */
  readonly peer: string;
  /** by origin */
  readonly nonces: ReadonlyMap<string, string>;
  /** the certificate that the connection shows */
  readonly holder: Caller | undefined;
  /** every proof that is good for something, the latest last */
  readonly proofs: Map<string, GoodProof>;
  /** what fronts have written about certificates */
  readonly told: Map<string, Told>;
}

export function assemble({ method, target, version, fields, body }: Draft): string {
  return [`${method} ${target} ${version}`, ...fields, '', body].join('\r\n');
}

const methods = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'] as const;
const rareMethods = ['PROPFIND', 'M-SEARCH', 'TRACE', 'QUERY', 'PURGE', 'SOURCE', 'CONNECT', 'get'] as const;
const segments = [
  'a',
  'orders',
  '42',
  'x.y',
  'a%20b',
  '~tilde',
  'caf%C3%A9',
  "it's",
  '%7Bid%7D',
  'a,b',
] as const;

/** A request that is sound HTTP, mostly with the credentials that its route asks for. @param mark - makes it unlike any other */
export function draftRequest(random: Random, desk: Desk, mark: string): Draft {
  const route = random.pick(routes as [RouteRule, ...RouteRule[]]);
  const prefix = route.path.replace('/**', '');
  const rest = random.some(0.3, segments).map((segment) => `/${segment}`);
  const slash = route.encodedSlashes === 'pass' && random.chance(0.5) ? '/a%2Fb' : '';
  const query = random.chance(0.3) ? `?q=${random.text(random.below(12), 'abc%20&=;/?+')}` : '';
  const path = random.chance(0.02)
    ? '/.well-known/oauth-protected-resource'
    : `${prefix}${slash}${rest.join('')}/${mark}`;
  const fitting = route.methods?.filter((name) => methods.some((known) => known === name)) ?? [];
  const isUpgrade = route.websocket === true && random.chance(0.7);
  const method = isUpgrade
    ? 'GET'
    : fitting[0] !== undefined && random.chance(0.8)
      ? random.pick(fitting as [string, ...string[]])
      : random.chance(0.95)
        ? random.pick(methods)
        : random.pick(rareMethods);
  const draft: Draft = {
    method,
    target: path + query,
    version: random.chance(0.97) ? 'HTTP/1.1' : 'HTTP/1.0',
    fields: [`Host: ${authority}`, ...random.some(0.12, ordinaryFields), ...random.some(0.03, forgedFields)],
    body: '',
  };
  const { fields, holder, origin } = writeFrontFields(random, desk, mark);
  const uri = `${origin}${pathPrefix[desk.listening]}${path}`;
  const nonce = desk.nonces.get(origin) ?? '';
  draft.fields.push(
    ...credentials(random, { ...desk, holder }, { method, path, uri, nonce, proof: route.proof }),
  );
  draft.fields.push(...fields);
  if (isUpgrade) draftUpgrade(random, draft);
  else addBody(random, draft);
  return draft;
}

const ordinaryFields = [
  'Accept: */*',
  'Cookie: session=s3cr3t-cookie-value',
  'Content-Type: application/json',
  'X-Trace: abc',
  'x-trace: def',
  'X-Empty:',
  'X-Odd-Value: a, "b;c", \xe9\xff',
  'Accept-Encoding: gzip, br',
  'User-Agent: fuzz/1',
  'If-None-Match: "x"',
  'Range: bytes=0-3',
  'Connection: keep-alive',
  'Connection: close',
  'Origin: https://app.example',
  'Access-Control-Request-Method: POST',
  'Expect: 100-continue',
  'Via: 1.1 front',
  'Max-Forwards: 5',
  'Transfer-Extension: chunked',
] as const;

/** What only Holdfast may say, and what would have it say less. */
export const forgedFields = [
  'X-Auth-Subject: root',
  'x-auth-key: forged',
  'X-AUTH-PROOF: dpop',
  'X_Auth_Subject: root',
  'X.Auth.Subject: root',
  'X-Auth-Assertion: eyJhbGciOiJub25lIn0.e30.',
  'X-Internal-Role: admin',
  'Remote-User: root',
  'X-Forwarded-For: 10.0.0.1',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil.example',
  'Forwarded: for=10.0.0.1',
  'X-Real-IP: 10.0.0.1',
  'X-Original-URL: /protected/admin',
  'X-Rewrite-URL: /protected/admin',
  'X-HTTP-Method-Override: DELETE',
  'Client-Cert: :AAAA:',
  'X-SSL-Client-Verify: SUCCESS',
  'X-Request-Id: forged',
  'Proxy-Authorization: Basic cm9vdDpyb290',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'Trailer: X-Auth-Subject',
  'Keep-Alive: timeout=1',
  'Upgrade: websocket',
  'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'Connection: X-Auth-Subject, X-Trace',
  'Connection: close, X-Auth-Key',
  'Connection: upgrade',
  'Max-Forwards: 0',
  'Via: 1.0 a, 1.1 holdfast',
] as const;

interface Need {
  readonly method: string;
  readonly path: string;
  /** the same as its clients know it, without a query */
  readonly uri: string;
  readonly nonce: string;
  readonly proof: RouteRule['proof'];
}

function credentials(random: Random, desk: Desk, need: Need): string[] {
  if (need.proof === 'none' && random.chance(0.8)) return [];
  if (random.chance(0.12)) return badCredentials(random, desk, need);
  const caller = chooseCaller(random, desk, need);
  const { key, token } = caller;
  if (key === undefined || (caller.certificate === desk.holder?.certificate && random.chance(0.1)))
    return [`Authorization: Bearer ${token}`];
  const proof = goodProof(random, desk, { ...need, caller });
  return [`Authorization: DPoP ${token}`, `DPoP: ${proof}`];
}

function chooseCaller(random: Random, { cast, holder }: Desk, { path, proof }: Need): Caller {
  const [first, ...others] = cast.callers;
  if (first === undefined) throw new Error('no callers');
  // Clients of the same name, each of an issuer of its own.
  const alike = (client: string) =>
    random.pick([first, ...cast.callers.filter((one) => one.client === client)]);
  if (path.startsWith('/legacy') && random.chance(0.5)) return alike('legacy');
  if (path.startsWith('/own') && random.chance(0.8)) return alike('shop');
  if (holder !== undefined && (proof === 'mtls' || proof === 'both' || random.chance(0.3))) return holder;
  return random.chance(0.9)
    ? random.chance(0.5)
      ? first
      : (others[0] ?? first)
    : random.pick([first, ...others]);
}

function goodProof(
  random: Random,
  desk: Desk,
  { caller, method, uri, nonce }: Need & { caller: Caller },
): string {
  const { key, token } = caller;
  if (key === undefined) throw new Error(`${caller.client} holds no key`);
  const jti = random.text(16, 'abcdefghijklmnopqrstuvwxyz0123456789');
  const proof = makeProof({
    ...{ key, method, uri, token, claims: { jti } },
    ...(random.chance(0.9) && { nonce }),
  });
  desk.proofs.set(proof, { caller, method, uri });
  return proof;
}

/** Credentials that must not pass, each for a reason of its own; or that have passed before. */
function badCredentials(random: Random, desk: Desk, need: Need): string[] {
  const { cast } = desk;
  const { method, uri, nonce } = need;
  const [caller] = cast.callers;
  if (caller?.key === undefined) throw new Error('the first caller holds a key');
  const { key, token } = caller;
  const now = Math.floor(Date.now() / 1000);
  const good = { key, method, uri, token, nonce };
  const withProof = (proof: string) => [`Authorization: DPoP ${token}`, `DPoP: ${proof}`];
  const sound = () => goodProof(random, desk, { ...need, caller });
  const replayed = [...desk.proofs.keys()].at(-1 - random.below(8));
  const cases: readonly [() => string[], ...(() => string[])[]] = [
    () => [],
    () => [`Authorization: Bearer ${token}`],
    () => withProof(makeProof({ ...good, key: cast.strangerKey })),
    () => withProof(makeProof({ ...good, method: method === 'GET' ? 'POST' : 'GET' })),
    () => withProof(makeProof({ ...good, uri: `${good.uri}x` })),
    () => withProof(makeProof({ ...good, claims: { iat: now - 3600 } })),
    () => withProof(makeProof({ ...good, claims: { ath: 'A'.repeat(43) } })),
    () => withProof(makeProof({ ...good, header: { typ: 'JWT' } })),
    () => withProof(makeProof({ ...good, header: { alg: 'none' } })),
    // Each of the two would do, and a mutation may take the other away.
    () => [...withProof(sound()), `DPoP: ${sound()}`],
    () => [...withProof(sound()), `Authorization: DPoP ${token}`],
    () => {
      const forged = signCompact(cast.strangerKey.privateKey, { typ: 'at+jwt', alg: 'ES256', kid: 'k1' }, {});
      return [`Authorization: DPoP ${forged}`, `DPoP: ${makeProof({ ...good, token: forged })}`];
    },
    () => withProof(replayed ?? 'none'),
  ];
  return random.pick(cases)();
}

/** An opening handshake, and what the client does not wait to send behind it: frames, or what would be a request. */
function draftUpgrade(random: Random, draft: Draft): void {
  draft.fields = draft.fields.filter((line) => !/^(?:connection|expect):/i.test(line) || random.chance(0.1));
  const key = Buffer.from(random.text(16, 'abcdefghijklmnopqrstuvwxyz')).toString('base64');
  draft.fields.push(
    random.pick(['Connection: Upgrade', 'Connection: Upgrade', 'connection: keep-alive, upgrade']),
    random.pick(['Upgrade: websocket', 'Upgrade: websocket', 'upgrade: WebSocket']),
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    ...random.some(0.2, ['Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Extensions: permessage-deflate']),
  );
  draft.body = random.pick([
    '',
    hidden,
    random.text(random.below(200), '\x81\x82\0\xff \r\nabc'),
    random.text(random.pick([5000, 70_000]), '\x81\x82\0\xff \r\nabc'),
  ]);
}

function addBody(random: Random, draft: Draft): void {
  const { method, fields } = draft;
  // On every method: what a service does not expect it may leave unread.
  if (!random.chance(method === 'GET' || method === 'HEAD' ? 0.2 : 0.6)) return;
  const length = random.chance(0.9) ? random.below(200) : random.below(20_000);
  // A body that would be a request of its own, if anybody read it as one.
  const content = random.chance(0.2) ? hidden : random.text(length, 'abcdef0123456789 \r\n\0\xff');
  if (random.chance(0.5) || draft.version === 'HTTP/1.0') {
    fields.push(`Content-Length: ${content.length}`);
    draft.body = content;
    return;
  }
  fields.push('Transfer-Encoding: chunked');
  for (let at = 0; at < content.length; ) {
    const size = random.between(1, Math.min(content.length - at, random.pick([1, 7, 64, 4096])));
    const extension = random.chance(0.05) ? ';name=value' : '';
    draft.body += `${size.toString(16)}${extension}\r\n${content.slice(at, at + size)}\r\n`;
    at += size;
  }
  const trailer = random.chance(0.1) ? 'X-Auth-Subject: trailer\r\n' : '';
  draft.body += `0\r\n${trailer}\r\n`;
}
