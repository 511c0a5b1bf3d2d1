/** One element of a DER encoding. @see ITU-T X.690 §8.1 */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** with its tag and length */
  readonly whole: Buffer;
}

export const tags = { integer: 0x02, version: 0xa0, utcTime: 0x17, generalizedTime: 0x18 } as const;

/**
 * Takes a run of elements apart, one level deep. For what Node does not tell about a structure that OpenSSL has accepted:
 * it checks no more than it needs.
 * @returns what could be read; nothing of an element that is longer than what there is
 */
export function parseElements(bytes: Buffer | undefined): Element[] {
  const found: Element[] = [];
  for (let rest = bytes ?? Buffer.alloc(0); rest.length >= 2; ) {
    const { head, length } = parseLength(rest);
    if (rest.length < head + length) break;
    const whole = rest.subarray(0, head + length);
    found.push({ tag: rest.readUInt8(0), content: whole.subarray(head), whole });
    rest = rest.subarray(whole.length);
  }
  return found;
}

export function isElement(element: Element | undefined, tag: number): element is Element {
  return element?.tag === tag;
}

/** @returns ms since the epoch, undefined for what is no time. @see RFC 5280 §4.1.2.5: years before 50 are of this century */
export function parseTime(element: Element | undefined): number | undefined {
  const text = element?.content.toString('latin1') ?? '';
  const full = isElement(element, tags.utcTime) ? `${text < '50' ? '20' : '19'}${text}` : text;
  if (!isElement(element, tags.utcTime) && !isElement(element, tags.generalizedTime)) return undefined;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)?.slice(1).map(Number);
  const [year = 0, month = 0, day, hour, minute, second] = parts ?? [];
  return parts === undefined ? undefined : Date.UTC(year, month - 1, day, hour, minute, second);
}

/** @returns bytes before the content, and of the content */
function parseLength(bytes: Buffer): { head: number; length: number } {
  const first = bytes.readUInt8(1);
  if (first < 0x80) return { head: 2, length: first };
  const size = first & 0x7f;
  if (size === 0 || size > 4 || bytes.length < 2 + size) return { head: 2, length: Number.POSITIVE_INFINITY };
  return { head: 2 + size, length: bytes.readUIntBE(2, size) };
}
