/** One element of a DER encoding. @see ITU-T X.690 §8.1 */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** with its tag and length */
  readonly whole: Buffer;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/**
 * Takes a run of elements apart, one level deep. Single-byte tags and definite lengths that are as short as they can be:
 * all that certificates and revocation lists consist of.
 * @throws RangeError when something is cut off, longer than anybody would send, or not DER
 * @see ITU-T X.690 §10.1
 */
export function parseElements(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

function elementAt(bytes: Buffer, at: number): Element {
  const tag = bytes.readUInt8(at);
  if ((tag & 0x1f) === 0x1f) throw new RangeError('tag of an element');
  const first = bytes.readUInt8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || first === 0x80) throw new RangeError('length of an element');
  const start = at + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  if (lengthBytes > 0 && length < (lengthBytes === 1 ? 0x80 : 256 ** (lengthBytes - 1)))
    throw new RangeError('length of an element in more bytes than it needs');
  const end = start + length;
  if (end > bytes.length) throw new RangeError('an element is cut off');
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) };
}

/**
 * The elements inside the only element of these bytes.
 * @throws RangeError when it has another tag, or anything follows it
 */
export function parseOnly(bytes: Buffer, tag: number): Buffer {
  const [only, ...more] = parseElements(bytes);
  if (more.length > 0) throw new RangeError('bytes behind the last element');
  return contentOf(only, tag);
}

/** @throws RangeError when it is not there, or another */
export function contentOf(element: Element | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new RangeError(`tag ${element?.tag} where ${tag} is due`);
  return element.content;
}

/** @returns an OID as hex of its DER. @throws RangeError */
export function oidOf(element: Element | undefined): string {
  const content = contentOf(element, tags.oid);
  if (content.length === 0 || ((content.at(-1) ?? 0) & 0x80) !== 0) throw new RangeError('object identifier');
  return content.toString('hex');
}

/** A default that is written out is taken, as CAs do write it. @throws RangeError */
export function booleanOf(element: Element | undefined): boolean {
  const content = contentOf(element, tags.boolean);
  const [value] = content;
  if (content.length !== 1 || (value !== 0 && value !== 0xff)) throw new RangeError('boolean');
  return value === 0xff;
}

/** @returns the content of an integer, as short as it can be. @throws RangeError */
export function integerOf(element: Element | undefined): Buffer {
  const content = contentOf(element, tags.integer);
  const [first, second] = content;
  if (first === undefined) throw new RangeError('integer without content');
  const isPadded =
    second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (isPadded) throw new RangeError('integer in more bytes than it needs');
  return content;
}

/** @returns a whole number from 0, Infinity from 2^48 on. @throws RangeError */
export function naturalOf(element: Element | undefined): number {
  const content = integerOf(element);
  if ((content[0] ?? 0) >= 0x80) throw new RangeError('integer below 0');
  return content.length > 6 ? Number.POSITIVE_INFINITY : content.readUIntBE(0, content.length);
}

/** @returns the bytes of a bit string of whole bytes. @throws RangeError */
export function bytesOf(element: Element | undefined): Buffer {
  const content = contentOf(element, tags.bitString);
  if (content[0] !== 0) throw new RangeError('bit string of other than whole bytes');
  return content.subarray(1);
}

/**
 * @returns ms since the epoch, never NaN; undefined for what is no time of the calendar, in UTC and to the second
 * @see RFC 5280 §4.1.2.5: years before 50 are of this century
 */
export function parseTime(element: Element | undefined): number | undefined {
  const text = element?.content.toString('latin1') ?? '';
  const isShort = element?.tag === tags.utcTime;
  if (!isShort && element?.tag !== tags.generalizedTime) return undefined;
  const full = isShort ? `${text < '50' ? '20' : '19'}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const ms = Date.parse(iso);
  // Date.parse takes 24:00:00, and in some releases the 30th of February.
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : ms;
}
