/**
 * A literal as a service has it that does not tell case, accents, nor what Windows drops at the end: what a plain segment
 * has to differ from to be another one for everybody.
 */
export function foldLiteral(text: string): string {
  let decoded = text;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    // Octets that are no UTF-8: compared as they are written.
  }
  return decoded
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ı', 'i')
    .replace(/[\s.]+$/u, '');
}

/**
 * What else Windows calls a file by the name of a plain segment (its streams), or a service that reads plus signs as spaces
 * and trims them. @param folded - in lower case
 */
export function otherNames(folded: string): readonly string[] {
  const names: string[] = [];
  if (folded.includes(':')) names.push((folded.split(':', 1)[0] ?? '').replace(/\.+$/, ''));
  if (folded.startsWith('+') || folded.endsWith('+')) names.push(trimPluses(folded));
  return names;
}

// A loop, because `/\++$/` tries a run of pluses anew from each of them.
function trimPluses(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === '+') start++;
  while (end > start && text[end - 1] === '+') end--;
  return text.slice(start, end);
}

/**
 * Whether a segment may be the short name of a literal on Windows: `administration` is `ADMINI~1`, or `AD1A2B~1` once there
 * are several. @returns undefined when it has not the form of one
 */
export function shortNameOf(folded: string): ((literal: string) => boolean) | undefined {
  const [, head] = /^([^~]{1,6})~\d{1,6}(?:\.[^.]*)?$/.exec(folded) ?? [];
  if (head === undefined) return undefined;
  const hashed = head.replace(/[0-9a-f]{4}$/, '');
  return (literal) => literal.startsWith(head) || literal.startsWith(hashed);
}
