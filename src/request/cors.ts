import type { RequestFacts } from './facts.js';

/** Whether the browser asks beforehand if it may send a cross-origin request. @see Fetch Standard, CORS-preflight */
export function isPreflight({ method, head, framing }: RequestFacts): boolean {
  return (
    method === 'OPTIONS' &&
    framing.kind === 'none' && // browsers send none, and nobody else needs a way in without credentials
    head.values('origin').length === 1 &&
    head.values('access-control-request-method').length === 1
  );
}

/** What a script must be able to read to answer a challenge. @see RFC 9449 §8; REQUIREMENTS G22 */
export const exposedHeaders = 'WWW-Authenticate, DPoP-Nonce';
