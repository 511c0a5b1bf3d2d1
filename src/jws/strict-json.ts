import { isUtf8 } from 'node:buffer';

export type JsonObject = { readonly [name: string]: unknown };

const maxDepth = 32;

/**
 * Parses the JSON object of a JOSE header or claims set more strictly than `JSON.parse`: UTF-8 without byte order
 * mark, an object at the top, no member name twice in any object (a parser that takes the first and one that takes
 * the last would see different claims), at most 32 levels deep.
 *
 * @returns the object, or undefined when the bytes are anything else. Members are own properties: look names that
 *   come from configuration up with `Object.hasOwn`, or a claim called `constructor` finds the prototype's.
 * @see RFC 7515 §4; RFC 7519 §4; RFC 8725 §2.6, §3.7
 */
export function parseStrictJsonObject(bytes: Buffer): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  if (!text.startsWith('{') && !/^[ \t\r\n]+\{/.test(text)) return undefined;
  let value: JsonObject;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isUnambiguous(text) ? value : undefined;
}

/**
 * Walks text that `JSON.parse` has already accepted, so that only strings and brackets need telling apart.
 * Linear: one pass, no recursion.
 */
function isUnambiguous(text: string): boolean {
  // One entry an open bracket: the names seen so far of an object, undefined for an array.
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
      case 0x5b: // [
        if (open.length === maxDepth) return false;
        open.push(text.charCodeAt(i) === 0x7b ? new Set() : undefined);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        break;
      case 0x22: {
        const end = endOfString(text, i);
        const names = open.at(-1);
        if (names !== undefined && isMemberName(text, end)) {
          const literal = text.slice(i, end + 1);
          // An escape can spell one name in several ways, so names are compared as they are read.
          const name: string = literal.includes('\\') ? JSON.parse(literal) : literal.slice(1, -1);
          if (names.has(name)) return false;
          names.add(name);
        }
        i = end;
        break;
      }
    }
  }
  return true;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text.charCodeAt(i) !== 0x22) i += text.charCodeAt(i) === 0x5c ? 2 : 1;
  return i;
}

// In an object a string is a member name exactly when a colon follows.
function isMemberName(text: string, end: number): boolean {
  let i = end + 1;
  while (i < text.length && ' \t\r\n'.includes(text.charAt(i))) i++;
  return text.charCodeAt(i) === 0x3a;
}
