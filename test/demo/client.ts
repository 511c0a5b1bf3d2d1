import * as oauth from 'oauth4webapi';
import type { Fetch, Recorded } from './https-fetch.js';

/** Who asks for a token, and how it proves to be that client. */
export interface Applicant {
  readonly clientId: string;
  readonly authentication: oauth.ClientAuth;
  /** makes the token bound to the key of this handle */
  readonly dpop?: oauth.DPoPHandle | undefined;
  readonly fetch: Fetch;
}

export interface Call {
  readonly url: string;
  readonly token: string;
  /** absent: the token goes as Bearer, as bound-to-a-certificate and plain ones do */
  readonly dpop?: oauth.DPoPHandle | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
}

/** The answer, and the challenges as the client library reads them (none unless it was refused). */
export interface Answer {
  readonly response: Response;
  readonly challenges: readonly oauth.WWWAuthenticateChallenge[];
}

/** A token of the authorization server for the resource, by the client credentials grant. @see RFC 6749 §4.4; RFC 8707 §2.2 */
export async function requestToken(issuer: string, resource: string, applicant: Applicant): Promise<string> {
  const { clientId, authentication, dpop, fetch } = applicant;
  const options = { [oauth.customFetch]: fetch };
  const client = { client_id: clientId };
  const issuerUrl = new URL(issuer);
  const server = await oauth.processDiscoveryResponse(
    issuerUrl,
    await oauth.discoveryRequest(issuerUrl, options),
  );
  const parameters = { resource, scope: 'orders:read' };
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, {
    ...options,
    ...(dpop === undefined ? {} : { DPoP: dpop }),
  });
  const { access_token } = await oauth.processClientCredentialsResponse(server, client, response);
  return access_token;
}

/** Calls the API. A refusal is an answer too; only a connection that fails throws. */
export async function callApi(call: Call): Promise<Answer> {
  try {
    return await callOnce(call);
  } catch (error) {
    // Normal once per key: the resource server wants its nonce in the proof, and the handle has kept it (RFC 9449 §9).
    if (!oauth.isDPoPNonceError(error)) return toAnswer(error);
    return await callOnce(call).catch(toAnswer);
  }
}

/** Sends exactly these headers, whatever they are worth; the client library only reads the answer. */
export function sendAsIs({ url, ...sent }: Recorded, fetch: Fetch): Promise<Answer> {
  return callOnce({ url, token: 'not-used', fetch: () => fetch(url, sent) }).catch(toAnswer);
}

async function callOnce({ url, token, dpop, headers, fetch }: Call): Promise<Answer> {
  const response = await oauth.protectedResourceRequest(
    token,
    'GET',
    new URL(url),
    new Headers(headers),
    null,
    {
      [oauth.customFetch]: fetch,
      ...(dpop === undefined ? {} : { DPoP: dpop }),
    },
  );
  return { response, challenges: [] };
}

function toAnswer(error: unknown): Answer {
  if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
  return { response: error.response, challenges: error.cause };
}
