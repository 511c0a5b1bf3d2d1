import { makeDpopKey, makeProof } from '../../test/support/dpop.js';
import { authority, type Issuer } from '../fixture.js';

/** Requests with a good token and forged proofs of the key that it is bound to: each costs a verification. */
export function garbageRequests(issuer: Issuer, count: number): string[] {
  const key = makeDpopKey();
  const token = issuer.mint({ cnf: { jkt: key.jkt } });
  const uri = `http://${authority}/orders/1`;
  return Array.from({ length: count }, () => {
    const proof = makeProof({ key, method: 'GET', uri, token });
    const forged = `${proof.slice(0, proof.lastIndexOf('.'))}.${'A'.repeat(86)}`;
    const fields = [`Authorization: DPoP ${token}`, `DPoP: ${forged}`];
    return [`GET /orders/1 HTTP/1.1`, `Host: ${authority}`, ...fields, '', ''].join('\r\n');
  });
}
