const alphabet = /^[A-Za-z0-9_-]+$/;

// The last character of a group that is not full carries 2 or 4 unused bits; only the spellings where they are
// zero are canonical (RFC 4648 §3.5). Decoders ignore those bits, which would give one signature many spellings.
const endsOnTwoCharacters = /[AQgw]$/;
const endsOnThreeCharacters = /[AEIMQUYcgkosw048]$/;

/** Whether the text is the one canonical unpadded base64url spelling of some non-empty bytes. @see RFC 7515 §2 */
export function isCanonicalBase64url(text: string): boolean {
  if (!alphabet.test(text)) return false;
  switch (text.length % 4) {
    case 0:
      return true;
    case 2:
      return endsOnTwoCharacters.test(text);
    case 3:
      return endsOnThreeCharacters.test(text);
    default:
      return false;
  }
}
