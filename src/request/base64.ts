/**
 * Decodes base64 in its one canonical spelling. `Buffer.from` by itself takes anything: it skips what it does not
 * know, so that a template some front did not fill in would decode to some bytes or other.
 * @returns undefined for anything else, the empty text too
 * @see RFC 4648 §4
 */
export function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : undefined;
}
