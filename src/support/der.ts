/** One element of a DER encoding. @see ITU-T X.690 §8.1 */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/**
 * Takes a run of elements apart, one level deep. For what Node does not tell about a structure that OpenSSL has accepted:
 * single-byte tags and definite lengths, all that certificates and revocation lists consist of. Does not check that
 * lengths are as short as they could be.
 * @throws RangeError when something is cut off, or longer than anybody would send
 */
export function parseElements(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (lengthBytes > 4 || first === 0x80) throw new RangeError('length of an element');
    const start = at + 2 + lengthBytes;
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
    const end = start + length;
    if (end > bytes.length) throw new RangeError('an element is cut off');
    elements.push({ tag, content: bytes.subarray(start, end) });
    at = end;
  }
  return elements;
}

/** @throws RangeError when it is not there, or another */
export function contentOf(element: Element | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new RangeError(`tag ${element?.tag} where ${tag} is due`);
  return element.content;
}

/** @returns ms since the epoch, undefined for what is no time. @see RFC 5280 §4.1.2.5: years before 50 are of this century */
export function parseTime(element: Element | undefined): number | undefined {
  const text = element?.content.toString('latin1') ?? '';
  const isShort = element?.tag === tags.utcTime;
  if (!isShort && element?.tag !== tags.generalizedTime) return undefined;
  const full = isShort ? `${text < '50' ? '20' : '19'}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)?.slice(1).map(Number);
  const [year = 0, month = 0, day, hour, minute, second] = parts ?? [];
  return parts === undefined ? undefined : Date.UTC(year, month - 1, day, hour, minute, second);
}
