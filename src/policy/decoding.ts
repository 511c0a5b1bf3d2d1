/** How often a service is thought to decode a path. One that is encoded more often is hiding something, and refused. */
export const maxDecodings = 4;

/**
 * Decodes a path or a segment once. Visible ASCII only: no delimiter hides in the other octets, and left encoded they still
 * equal a route's literals.
 */
export function decodeVisible(text: string): string {
  return text.replace(/%(2[1-9A-F]|[3-6][0-9A-F]|7[0-9A-E])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Decodes as often as there is something to decode. */
export function decodeFully(text: string): string {
  let decoded = text;
  for (let decodings = 0; decodings < maxDecodings && decoded.includes('%'); decodings++) {
    decoded = decodeVisible(decoded);
  }
  return decoded;
}
