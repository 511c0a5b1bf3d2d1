import { hash } from 'node:crypto';

/** @returns SHA-256 as base64url without padding, 43 characters */
export function sha256Base64url(data: string | Uint8Array): string {
  return hash('sha256', data, 'base64url');
}

/** A name for a secret or personal value in logs: the first 12 characters of its SHA-256 (72 bits). */
export function shortDigest(data: string): string {
  return sha256Base64url(data).slice(0, 12);
}

const sha256Pattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Whether the text is the one canonical base64url spelling of 32 bytes. @see RFC 9449 §6.1; RFC 8705 §3.1 */
export function isSha256Base64url(text: string): boolean {
  return sha256Pattern.test(text);
}
