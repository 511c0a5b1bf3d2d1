import type { IncomingMessage } from 'node:http';

/** What one connection may send ahead of its turn, beside the next request: 64 requests of 2 KB. */
export const maxAheadBytes = 384 * 1024;
/** The same for all connections together. */
const maxTotalBytes = 32 * 1024 * 1024;
/** What a request that waits takes beside the text of its head: objects of Node's and ours. Measured at 4 to 5 KB. */
const fixedBytes = 4 * 1024;

/**
 * What requests hold that were sent ahead and have not had their turn, on all connections of the listener. Without it
 * each connection could have a megabyte of heads kept.
 * @see REQUIREMENTS S15
 */
export class AheadBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = maxTotalBytes) {
    this.#maxBytes = maxBytes;
  }

  /** @returns false when there is no room for so many bytes more; then nothing was taken */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** @returns about what a request takes until its turn comes */
export function waitingBytes({ url = '', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>): number {
  let bytes = fixedBytes + url.length;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}
