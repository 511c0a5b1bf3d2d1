import { boundKey, confirmBinding, type Evidence } from '../binding/binding.js';
import { Denial } from '../denial/denial.js';
import type { Asker } from '../jws/verification-queue.js';
import { authorize, checkAudience, type Grant, grantPreflight, grantPublic } from '../policy/authorize.js';
import type { BearerExceptions } from '../policy/exceptions.js';
import type { RouteOptions } from '../policy/route-options.js';
import type { RouteTable } from '../policy/routes.js';
import { type CertificateRules, verifyCertificate } from '../proof/certificate.js';
import type { DpopVerifier } from '../proof/dpop.js';
import type { ReplayStore } from '../proof/replay/store.js';
import { isPreflight } from '../request/cors.js';
import { type PresentedToken, parseCredentials } from '../request/credentials.js';
import { parseRequest, type RequestFacts, type RequestMessage, type RequestRules } from '../request/facts.js';
import { hasTokenInQuery } from '../request/target.js';
import type { VerifiedToken } from '../token/verified-token.js';
import type { TokenVerifier } from '../token/verify.js';
import { type Admission, sealAdmission } from './admission.js';
import { checkUnused, claimProof, nothingToClaim, type UnclaimedProof } from './claim.js';
import { KnownCertificates } from './known-certificates.js';
import { type Progress, type Refusal, toRefusal } from './refusal.js';

export interface GateParts {
  readonly rules: RequestRules;
  readonly routes: RouteTable;
  readonly exceptions: BearerExceptions;
  readonly tokens: TokenVerifier;
  readonly dpop: DpopVerifier;
  readonly replay: ReplayStore;
  readonly certificateRules: CertificateRules;
  /** where the protected resource metadata is served. @see RFC 9728 §3.1 */
  readonly isMetadataPath: (path: string) => boolean;
}

export type Verdict =
  | { readonly kind: 'admitted'; readonly admission: Admission }
  | { readonly kind: 'metadata'; readonly facts: RequestFacts }
  | Refusal;

/**
 * Decides about one request. The single place where a refusal is caught: a stage throws, and whatever is thrown ends
 * in a refusal, so that no error path leads past the gate.
 */
export class Gate {
  readonly #parts: GateParts;
  readonly #certificates: KnownCertificates;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#certificates = new KnownCertificates(parts.certificateRules);
  }

  async decide(message: RequestMessage): Promise<Verdict> {
    const progress: Progress = {};
    try {
      return await this.#judge(message, progress);
    } catch (error) {
      return toRefusal(error, progress);
    }
  }

  /**
   * The spine: each stage takes the evidence of the one before. Waits only for stages that have something to wait for.
   */
  async #judge(message: RequestMessage, progress: Progress): Promise<Verdict> {
    const { rules, routes, tokens, replay, exceptions, isMetadataPath } = this.#parts;
    const facts = parseRequest(message, rules);
    progress.facts = facts;
    if (isMetadataPath(facts.target.path)) return { kind: 'metadata', facts };
    const route = routes.match(facts);
    progress.route = route;
    const open = grantWithoutToken(route, facts);
    if (open !== undefined) return admit(sealAdmission(facts, open, nothingToClaim));

    const presented = checkCredentials(facts);
    const verified = tokens.verify(presented, () => this.#asker(presented, facts));
    const token = verified instanceof Promise ? await verified : verified;
    progress.token = token;
    const { evidence, unclaimed } = await this.#verifyProof({ presented, facts, route, progress }, token);
    const key = evidence.dpop?.jkt ?? evidence.certificate.evidence?.thumbprint;
    if (key !== undefined) progress.key = key;
    const constraint = confirmBinding(token, evidence);
    const grant = authorize({ route, facts, exceptions }, token, constraint);
    if (verified instanceof Promise) this.#certificates.remember(grant);
    const claimed = claimProof(replay, unclaimed, token);
    return admit(sealAdmission(facts, grant, claimed instanceof Promise ? await claimed : claimed));
  }

  /**
   * A DPoP field beside the Bearer scheme proves nothing and is not looked at. What does not fit is refused before a
   * signature is verified; what scopes and claims the route wants is told to nobody who has proven nothing, so that comes
   * behind. @see RFC 9449 §7.2; REQUIREMENTS G19
   */
  async #verifyProof(
    { presented, facts, route, progress }: Presented,
    token: VerifiedToken,
  ): Promise<Proven> {
    const { dpop, certificateRules, replay } = this.#parts;
    const { scheme, digest: tokenDigest } = presented;
    const certificate = verifyCertificate(facts.certificate, certificateRules);
    if (scheme === 'Bearer')
      return { evidence: { scheme, dpop: undefined, certificate }, unclaimed: undefined };
    const { method, uri, origin, head, remoteAddress } = facts;
    const unproven = dpop.read(head.values('dpop'), {
      method,
      uri,
      origin: origin.uri,
      tokenDigest,
      token,
      boundKey: boundKey(token, scheme),
      remoteAddress,
    });
    checkAudience(route, token);
    const named = checkUnused(replay, unproven, progress);
    const proven = await dpop.verify(unproven);
    return { evidence: { scheme, dpop: proven, certificate }, unclaimed: { named, evidence: proven } };
  }

  /** Who asks for the verification of a token. A key is known by a request that was admitted with it. */
  #asker({ scheme }: PresentedToken, { head, certificate, remoteAddress: address }: RequestFacts): Asker {
    const { dpop } = this.#parts;
    const key =
      scheme === 'DPoP' ? dpop.knownKey(head.values('dpop')) : this.#certificates.knownKey(certificate);
    return { standing: key === undefined ? 'stranger' : 'known', key, address };
  }
}

/** A token, and what for. */
interface Presented {
  readonly presented: PresentedToken;
  readonly facts: RequestFacts;
  readonly route: RouteOptions;
  readonly progress: Progress;
}

interface Proven {
  readonly evidence: Evidence;
  /** undefined where there is nothing to claim */
  readonly unclaimed: UnclaimedProof | undefined;
}

function admit(admission: Admission): Verdict {
  return { kind: 'admitted', admission };
}

/** The two ways to pass without a token: a public route, and a preflight where the route forwards those. */
function grantWithoutToken(route: RouteOptions, facts: RequestFacts): Grant | undefined {
  if (route.proof === 'none') return grantPublic(route);
  if (route.preflight === 'forward' && isPreflight(facts)) return grantPreflight(route);
  return undefined;
}

/** @see RFC 6750 §2.3 for what a token in the query is; REQUIREMENTS C05 */
function checkCredentials(facts: RequestFacts): PresentedToken {
  if (hasTokenInQuery(facts.target.query)) throw new Denial('token_in_query');
  return parseCredentials(facts.head.values('authorization'));
}
