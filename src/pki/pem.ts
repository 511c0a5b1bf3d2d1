/** @returns the blocks with this label, undefined when one was cut off: a file is read whole or not at all. @see RFC 7468 */
export function pemBlocks(content: string, label: string): string[] | undefined {
  const blocks = content.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [];
  return content.split(`-----BEGIN ${label}-----`).length - 1 === blocks.length ? blocks : undefined;
}

/** @param block - one of `pemBlocks` */
export function derOf(block: string): Buffer {
  return Buffer.from(block.replace(/-----[^-]+-----/g, ''), 'base64');
}
