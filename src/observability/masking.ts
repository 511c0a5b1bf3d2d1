const run = /[\w.%+~-]{20,}/g;
const piece = /[\w%+~-]{40,}/g;
const encodings = /%[0-9A-Fa-f]{2}/g;
const thumbprintCharacters = 43;
// What is shorter is masked only as a JWT.
const minCharacters = 40;

/**
 * Takes out of a text what looks like a token: for everything in the log that a caller may have written.
 *
 * - The shape of a JWT: from `eyJ`, the base64url of `{"`, with a dot behind it.
 * - 40 or more characters of base64url with capitals, small letters and digits among them: 240 bits that are no word.
 * - 65 or more letters and digits in one piece, some of each.
 *
 * Shorter ones stay, or paths could not be read: a UUID has 36 characters; hexadecimal has no capitals beside small letters, and
 * up to SHA-256, 64 characters, it names commits, images and artifacts. What a service takes for a secret of less than that,
 * it must not put into paths. A SHA-256 thumbprint in base64url, 43 characters, stays where it is a word of its own: that is how
 * details name keys.
 *
 * Linear in the length of the text.
 * @see REQUIREMENTS S01
 */
export function maskTokens(text: string): string {
  // Almost every text in the log is neither long enough nor a JWT.
  if (text.length < minCharacters && !text.includes('eyJ')) return text;
  return text.replace(run, maskRun);
}

function maskRun(text: string, at: number, whole: string): string {
  const jwt = text.indexOf('eyJ');
  if (jwt !== -1 && text.length - jwt >= 20 && /\.|%2e/i.test(text.slice(jwt)))
    return `${text.slice(0, jwt)}…`;
  if (text.length < minCharacters) return text;
  if (text.length === thumbprintCharacters && whole.charAt(at - 1) === ' ') return text;
  return text.replace(piece, (one) => (isTokenLike(one.replace(encodings, '')) ? '…' : one));
}

function isTokenLike(text: string): boolean {
  if (text.length < minCharacters || !/[0-9]/.test(text) || !/[A-Za-z]/.test(text)) return false;
  return (/[a-z]/.test(text) && /[A-Z]/.test(text)) || /[A-Za-z0-9]{65,}/.test(text);
}
