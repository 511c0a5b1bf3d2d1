/**
 * A reader of HTTP/1.1 for the oracle, apart from the product and from Node's parser. Text is latin1: a character is a
 * byte.
 */
export interface Message {
  /** request line or status line */
  readonly line: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** without chunk framing; of a message that is not whole what has come of it */
  readonly body: string;
  /** all values of a field name that is given in lower case */
  all(name: string): string[];
}

export type Read<M extends Message = Message> =
  | { readonly kind: 'whole'; readonly message: M; readonly length: number }
  /** more may follow; without message the head is not whole */
  | { readonly kind: 'partial'; readonly message?: M }
  /** with message: its body is */
  | { readonly kind: 'malformed'; readonly why: string; readonly message?: M };

export interface RequestMessage extends Message {
  readonly method: string;
  readonly target: string;
  readonly version: string;
}

export interface AnswerMessage extends Message {
  readonly status: number;
}

/** Whether it is the answer to a request; the ones before it are interim. 101 is the last thing said in HTTP. */
export function isFinal({ status }: AnswerMessage): boolean {
  return status >= 200 || status === 101;
}

/** Whether the message asks for a WebSocket, or agrees to one. */
export function switchesToWebsocket({ all }: Message): boolean {
  const protocols = all('upgrade');
  const options = all('connection').flatMap((line) =>
    line.split(',').map((option) => option.trim().toLowerCase()),
  );
  return protocols.length === 1 && protocols[0]?.toLowerCase() === 'websocket' && options.includes('upgrade');
}

/**
 * `sent`: how Holdfast writes, where every byte has one place. `client`: what a server may read as a request, which is
 * RFC 9112 and what docs/http.md says that Node's parser takes beyond it.
 */
export type Strictness = 'sent' | 'client';

const fieldLine = {
  sent: /^([0-9A-Za-z-]+): ((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/,
  client: /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*((?:[^\r\n\0]*[^\r\n\0\t ])?)[\t ]*$/,
  answer: /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/,
};
const requestLine = {
  sent: /^([A-Z-]+) (\/[\x21-\x7e]*) HTTP\/(1\.1)$/,
  client: /^([A-Z-]+) +([^ ]+) +(?:HTTP|RTSP|ICE)\/(1\.[01])$/,
};

export function readRequest(text: string, strictness: Strictness): Read<RequestMessage> {
  // RFC 9112 §2.2: empty lines in front of a request are passed over. Node's parser takes any line end for one.
  const start = strictness === 'client' ? (/^[\r\n]+/.exec(text)?.[0].length ?? 0) : 0;
  const head = readHead(text, start, fieldLine[strictness]);
  if (head.kind !== 'whole')
    return head.kind === 'malformed' ? { kind: 'malformed', why: head.why } : { kind: 'partial' };
  const match = requestLine[strictness].exec(head.message.line);
  if (match === null) return { kind: 'malformed', why: 'request line' };
  const [, method = '', target = '', version = ''] = match;
  const framing = readFraming(head.message);
  if (framing === undefined || framing.kind === 'close') return { kind: 'malformed', why: 'framing' };
  return readBody(
    text,
    { ...head.message, method, target, version },
    { at: head.length, framing, strictness },
  );
}

/** @param bodiless - the request was HEAD; @param ended - nothing more will come */
export function readAnswer(
  text: string,
  { bodiless, ended }: { bodiless: boolean; ended: boolean },
): Read<AnswerMessage> {
  const head = readHead(text, 0, fieldLine.answer);
  if (head.kind !== 'whole')
    return head.kind === 'malformed' ? { kind: 'malformed', why: head.why } : { kind: 'partial' };
  const match = /^HTTP\/1\.1 ([1-5][0-9][0-9]) [\x20-\x7e]*$/.exec(head.message.line);
  if (match === null) return { kind: 'malformed', why: 'status line' };
  const status = Number(match[1]);
  const framing = readFraming(head.message, 'close');
  if (framing === undefined) return { kind: 'malformed', why: 'framing' };
  const message = { ...head.message, status };
  if (bodiless || status < 200 || status === 204 || status === 304)
    return { kind: 'whole', message, length: head.length };
  if (framing.kind !== 'close')
    return readBody(text, message, { at: head.length, framing, strictness: 'sent' });
  const body = text.slice(head.length);
  return ended
    ? { kind: 'whole', message: { ...message, framing: 'close', body }, length: text.length }
    : { kind: 'partial', message: { ...message, framing: 'close', body } };
}

function readHead(text: string, start: number, field: RegExp): Read {
  const end = text.indexOf('\r\n\r\n', start);
  if (end < 0) return text.length > 65_536 ? { kind: 'malformed', why: 'endless head' } : { kind: 'partial' };
  const [line = '', ...lines] = text.slice(start, end).split('\r\n');
  const fields: [string, string][] = [];
  for (const one of lines) {
    const match = field.exec(one);
    if (match === null) return { kind: 'malformed', why: `field line ${JSON.stringify(one.slice(0, 80))}` };
    fields.push([match[1] ?? '', match[2] ?? '']);
  }
  const all = (name: string) =>
    fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  return { kind: 'whole', message: { line, fields, framing: 'none', body: '', all }, length: end + 4 };
}

type Framing =
  | { readonly kind: 'none' | 'chunked' | 'close' }
  | { readonly kind: 'length'; readonly bytes: number };

function readFraming({ all }: Message, unframed: 'none' | 'close' = 'none'): Framing | undefined {
  const codings = all('transfer-encoding');
  const lengths = all('content-length');
  if (codings.length + lengths.length > 1) return undefined;
  const [coding] = codings;
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? { kind: 'chunked' } : undefined;
  const [length] = lengths;
  if (length === undefined) return { kind: unframed };
  return /^(?:0|[1-9][0-9]{0,14})$/.test(length) ? { kind: 'length', bytes: Number(length) } : undefined;
}

interface BodyPlace {
  readonly at: number;
  readonly framing: Framing;
  readonly strictness: Strictness;
}

function readBody<M extends Message>(
  text: string,
  message: M,
  { at, framing, strictness }: BodyPlace,
): Read<M> {
  if (framing.kind === 'chunked') return readChunks(text, message, { at, strictness });
  if (framing.kind !== 'length') return { kind: 'whole', message, length: at };
  const body = text.slice(at, at + framing.bytes);
  const read = { ...message, framing: framing.kind, body };
  return body.length === framing.bytes
    ? { kind: 'whole', message: read, length: at + framing.bytes }
    : { kind: 'partial', message: read };
}

const sizeLine = {
  sent: /([0-9a-f]{1,8})\r\n/iy,
  client: /([0-9a-f]{1,16})(?:[\t ]*;[^\r\n]*)?\r\n/iy,
};
const trailers = { sent: /\r\n/y, client: /(?:[^\r\n:]+:[^\r\n]*\r\n)*\r\n/y };

function readChunks<M extends Message>(
  text: string,
  message: M,
  { at, strictness }: Omit<BodyPlace, 'framing'>,
): Read<M> {
  let body = '';
  const soFar = (): M => ({ ...message, framing: 'chunked', body });
  const partial = (): Read<M> => ({ kind: 'partial', message: soFar() });
  const malformed = (why: string): Read<M> => ({ kind: 'malformed', why, message: soFar() });
  for (let place = at; ; ) {
    const size = matchAt(sizeLine[strictness], text, place);
    if (size === undefined)
      return /^[0-9a-f]{0,16}(?:[\t ]*;[^\r\n]*)?\r?$/i.test(text.slice(place))
        ? partial()
        : malformed('chunk size');
    place += size[0].length;
    const bytes = Number.parseInt(size[1] ?? '', 16);
    if (bytes === 0) {
      const end = matchAt(trailers[strictness], text, place);
      if (end !== undefined)
        return {
          kind: 'whole',
          message: { ...message, framing: 'chunked', body },
          length: place + end[0].length,
        };
      const mayBecome =
        strictness === 'sent' ? '\r\n'.startsWith(text.slice(place)) : text.indexOf('\r\n\r\n', place) < 0;
      return mayBecome ? partial() : malformed('trailers');
    }
    body += text.slice(place, place + bytes);
    place += bytes + 2;
    if (text.length < place) return partial();
    if (text.slice(place - 2, place) !== '\r\n') return malformed('end of chunk');
  }
}

function matchAt(sticky: RegExp, text: string, at: number): RegExpExecArray | undefined {
  sticky.lastIndex = at;
  return sticky.exec(text) ?? undefined;
}
