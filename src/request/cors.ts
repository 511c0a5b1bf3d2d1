import type { RequestFacts } from './facts.js';

/** Whether the browser asks beforehand if it may send a cross-origin request. @see Fetch Standard, CORS-preflight */
export function isPreflight({ method, head }: RequestFacts): boolean {
  return (
    method === 'OPTIONS' &&
    head.values('origin').length === 1 &&
    head.values('access-control-request-method').length === 1
  );
}

/** What a script must be able to read to answer a challenge. @see RFC 9449 §8; REQUIREMENTS G22 */
export const exposedHeaders = 'WWW-Authenticate, DPoP-Nonce';
