import * as z from 'zod';
import { HeaderNames } from '../request/header-names.js';
import type { AssertionConfig, IdentityConfig, IdentityFact } from './config.js';
import type { Context } from './context.js';
import { parsePrivateKey } from './files.js';
import type { Path } from './path.js';
import { choice, choiceOrOff, file, list, listWords, section, text, wholeSeconds } from './scalars.js';

const facts = [
  'proof',
  'key',
  'issuer',
  'client',
  'type',
  'user',
  'exception',
] as const satisfies readonly IdentityFact[];

const nameLegal =
  'a header name of letters, digits and hyphens that has no other meaning on the way to the service';
const sourceLegal = `a claim name, or ${listWords(facts.map((fact) => `$${fact}`))}`;
const headersLegal = 'a mapping of header names to claims or facts';
const authorizationLegal = 'strip, bearer or { basic: FILE }';

/** Written by us in forms of their own, or read by the service as part of the message. */
const taken = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
];
const message = [
  'x-request-id',
  'client-cert',
  'client-cert-chain',
  'cookie',
  'content-type',
  'content-encoding',
  'range',
  'origin',
];
const reserved = new Set([...taken, ...message]);

const names = new HeaderNames([]);

const assertionSchema = section({
  header: text(nameLegal, isFreeName)
    .prefault('X-Auth-Assertion')
    .describe('Header that carries the assertion.'),
  key: file('a private key in PEM or as JWK').describe(
    'Signs the assertion: EC P-256 or P-384, Ed25519, or RSA of at least 2048 bits.',
  ),
  issuer: text('a name').prefault('holdfast').describe('`iss` of the assertion.'),
  audience: text('a name').describe('`aud` of the assertion: the service.'),
  lifetime: wholeSeconds({ min: '1s', max: '60s' })
    .prefault('60s')
    .describe('How long the service may take it.'),
});

export const identitySchema = section({
  headers: z
    .record(z.string(), text(sourceLegal, isSource), { error: headersLegal })
    .meta({ legal: headersLegal })
    .prefault({
      'X-Auth-Subject': 'sub',
      'X-Auth-Type': '$type',
      'X-Auth-Client': '$client',
      'X-Auth-Issuer': '$issuer',
      'X-Auth-Scope': 'scope',
      'X-Auth-Proof': '$proof',
      'X-Auth-Key': '$key',
    })
    .describe(
      'Header fields the service gets, and where each value comes from: a claim of the token, or a fact that starts with `$`.',
    ),
  encoding: choice(['percent', 'base64url', 'refuse'])
    .prefault('percent')
    .describe(
      'What becomes of values that are not printable ASCII. `percent` is reversible: `%` is encoded too.',
    ),
  strip: list(text(nameLegal, isStrippable), 'a list of header names')
    .prefault([])
    .describe('Further names that only this gateway may write. A built-in list is always stripped.'),
  authorization: z
    .union(
      [
        choice(['strip', 'bearer']),
        section({ basic: file('one line user:password', { secret: true }).describe('`user:password`.') }),
      ],
      {
        error: authorizationLegal,
      },
    )
    .meta({ legal: authorizationLegal })
    .prefault('strip')
    .describe(
      "What the service gets as `Authorization`: nothing, the caller's token as Bearer, or a credential of its own.",
    ),
  clientCertificate: choiceOrOff(['off', 'rfc9440'])
    .prefault('off')
    .describe(
      'Whether the service gets the client certificate as `Client-Cert` and `Client-Cert-Chain` (RFC 9440): only on guarded routes, and only one that chains to the configured CAs.',
    ),
  assertion: assertionSchema.optional().describe('Absent: none. Its JWK set is served on the admin socket.'),
});

type IdentitySettings = z.output<typeof identitySchema>;

export function resolveIdentity(settings: IdentitySettings, context: Context): IdentityConfig {
  checkHeaderNames(settings, context);
  const { headers, encoding, strip, authorization, clientCertificate, assertion } = settings;
  return {
    headers: Object.entries(headers).map(([name, source]) => ({ name, source: parseSource(source) })),
    encoding,
    strip,
    authorization:
      typeof authorization === 'string' ? authorization : { basic: readBasic(authorization.basic, context) },
    clientCertificate,
    assertion: assertion === undefined ? undefined : resolveAssertion(assertion, context),
  };
}

function checkHeaderNames({ headers, assertion }: IdentitySettings, { report }: Context): void {
  const places: [Path, string][] = Object.keys(headers).map((name) => [['identity', 'headers', name], name]);
  for (const [path, name] of places) {
    if (!isFreeName(name))
      report.problem(
        path,
        `${JSON.stringify(name.slice(0, 64))} is not allowed as a name; expected ${nameLegal}`,
      );
  }
  if (assertion !== undefined) places.push([['identity', 'assertion', 'header'], assertion.header]);
  const seen = new Map<string, string>();
  for (const [path, name] of places) {
    const folded = fold(name);
    const earlier = seen.get(folded);
    if (earlier !== undefined) report.problem(path, `a service may read ${name} and ${earlier} as one name`);
    seen.set(folded, name);
  }
}

// CGI and its heirs turn names into variables: case goes, and some drop the hyphen.
function fold(name: string): string {
  return name.toLowerCase().replaceAll('-', '');
}

function isStrippable(name: string): boolean {
  const role = /^[A-Za-z0-9-]+$/.test(name) ? names.lookup(name.toLowerCase()).role : 'odd';
  return role === 'ordinary' || role === 'identity' || role === 'forwarding';
}

function isFreeName(name: string): boolean {
  return isStrippable(name) && !reserved.has(name.toLowerCase());
}

function isFact(name: string): name is IdentityFact {
  return facts.some((fact) => fact === name);
}

function isSource(value: string): boolean {
  return value.startsWith('$') ? isFact(value.slice(1)) : value !== '';
}

function parseSource(value: string): IdentityConfig['headers'][number]['source'] {
  const name = value.slice(1);
  return value.startsWith('$') && isFact(name) ? { fact: name } : { claim: value };
}

// RFC 7617 §2: no colon in the user, no control characters. The final line break is the editor's.
function readBasic(name: string, { files, report }: Context): string {
  const path = ['identity', 'authorization', 'basic'];
  const before = report.problems.length;
  const credential = files.readText(path, name, true).replace(/\r?\n$/, '');
  if (report.problems.length === before && !/^[^:\p{Cc}]+:\P{Cc}*$/u.test(credential)) {
    report.problem(path, 'the file does not hold one line user:password');
  }
  return credential;
}

function resolveAssertion(
  settings: z.output<typeof assertionSchema>,
  { files, report }: Context,
): AssertionConfig | undefined {
  const path = ['identity', 'assertion', 'key'];
  const before = report.problems.length;
  const content = files.readText(path, settings.key);
  if (report.problems.length > before) return undefined;
  const key = parsePrivateKey(content);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key ?? {};
  const strong =
    type === 'ed25519' ||
    (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048) ||
    (type === 'ec' && ['prime256v1', 'secp384r1'].includes(details?.namedCurve ?? ''));
  if (key === undefined || !strong) {
    report.problem(
      path,
      'the file holds no private key of the kinds EC P-256 or P-384, Ed25519, RSA of at least 2048 bits',
    );
    return undefined;
  }
  const { lifetime, ...rest } = settings;
  return { ...rest, key, lifetimeSeconds: lifetime };
}
