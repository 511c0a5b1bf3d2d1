import * as z from 'zod';
import { importPublishedKey, maxDocumentBytes, readPublishedSet } from '../jws/published-set.js';
import { parseStrictJsonObject } from '../jws/strict-json.js';
import { isLoopback, isMetadataHost, isPlainUrl } from './addresses.js';
import type { IssuerConfig } from './config.js';
import type { Context } from './context.js';
import type { Path } from './path.js';
import { choice, file, flag, list, oneOrMore, section, text, wholeSeconds } from './scalars.js';

// Of a set none of whose keys can serve: the first ones say what is wrong with it.
const maxReasons = 4;
const urlLegal = 'an http(s) URL without userinfo, query and fragment';

/** What access tokens may be signed with: nothing symmetric, where whoever can verify could also sign. */
const algorithms = choice([
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
]);

const keysLegal = 'discovery, { url: URL } or { file: FILE }';

const keysSchema = z
  .union(
    [
      choice(['discovery']),
      section({ url: text(urlLegal, isPlainUrl).describe('Location of the JWK set.') }),
      section({ file: file('a JWK set with public keys').describe('A JWK set in a file.') }),
    ],
    { error: keysLegal },
  )
  .meta({ legal: keysLegal });

const issuerSchema = section({
  issuer: text(urlLegal, isPlainUrl).describe('Issuer identifier; `iss` must be exactly this text.'),
  audience: oneOrMore('one or several resource identifiers').describe('A token needs one of these in `aud`.'),
  keys: keysSchema
    .prefault('discovery')
    .describe(
      'Where the verification keys come from: the metadata of the issuer (RFC 8414), a URL, or a file.',
    ),
  algorithms: list(algorithms, 'a list of at least one algorithm', 1)
    .prefault(['ES256', 'PS256', 'EdDSA', 'RS256'])
    .describe('Accepted signature algorithms of access tokens.'),
  leeway: wholeSeconds({ min: '0s', max: '60s' })
    .prefault('10s')
    .describe('Clock difference granted for `exp`, `nbf` and `iat`.'),
  requiredClaims: list(text('a claim name'), 'a list of claim names')
    .prefault(['sub', 'client_id', 'iat', 'jti'])
    .describe('Needed beside `iss`, `aud` and `exp`. `clientClaim` stands in for `client_id` here.'),
  clientClaim: text('a claim name')
    .prefault('client_id')
    .describe(
      'The claim that names the client: `azp` (Keycloak, Auth0), `appid` or `azp` (Entra), `cid` (Okta).',
    ),
  scopeClaim: choice(['scope', 'scp'])
    .prefault('scope')
    .describe('The claim that holds the scopes: `scope` (text), or `scp` (text or list).'),
  allowCleartext: flag()
    .prefault(false)
    .describe('Allows `http://` to an issuer that is not on loopback. Warned about at every start.'),
  tokenType: choice(['at+jwt', 'jwt'])
    .prefault('at+jwt')
    .describe(
      '`jwt` also takes access tokens with `typ: JWT` or none, which several authorization servers issue by default. Warned about at every start.',
    ),
});

export const issuersSchema = list(issuerSchema, 'a list of at least one issuer', 1);

type IssuerSettings = z.output<typeof issuerSchema>;

export function resolveIssuers(settings: readonly IssuerSettings[], context: Context): IssuerConfig[] {
  return settings.map((issuer, index) => {
    const path = ['issuers', index];
    const first = settings.findIndex((other) => other.issuer === issuer.issuer);
    if (first < index) context.report.problem([...path, 'issuer'], `the same issuer as issuers[${first}]`);
    return resolveIssuer(issuer, path, context);
  });
}

function resolveIssuer(settings: IssuerSettings, path: Path, context: Context): IssuerConfig {
  const { leeway, keys, ...rest } = settings;
  if (rest.tokenType === 'jwt') {
    context.report.warn(
      [...path, 'tokenType'],
      'tokens are taken whose type does not say that they are access tokens (RFC 9068 §4)',
    );
  }
  checkTransport(settings, path, context);
  return {
    ...rest,
    leewaySeconds: leeway,
    requiredClaims: rest.requiredClaims.map((name) => (name === 'client_id' ? rest.clientClaim : name)),
    keys: resolveKeys(settings, [...path, 'keys'], context),
  };
}

/** Keys that came in clear text prove nothing: whoever is on the way could have sent others. @see REQUIREMENTS P01 */
function checkTransport(
  { issuer, keys, allowCleartext }: IssuerSettings,
  path: Path,
  { report }: Context,
): void {
  const fetched: [Path, string][] = [];
  if (keys === 'discovery') fetched.push([[...path, 'issuer'], issuer]);
  else if ('url' in keys) fetched.push([[...path, 'keys', 'url'], keys.url]);
  for (const [place, url] of fetched) {
    const { protocol, hostname } = new URL(url);
    if (isMetadataHost(hostname))
      report.illegal(place, 'a host outside of link-local and other addresses of cloud metadata services');
    if (protocol === 'https:' || isLoopback(hostname)) continue;
    if (allowCleartext)
      report.warn(
        place,
        'keys are fetched in clear text: whoever is on the way can have tokens of their own accepted',
      );
    else
      report.illegal(
        place,
        'https://, or http:// on loopback; clear text elsewhere needs allowCleartext: true',
      );
  }
}

function resolveKeys(
  { keys, algorithms: accepted }: IssuerSettings,
  path: Path,
  { files, report }: Context,
): IssuerConfig['keys'] {
  if (keys === 'discovery') return 'discovery';
  if ('url' in keys) return { url: keys.url };
  const before = report.problems.length;
  const content = files.read([...path, 'file'], keys.file);
  const wrong = report.problems.length > before ? undefined : faultOfKeySet(content, accepted);
  if (wrong !== undefined) report.problem([...path, 'file'], wrong);
  return { file: files.absolute(keys.file) };
}

/** Judged as it is when the file is read again: what could serve nothing then is not started with. */
function faultOfKeySet(content: Buffer, algorithms: IssuerSettings['algorithms']): string | undefined {
  if (content.length > maxDocumentBytes) return `the file is longer than ${maxDocumentBytes} bytes`;
  const document = parseStrictJsonObject(content);
  if (document === undefined) return 'the file is not a strict JSON object';
  const ignored: string[] = [];
  let secret = false;
  try {
    readPublishedSet(document, {
      algorithms,
      keep: importPublishedKey,
      ignored: (why, isSecret) => {
        ignored.push(why);
        secret ||= isSecret;
      },
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : 'not a JWK set';
    if (!secret) return [why, ...ignored.slice(0, maxReasons)].join('; ');
  }
  return secret ? 'the JWK set holds a private or symmetric key; only public keys belong here' : undefined;
}
