import { contentOf, type Element, oidOf, parseElements, tags } from './der.js';

/** One relative distinguished name, as text that is equal for names that are equal. */
export type NamePart = string;

// Strings whose bytes are text: UTF8String, PrintableString, TeletexString, IA5String, VisibleString.
const utf8 = 0x0c;
const bmp = 0x1e;
const universal = 0x1c;
const singleByte: ReadonlySet<number> = new Set([0x13, 0x14, 0x16, 0x1a]);

/**
 * Reads a distinguished name so that two can be compared: whatever the kind of string, without regard to case, and with
 * runs of white space as one.
 * @param name - the element Name, a SEQUENCE
 * @throws RangeError
 * @see RFC 5280 §7.1, §4.1.2.4
 */
export function parseName(name: Element | undefined): NamePart[] {
  return parseElements(contentOf(name, tags.sequence)).map((part) => {
    const attributes = parseElements(contentOf(part, tags.set)).map((attribute) => {
      const [type, value, ...more] = parseElements(contentOf(attribute, tags.sequence));
      if (value === undefined || more.length > 0) throw new RangeError('attribute of a name');
      return JSON.stringify([oidOf(type), comparable(value)]);
    });
    if (attributes.length === 0) throw new RangeError('part of a name without attribute');
    return attributes.toSorted().join('+');
  });
}

/** One text for a whole name. */
export function nameKey(parts: readonly NamePart[]): string {
  return parts.join(',');
}

const emailAddress = '2a864886f70d010901';

/** Values of the attribute emailAddress in a name, which name constraints are about as well. @see RFC 5280 §4.2.1.10 */
export function emailsOf(name: Element | undefined): string[] {
  return parseElements(contentOf(name, tags.sequence)).flatMap((part) =>
    parseElements(contentOf(part, tags.set)).flatMap((attribute) => {
      const [type, value] = parseElements(contentOf(attribute, tags.sequence));
      return oidOf(type) === emailAddress && value !== undefined ? [value.content.toString('latin1')] : [];
    }),
  );
}

function comparable({ tag, content }: Element): string {
  const text = textOf(tag, content);
  if (text === undefined) return `${tag}:${content.toString('hex')}`;
  return text.normalize('NFKC').toLowerCase().trim().replace(/\s+/gu, ' ');
}

function textOf(tag: number, content: Buffer): string | undefined {
  if (tag === utf8) return new TextDecoder('utf-8', { fatal: false }).decode(content);
  if (singleByte.has(tag)) return content.toString('latin1');
  if (tag === bmp && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le');
  if (tag === universal && content.length % 4 === 0) {
    const points = Array.from({ length: content.length / 4 }, (_, index) => content.readUInt32BE(index * 4));
    return points.every((point) => point <= 0x10ffff) ? String.fromCodePoint(...points) : undefined;
  }
  return undefined;
}
