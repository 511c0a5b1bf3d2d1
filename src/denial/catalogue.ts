/**
 * The closed catalogue of reasons for which a caller is refused. One key is at once the log field `reason`,
 * the metric label, the anchor in `docs/reasons.md` and the key of the test that provokes it.
 *
 * `status` and `error` are what the wire shows; `sentence` is the public text (RFC 6750 §3 characters only,
 * never request data, the same for every way a token can be bad: REQUIREMENTS O07); `hint` is for the operator
 * and goes to the documentation and, with `detail`, to the log.
 */

/** OAuth error codes that a challenge may carry. @see RFC 6750 §3.1; RFC 9449 §7.1, §9 */
export type OAuthError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce';

export interface CatalogueEntry {
  /** HTTP status code of the refusal */
  readonly status: number;
  /** present when the refusal is an OAuth challenge, absent when the request never got as far */
  readonly error?: OAuthError;
  /** public, `error_description` and body */
  readonly sentence: string;
  /** where the rule comes from */
  readonly source: string;
  /** operator only: what to look at next */
  readonly hint: string;
  /** seconds, for refusals that a later try can overcome */
  readonly retryAfterSeconds?: number;
  /** ends an exchange that had been admitted, in the middle: the wire shows nothing of it but the end */
  readonly endsStream?: true;
}

// RFC 6750 §3.1: one outward answer for every way in which a token is not good (no oracle for the caller).
const tokenSentence = 'The access token is invalid, expired, or not usable by this caller at this resource.';
const proofSentence = 'The DPoP proof is missing, malformed, or does not match this request.';

const entries = {
  // --- the message itself: no route, no challenge -----------------------------------------------------
  request_malformed: {
    status: 400,
    sentence: 'The request could not be parsed as HTTP/1.1.',
    source: 'RFC 9112 §2.2',
    hint: 'the HTTP parser gave up; its code is in detail. Look for a broken client or a smuggling attempt',
  },
  request_timeout: {
    status: 408,
    sentence: 'The request did not arrive in time.',
    source: 'RFC 9110 §15.5.9',
    hint: 'the head or body was slower than listen.limits.headersTimeout or requestTimeout, or the body stopped for upstream.responseTimeout',
  },
  http_version_refused: {
    status: 400,
    sentence: 'Only HTTP/1.0 and HTTP/1.1 are spoken here.',
    source: 'RFC 9112 §2.3',
    hint: 'HTTP/0.9 or an HTTP/2 preface on a connection that negotiated http/1.1',
  },
  peer_not_trusted: {
    status: 403,
    sentence: 'Requests are taken here from known front proxies only.',
    source: 'RFC 9700 §4.13',
    hint: 'plain HTTP on an address that others can reach, from a peer that listen.trustedProxies does not name; its address is in detail. Let it come through the front, or add the front there',
  },
  forwarded_field_malformed: {
    status: 400,
    sentence: 'A forwarding header field is malformed.',
    source: 'REQUIREMENTS B08',
    hint: 'a trusted front sent X-Forwarded-For, -Host or -Proto in a form that can be read in more than one way; let it set the fields instead of appending to what clients send',
  },
  client_certificate_header_malformed: {
    status: 400,
    sentence: 'The header field with the client certificate is malformed.',
    source: 'RFC 9440 §2.4',
    hint: 'a trusted front sent its client certificate header twice, or not as exactly one certificate in the dialect of its entry in listen.trustedProxies; a template that was not filled in looks like this too',
  },
  host_invalid: {
    status: 400,
    sentence: 'The request needs exactly one valid Host field.',
    source: 'RFC 9112 §3.2',
    hint: 'Host is missing, repeated or not host[:port]',
  },
  host_not_served: {
    status: 421,
    sentence: 'This authority is not served here.',
    source: 'RFC 9110 §7.4',
    hint: 'Host is not one of listen.origins; add the origin that clients use',
  },
  target_invalid: {
    status: 400,
    sentence: 'The request target is not acceptable.',
    source: 'RFC 9112 §3.2, RFC 3986 §3',
    hint: 'only origin-form is accepted, without fragment, backslash, control or non-ASCII characters',
  },
  path_ambiguous: {
    status: 400,
    sentence: 'The path can be read in more than one way.',
    source: 'RFC 3986 §6.2.2.3',
    hint: 'dot segments, or a path that is not plain where a stricter route has a literal: the log names both routes; give them the same demands, or send the path plainly (docs/http.md)',
  },
  target_too_long: {
    status: 414,
    sentence: 'The request target is too long.',
    source: 'RFC 9110 §15.5.15',
    hint: 'longer than listen.limits.targetBytes',
  },
  header_fields_too_large: {
    status: 431,
    sentence: 'The header fields are too large or too many.',
    source: 'RFC 6585 §5',
    hint: 'more than listen.limits.headerBytes or headerCount',
  },
  header_name_refused: {
    status: 400,
    sentence: 'A header field name is not acceptable.',
    source: 'RFC 9110 §5.6.2',
    hint: 'a name outside A-Za-z0-9- that a service could read as a protected header, or any such name with headerNames: refuse',
  },
  framing_invalid: {
    status: 400,
    sentence: 'The message framing is not acceptable.',
    source: 'RFC 9112 §6',
    hint: 'Content-Length or Transfer-Encoding is repeated, contradictory or not in its plain form',
  },
  transfer_coding_unsupported: {
    status: 501,
    sentence: 'Only the chunked transfer coding is supported.',
    source: 'RFC 9112 §6.1',
    hint: 'Transfer-Encoding other than exactly chunked',
  },
  body_too_large: {
    status: 413,
    sentence: 'The request body is too large.',
    source: 'RFC 9110 §15.5.14',
    hint: 'longer than listen.limits.bodyBytes',
  },
  body_unexpected: {
    status: 400,
    sentence: 'A request with this method may have no body here.',
    source: 'RFC 9110 §9.3.1',
    hint: 'a body on GET, HEAD, DELETE, OPTIONS or another method that gives it no meaning, with upstream.bodyOnGet: refuse',
  },
  method_not_allowed: {
    status: 405,
    sentence: 'This method is not allowed here.',
    source: 'RFC 9110 §15.5.6',
    hint: 'no route of this path lists the method; TRACE and CONNECT are never forwarded',
  },
  expectation_failed: {
    status: 417,
    sentence: 'Only the expectation 100-continue is supported.',
    source: 'RFC 9110 §10.1.1',
    hint: 'Expect with another value',
  },
  upgrade_invalid: {
    status: 400,
    sentence: 'The protocol upgrade is not acceptable.',
    source: 'RFC 9110 §7.8, RFC 6455 §4.2.1',
    hint: 'not the opening handshake of a WebSocket in its plain form: one protocol, GET, HTTP/1.1, no body, one Sec-WebSocket-Key and -Version; see detail',
  },
  upgrade_unsupported: {
    status: 501,
    sentence: 'This protocol upgrade is not supported.',
    source: 'RFC 9110 §7.8',
    hint: 'Connection: upgrade to another protocol than websocket, such as h2c',
  },
  upgrade_version_unsupported: {
    status: 426,
    sentence: 'Only version 13 of the WebSocket protocol is supported.',
    source: 'RFC 6455 §4.4',
    hint: 'Sec-WebSocket-Version is not 13',
  },
  upgrade_not_allowed: {
    status: 400,
    sentence: 'No protocol upgrade is possible here.',
    source: 'RFC 9110 §7.8',
    hint: 'a WebSocket on a route without routes[].websocket: true',
  },
  loop_detected: {
    status: 508,
    sentence: 'The request has already passed this gateway.',
    source: 'RFC 9110 §7.6.3',
    hint: 'Via carries our own pseudonym: the upstream points back at the sidecar',
  },
  route_not_found: {
    status: 404,
    sentence: 'Nothing is served at this path.',
    source: 'REQUIREMENTS S06',
    hint: 'no route matches; unmatched paths are never forwarded',
  },

  // --- credentials ------------------------------------------------------------------------------------
  credentials_missing: {
    status: 401,
    sentence: 'An access token and a proof of possession are required.',
    source: 'RFC 6750 §3.1',
    hint: 'no Authorization field, or a scheme other than Bearer and DPoP',
  },
  credentials_ambiguous: {
    status: 400,
    error: 'invalid_request',
    sentence: 'More than one set of credentials was sent.',
    source: 'RFC 9449 §7.2, RFC 6750 §3.1',
    hint: 'several Authorization fields, or several credentials in one',
  },
  credentials_malformed: {
    status: 400,
    error: 'invalid_request',
    sentence: 'The Authorization field is malformed.',
    source: 'RFC 9110 §11.4',
    hint: 'not exactly: scheme, spaces, token68',
  },
  token_in_query: {
    status: 400,
    error: 'invalid_request',
    sentence: 'Access tokens are accepted in the Authorization field only.',
    source: 'RFC 9700 §4.3.2',
    hint: 'access_token in the query; treat that token as leaked',
  },

  // --- access token: outwardly one answer (O07) -------------------------------------------------------
  token_too_long: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'REQUIREMENTS C06',
    hint: 'longer than 8192 bytes',
  },
  token_malformed: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 7515 §3.1, RFC 8725 §3',
    hint: 'not a strict compact JWS: padding, spaces, duplicate members, encryption, critical headers',
  },
  token_type_refused: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 9068 §4',
    hint: 'typ is not at+jwt; for an authorization server that cannot set it see issuers[].tokenType',
  },
  token_algorithm_refused: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 8725 §3.1',
    hint: 'alg is not in issuers[].algorithms',
  },
  token_issuer_unknown: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 9068 §4',
    hint: 'iss equals no configured issuer, compared character by character (look for a trailing slash)',
  },
  token_key_unknown: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 7517 §4.5',
    hint: 'no key of the issuer fits kid and alg, after the set was fetched anew',
  },
  token_signature_invalid: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 7515 §5.2',
    hint: 'the signature does not verify with the key of the issuer',
  },
  token_claims_invalid: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 9068 §2.2',
    hint: 'a required claim is missing or has the wrong type; see issuers[].requiredClaims',
  },
  token_expired: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 7519 §4.1.4',
    hint: 'exp has passed by more than issuers[].leeway',
  },
  token_not_yet_valid: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 7519 §4.1.5, RFC 9068 §2.2',
    hint: 'nbf or iat lies in the future by more than the leeway; compare the clocks',
  },
  token_audience_mismatch: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 9068 §4',
    hint: 'aud names none of the audiences that are both of the issuer and, where it names any, of the route',
  },

  // --- DPoP proof -------------------------------------------------------------------------------------
  dpop_proof_missing: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §7.1',
    hint: 'scheme DPoP without a DPoP field',
  },
  dpop_proof_repeated: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 1',
    hint: 'more than one DPoP field, or several values in one',
  },
  dpop_proof_malformed: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 2',
    hint: 'not a strict compact JWS of at most 8192 bytes',
  },
  dpop_claims_invalid: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 3',
    hint: 'jti, htm, htu, iat or ath is missing or has the wrong type or length',
  },
  dpop_type_refused: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 4',
    hint: 'typ is not exactly dpop+jwt',
  },
  dpop_algorithm_refused: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 5',
    hint: 'alg is not in dpop.algorithms',
  },
  dpop_key_invalid: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 7, RFC 7518 §6',
    hint: 'jwk is private, symmetric, weak, not canonical or not for this alg',
  },
  dpop_signature_invalid: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 6',
    hint: 'the signature does not verify with the jwk of the proof',
  },
  dpop_htm_mismatch: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 8',
    hint: 'htm is not the method of the request',
  },
  dpop_htu_mismatch: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 9',
    hint: 'htu is not the URI that clients use: compare listen.origins and listen.pathPrefix with the value in detail',
  },
  dpop_iat_outside_window: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 11',
    hint: 'older than dpop.maxAge or further ahead than dpop.clockSkew; compare the clocks',
  },
  dpop_validity_ended: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 7519 §4.1.4, §4.1.5',
    hint: 'exp or nbf of the proof itself',
  },
  dpop_ath_mismatch: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §4.3 check 12',
    hint: 'ath is not the SHA-256 of the token that was presented',
  },
  dpop_nonce_missing: {
    status: 401,
    error: 'use_dpop_nonce',
    sentence: 'The DPoP proof needs a nonce of this resource server.',
    source: 'RFC 9449 §9',
    hint: 'normal once per client and nonce lifetime: the client repeats the request with the nonce',
  },
  dpop_nonce_invalid: {
    status: 401,
    error: 'use_dpop_nonce',
    sentence: 'The DPoP proof needs a nonce of this resource server.',
    source: 'RFC 9449 §9',
    hint: 'expired, of another origin, or of a replica with another dpop.nonceSecret',
  },
  dpop_proof_predates_start: {
    status: 401,
    error: 'use_dpop_nonce',
    sentence: 'The DPoP proof needs a nonce of this resource server.',
    source: 'RFC 9449 §11.1',
    hint: 'normal in the first seconds after a start with replay.store: memory: an earlier process may have seen this proof',
  },
  dpop_clock_in_doubt: {
    status: 401,
    error: 'use_dpop_nonce',
    sentence: 'The DPoP proof needs a nonce of this resource server.',
    source: 'RFC 9449 §11.1',
    hint: 'normal after a step of the clock of this machine: only the stepped clock has reached the date of the proof, or the memory of its time is gone',
  },
  proof_replayed: {
    status: 401,
    error: 'invalid_dpop_proof',
    sentence: proofSentence,
    source: 'RFC 9449 §11.1',
    hint: 'this proof was used before: a client that reuses jti, a retry that did not sign anew, or an attack',
  },
  proof_quota_exceeded: {
    status: 429,
    sentence: 'Too many requests with this key.',
    source: 'RFC 9449 §11.1',
    hint: 'the key has replay.perKey live proofs; nothing is forgotten to make room',
    retryAfterSeconds: 5,
  },
  proof_client_quota_exceeded: {
    status: 429,
    sentence: 'Too many requests of this client.',
    source: 'RFC 9449 §11.1',
    hint: 'the client has replay.perClient live proofs over all of its keys; nothing is forgotten to make room',
    retryAfterSeconds: 5,
  },

  // --- binding ----------------------------------------------------------------------------------------
  confirmation_malformed: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 7800 §3.1',
    hint: 'cnf is no object, empty, or a member is not a base64url SHA-256',
  },
  confirmation_unsupported: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 7800 §3.1',
    hint: 'cnf binds the token in a way that cannot be checked here (neither jkt nor x5t#S256)',
  },
  bound_token_as_bearer: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 9449 §7.2',
    hint: 'a DPoP-bound token was sent with the Bearer scheme: a stolen token, or a client that does not sign',
  },
  token_not_bound: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 9449 §7.1, RFC 8705 §3',
    hint: 'the token has no cnf for the way it was presented; is the client registered for bound tokens?',
  },
  dpop_key_mismatch: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 9449 §4.3 check 12',
    hint: 'the proof was signed by another key than the one in cnf.jkt: a stolen token, or a client that lost its key',
  },
  certificate_missing: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 8705 §3',
    hint: 'the token is bound to a certificate and the connection has none',
  },
  certificate_thumbprint_mismatch: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 8705 §3',
    hint: 'the connection has another certificate than the one in cnf x5t#S256: a stolen token, or a rotated certificate',
  },
  client_certificate_untrusted: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 8705 §2.1, §7.5',
    hint: "the certificate does not chain to the CAs that are configured, is out of date or revoked, or breaks a rule for certificates; the cause is in detail: OpenSSL's code, or one of docs/operations.md",
  },

  // --- policy -----------------------------------------------------------------------------------------
  // 401 and not 403 (RFC 6750 §3.1): no higher privilege of this token would help, a token of another issuer does.
  issuer_refused: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 6750 §3.1, RFC 9068 §4',
    hint: 'a good token of an issuer that is not in routes[].issuers of this route',
  },
  proof_method_refused: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'REQUIREMENTS C11',
    hint: 'possession was proven, but not in the way this route asks for (routes[].proof)',
  },
  exception_not_yet_valid: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'REQUIREMENTS R02',
    hint: 'created of the exception that would let this client pass lies in the future; its id and owner are in detail. A day begins at midnight UTC',
  },
  exception_expired: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'REQUIREMENTS R02',
    hint: 'the exception that let this client pass has ended; its id and owner are in detail',
  },
  exception_source_refused: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'REQUIREMENTS R04',
    hint: 'the exception names sources and the caller is none of them',
  },
  exception_lifetime_refused: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'REQUIREMENTS R04',
    hint: 'the token lives longer than maxTokenLifetime of the exception',
  },
  insufficient_scope: {
    status: 403,
    error: 'insufficient_scope',
    sentence: 'The access token lacks a scope that this resource needs.',
    source: 'RFC 6750 §3.1',
    hint: 'routes[].scopes names a scope that the token does not have',
  },
  claim_refused: {
    status: 403,
    error: 'insufficient_scope',
    sentence: 'The access token does not permit this request.',
    source: 'RFC 6750 §3.1',
    hint: 'a claim has none of the values in routes[].claims',
  },
  client_refused: {
    status: 403,
    error: 'insufficient_scope',
    sentence: 'The access token does not permit this request.',
    source: 'RFC 6750 §3.1',
    hint: 'the client is not in routes[].clients; for a route with several issuers, mind whose client it is',
  },
  websocket_idle: {
    status: 408,
    sentence: 'The connection was silent for too long.',
    source: 'RFC 6455 §7.1.1',
    hint: 'no byte in either direction of a WebSocket for upstream.streamIdleTimeout: let client or service send pings more often',
    endsStream: true,
  },
  token_expired_while_streaming: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 7519 §4.1.4',
    endsStream: true,
    hint: 'the answer or WebSocket was still running when exp, the leeway and upstream.expiryGrace had passed, and was cut off; a client that goes on needs a fresh token',
  },
  exception_expired_while_streaming: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'REQUIREMENTS R02',
    endsStream: true,
    hint: 'the answer or WebSocket was still running when the exception that let it pass had ended, and was cut off',
  },
  certificate_expired_while_streaming: {
    status: 401,
    error: 'invalid_token',
    sentence: tokenSentence,
    source: 'RFC 8705 §7.5, RFC 5280 §4.1.2.5',
    endsStream: true,
    hint: 'the answer or WebSocket was still running when the client certificate, or an intermediate of it, had ended, and was cut off',
  },
  identity_unrepresentable: {
    status: 403,
    error: 'insufficient_scope',
    sentence: 'The access token does not permit this request.',
    source: 'RFC 9110 §5.5',
    hint: 'a claim cannot be written as a header value with the chosen identity.encoding',
  },
  identity_too_large: {
    status: 403,
    error: 'insufficient_scope',
    sentence: 'The access token does not permit this request.',
    source: 'REQUIREMENTS L04',
    hint: 'the identity headers would exceed 8192 bytes: forward fewer claims; or, as detail says, Client-Cert and Client-Cert-Chain would exceed 16 KiB',
  },
} satisfies Record<string, CatalogueEntry>;

export type Reason = keyof typeof entries;

/** Every reason a caller can be refused for. Frozen; its keys are the product's interface. */
export const catalogue: Readonly<Record<Reason, CatalogueEntry>> = Object.freeze(entries);
