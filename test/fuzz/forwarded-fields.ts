import { type RequestMessage, switchesToWebsocket } from './message.js';

/**
 * Names that a client has no say in, as docs/http.md and the requirements list them: written down here once more, so that
 * the product's own list is not what the product is held against.
 */
const protectedNames = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...[
    'proxy-authenticate',
    'proxy-authentication-info',
    'http2-settings',
    'host',
    'content-length',
    'expect',
    'via',
  ],
  ...[
    'max-forwards',
    'authorization',
    'dpop',
    'proxy-authorization',
    'forwarded',
    'x-real-ip',
    'x-rewrite-url',
  ],
  ...[
    'x-http-method-override',
    'client-cert',
    'client-cert-chain',
    'x-request-id',
    'x-internal-role',
    'proxy',
  ],
  'close',
  ...['x-http-method', 'x-method-override', 'x-client-ip', 'x-cluster-client-ip', 'true-client-ip', 'x-host'],
]);
const protectedFamilies = ['x-forwarded', 'x-original-', 'x-ssl-', 'ssl-client-', 'remote-', 'x-remote-'];
const identityNames = [
  'subject',
  'type',
  'client',
  'issuer',
  'scope',
  'proof',
  'key',
  'exception',
  'assertion',
];
for (const name of identityNames) protectedNames.add(`x-auth-${name}`);

export function isProtected(name: string): boolean {
  const lower = name.toLowerCase();
  return protectedNames.has(lower) || protectedFamilies.some((family) => lower.startsWith(family));
}

/** What of the client's fields has to reach the service: in order, one spelling a name; in an upgrade those of one name together. */
export function endToEndFields(message: RequestMessage): string[] {
  const passed = passedFields(message);
  if (!switchesToWebsocket(message)) return passed.map(({ line }) => line);
  const groups = new Map<string, string[]>();
  for (const { name, line } of passed) {
    const [first, ...others] = groups.get(name) ?? [];
    // Node makes one line of all cookies, as a client would have it. @see RFC 6265 §5.4
    if (name === 'cookie' && first !== undefined) groups.set(name, [`${first}; ${line.slice(8)}`]);
    else groups.set(name, first === undefined ? [line] : [first, ...others, line]);
  }
  return [...groups.values()].flat();
}

function passedFields({ fields, all }: RequestMessage): { readonly name: string; readonly line: string }[] {
  const nominated = new Set(
    all('connection').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase())),
  );
  const spelling = new Map<string, string>();
  const passed: { name: string; line: string }[] = [];
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (!/^[A-Za-z0-9-]+$/.test(name) || isProtected(name) || nominated.has(lower)) continue;
    if (!spelling.has(lower)) spelling.set(lower, name);
    passed.push({ name: lower, line: `${spelling.get(lower)}: ${value}` });
  }
  return passed;
}

/** The fields at the service that are not Holdfast's own. */
export function foreignFields({ fields }: RequestMessage): string[] {
  return fields.filter(([name]) => !isProtected(name)).map(([name, value]) => `${name}: ${value}`);
}
