import type { RequestFacts } from './facts.js';

/** Whether the browser asks beforehand if it may send a cross-origin request. @see Fetch Standard, CORS-preflight */
export function isPreflight({ method, head, framing }: RequestFacts): boolean {
  return (
    method === 'OPTIONS' &&
    framing.kind === 'none' && // browsers send none, and nobody else needs a way in without credentials
    isSingle(head.values('origin'), serializedOrigin) &&
    isSingle(head.values('access-control-request-method'), token)
  );
}

/** @see RFC 6454 §6.2, §7.1; Fetch Standard, `Origin` header */
const serializedOrigin = /^(?:null|[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/?#,]+)$/;
/** @see RFC 9110 §5.6.2 */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function isSingle(values: readonly string[], pattern: RegExp): boolean {
  const [value = ''] = values;
  return values.length === 1 && pattern.test(value);
}

/** What a script must be able to read to answer a challenge. @see RFC 9449 §8; REQUIREMENTS G22 */
export const exposedHeaders = 'WWW-Authenticate, DPoP-Nonce';
