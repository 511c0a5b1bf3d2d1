import type { IncomingMessage } from 'node:http';

// A piece costs some hundred bytes beside those that it holds: what is longer is passed on as it comes.
const smallBytes = 512;
// As many become one at a time.
const maxPieces = 256;
const codingField = 'transfer-encoding';

/**
 * Makes one piece of everything of a body that came with one read from the connection. Chunks may be of a byte each, ten
 * thousand in a packet; Node makes an object of each, and its bounds, like those of every stream that the pieces pass,
 * count bytes and no pieces: some hundred connections would fill the memory.
 *
 * Takes the place of `push`, by which Node's parser hands the body over. To be called while the message is announced, before
 * any of its body. A body that is not chunked comes in one piece a read.
 */
export function joinPieces(message: IncomingMessage): void {
  if (!isChunked(message.rawHeaders)) return;
  const push = message.push.bind(message);
  let pieces: Buffer[] = [];
  let bytes = 0;
  const flush = () => {
    const [first] = pieces;
    if (first === undefined) return;
    const whole = pieces.length === 1 ? first : Buffer.concat(pieces);
    pieces = [];
    bytes = 0;
    push(whole);
  };
  message.push = (piece: Buffer | null): boolean => {
    if (piece === null) {
      flush();
      return push(null);
    }
    if (pieces.length === 0) {
      if (piece.length > smallBytes) return push(piece);
      // Behind everything that has been read: ticks and promises have their turn between two pieces.
      setImmediate(flush);
    } else if (pieces.length === maxPieces) pieces = [Buffer.concat(pieces)];
    pieces.push(piece);
    bytes += piece.length;
    // As `push` would say: whether the parser is to go on.
    return message.readableFlowing === true || message.readableLength + bytes < message.readableHighWaterMark;
  };
}

/** @param rawHeaders - name, value, … */
function isChunked(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === codingField.length && name.toLowerCase() === codingField) return true;
  }
  return false;
}
