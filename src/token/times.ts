import { Denial } from '../denial/denial.js';

/** When a token may be used. NumericDates. @see RFC 7519 §2 */
export interface TokenTimes {
  readonly issuedAtSeconds: number | undefined;
  readonly notBeforeSeconds: number | undefined;
  readonly expiresAtSeconds: number;
}

/**
 * The token is valid at this moment. Runs at each use, also when the signature was verified before (D16).
 *
 * `iat` in the future is held to the same leeway: a token cannot have been issued later than now, and what clocks may
 * differ by is what the leeway says.
 *
 * @param leewaySeconds - granted in both directions
 * @param nowMs - milliseconds since the epoch
 * @throws Denial token_expired, token_not_yet_valid
 * @see RFC 7519 §4.1.4-§4.1.6; REQUIREMENTS D10, D11
 */
export function checkTimes(times: TokenTimes, leewaySeconds: number, nowMs: number): void {
  const { issuedAtSeconds = 0, notBeforeSeconds = 0, expiresAtSeconds } = times;
  const now = nowMs / 1000;
  // Written so that a NaN would refuse.
  if (!(now < expiresAtSeconds + leewaySeconds)) {
    throw new Denial('token_expired', `${Math.floor(now - expiresAtSeconds)} s ago, leeway ${leewaySeconds}`);
  }
  if (!(notBeforeSeconds <= now + leewaySeconds)) {
    throw new Denial(
      'token_not_yet_valid',
      `nbf in ${Math.ceil(notBeforeSeconds - now)} s, leeway ${leewaySeconds}`,
    );
  }
  if (!(issuedAtSeconds <= now + leewaySeconds)) {
    throw new Denial(
      'token_not_yet_valid',
      `iat in ${Math.ceil(issuedAtSeconds - now)} s, leeway ${leewaySeconds}`,
    );
  }
}
