import type { Denial } from '../denial/denial.js';
import type { Refusal } from '../gate/refusal.js';
import type { ProofRequirement } from '../policy/route-options.js';
import type { Scheme } from '../request/credentials.js';

/** What every challenge carries, from the configuration only. */
export interface ChallengeOptions {
  readonly realm: string;
  /** URL of the protected resource metadata. @see RFC 9728 §5.1 */
  readonly resourceMetadata: string;
  readonly dpopAlgorithms: readonly string[];
}

type Parameters = readonly (readonly [name: string, value: string])[];

/** The schemes that a route takes. A certificate-bound token is presented as Bearer (RFC 8705 §3). */
const accepted: Readonly<Record<ProofRequirement, readonly Scheme[]>> = {
  any: ['Bearer', 'DPoP'],
  dpop: ['DPoP'],
  mtls: ['Bearer'],
  both: ['DPoP'],
  none: [],
};

/**
 * The WWW-Authenticate field values of a refusal, one a scheme. The scheme that the caller used gets the error, the
 * others that the route accepts are listed without one (RFC 9449 §7.2). Nothing of the request is echoed.
 *
 * @returns empty when the refusal asks for no other credentials
 * @see RFC 6750 §3; RFC 9449 §7.1, §7.2; RFC 9110 §11.6.1
 */
export function buildChallenges(refusal: Refusal, denial: Denial, options: ChallengeOptions): string[] {
  const { route } = refusal;
  const { status, error } = denial.entry;
  if (route === undefined || (error === undefined && status !== 401)) return [];

  const schemes = new Set(accepted[route.proof]);
  // Told where the caller will look for it: with its own scheme, and with both when it used both (RFC 9449 §7.2).
  const blamed: readonly Scheme[] =
    denial.reason === 'credentials_ambiguous'
      ? ['Bearer', 'DPoP']
      : refusal.scheme === undefined
        ? []
        : [refusal.scheme];
  if (error !== undefined) for (const scheme of blamed) schemes.add(scheme);

  return [...schemes].map((scheme) => {
    const failed: Parameters =
      error !== undefined && (blamed.includes(scheme) || blamed.length === 0)
        ? [
            ['error', error],
            ['error_description', denial.entry.sentence],
            ...neededScope(denial, route.scopes),
          ]
        : [];
    const algorithms: Parameters = scheme === 'DPoP' ? [['algs', options.dpopAlgorithms.join(' ')]] : [];
    return format(scheme, [
      ['realm', options.realm],
      ...failed,
      ...algorithms,
      ['resource_metadata', options.resourceMetadata],
    ]);
  });
}

/** @see RFC 6750 §3: `scope` names what is needed to access the resource */
function neededScope(denial: Denial, scopes: readonly string[]): Parameters {
  return denial.reason === 'insufficient_scope' ? [['scope', scopes.join(' ')]] : [];
}

/** @see RFC 9110 §5.6.4: quoted-string */
function format(scheme: Scheme, parameters: Parameters): string {
  return `${scheme} ${parameters.map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`).join(', ')}`;
}
