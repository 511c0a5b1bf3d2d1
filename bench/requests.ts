import { makeDpopKey, makeProof } from '../test/support/dpop.js';
import { authority, type Issuer } from './fixture.js';

/** Where the requests of a contestant come from. */
export interface Supply {
  /** whether one request may be sent again and again */
  readonly repeat: boolean;
  /** @returns a complete request as it goes on the wire */
  next(): string;
}

const path = '/orders/1';

/** The same request each time. @param token - access token, presented as Bearer; absent: no credentials */
export function repeated(token?: string): Supply {
  const request = buildRequest(token === undefined ? [] : [`Authorization: Bearer ${token}`]);
  return { repeat: true, next: () => request };
}

/** Requests with a fresh ES256 proof each. @param clients - how many keys, each with a token of its own, in turn */
export function proven(issuer: Issuer, clients: number): Supply {
  const pairs = Array.from({ length: clients }, () => {
    const key = makeDpopKey();
    return { key, token: issuer.mint({ cnf: { jkt: key.jkt } }) };
  });
  let turn = 0;
  return {
    repeat: false,
    next() {
      const { key, token } = pairs[turn++ % pairs.length] ?? fail();
      const proof = makeProof({ key, method: 'GET', uri: `http://${authority}${path}`, token });
      return buildRequest([`Authorization: DPoP ${token}`, `DPoP: ${proof}`]);
    },
  };
}

function buildRequest(fields: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, `Host: ${authority}`, 'Accept: */*', ...fields, '', ''].join('\r\n');
}

function fail(): never {
  throw new RangeError('no client');
}
