import { acceptFor } from '../support/websocket.js';
import { type RequestMessage, switchesToWebsocket } from './message.js';
import type { Random } from './random.js';

/** One thing that the service does with its connection. */
export type Step =
  | { readonly write: string }
  | { readonly pauseMs: number }
  | { readonly end: 'fin' | 'reset' };

export interface Answer {
  /** what the client has to get: absent where the answer is malformed or its end is open */
  readonly sound?: { readonly status: number; readonly body: string };
  /** what the service sends behind its 101; absent where it gives none that holds */
  readonly tunnelled?: string;
  /** given as soon as the head of the request is there */
  readonly early: boolean;
  readonly steps: readonly Step[];
}

const serviceFields = [
  'Content-Type: text/plain',
  'Content-Type: text/event-stream',
  'Set-Cookie: a=b',
  'Set-Cookie: c=d',
  'Cache-Control: max-age=60',
  'X-Odd_Name: x',
  'X-Latin: \xe9',
  'X-Empty:',
  'WWW-Authenticate: Basic realm="legacy"',
  'Via: 1.1 legacy',
  // What is not for the client, or not for the service to say.
  'X-Request-Id: 00000000-0000-0000-0000-000000000000',
  'X-Auth-Subject: root',
  'DPoP-Nonce: of-the-service',
  'Keep-Alive: timeout=9',
  'Proxy-Authenticate: Basic',
  'Upgrade: h2c',
  'Connection: X-Private',
  'X-Private: 1',
  'Trailer: X-Late',
] as const;

const statuses = [200, 200, 200, 200, 201, 204, 206, 301, 304, 400, 401, 404, 500, 503] as const;

/** What the service makes of a request. @param id - of the request; answers repeat it, so that none can be taken for another's */
export function makeAnswer(random: Random, request: RequestMessage, id: string): Answer {
  if (request.target.startsWith('/public/good')) return plainAnswer(id);
  if (switchesToWebsocket(request) && random.chance(0.8)) return switchingAnswer(random, request, id);
  const early = random.chance(0.05);
  const sound = soundAnswer(random, request.method, id);
  if (random.chance(0.75)) return { ...sound, early };
  return { early, steps: unsoundSteps(random, sound, id) };
}

function plainAnswer(id: string): Answer {
  const text = `HTTP/1.1 200 OK\r\nX-Answer-For: ${id}\r\nContent-Length: 2\r\n\r\nok`;
  return { sound: { status: 200, body: 'ok' }, early: false, steps: [{ write: text }] };
}

/** A 101 that is the right one for the handshake, or in one point is not. */
function switchingAnswer(random: Random, { all }: RequestMessage, id: string): Answer {
  const accept = acceptFor(all('sec-websocket-key')[0] ?? '');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    `X-Answer-For: ${id}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
  ];
  const others = serviceFields.filter((line) => !/^(?:upgrade|connection):/i.test(line));
  const good = `${[...lines, ...random.some(0.1, others)].join('\r\n')}\r\n\r\n`;
  const tunnelled = random.text(random.pick([0, 5, 100, 40_000]), '\x81\x82\0\xff \r\nHTTP/1.1 200');
  const end = random.chance(0.3) ? [{ end: random.pick(['fin', 'reset'] as const) }] : [];
  if (random.chance(0.7)) {
    const sound = { status: 101, body: '' };
    return { sound, tunnelled, early: false, steps: [...inPortions(random, good + tunnelled), ...end] };
  }
  const wrong = random.pick([
    good.replace(accept, acceptFor('another')),
    good.replace(/Sec-WebSocket-Accept.*\r\n/, ''),
    good.replace(/(Sec-WebSocket-Accept.*\r\n)/, '$1$1'),
    good.replace('websocket', 'h2c'),
    good.replace('Upgrade: websocket\r\n', ''),
    good.replace('Connection: Upgrade', 'Connection: keep-alive'),
    good.replace('Connection:', 'Content-Length: 5\r\nConnection:'),
    good.replace('Connection:', 'Transfer-Encoding: chunked\r\nConnection:'),
    good.replace('HTTP/1.1', 'HTTP/1.0'),
    good.slice(0, random.below(good.length - 4)),
  ]);
  return { early: false, steps: [...inPortions(random, wrong + tunnelled), ...end] };
}

interface SoundAnswer {
  readonly sound: { readonly status: number; readonly body: string };
  readonly steps: readonly Step[];
}

function soundAnswer(random: Random, method: string, id: string): SoundAnswer {
  const status = random.pick(statuses);
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  const length = random.pick([0, 1, 10, 100, 5000, 40_000]);
  const body = bodiless ? '' : `${id} ${random.text(length, 'abc \r\n\0\xff')}`;
  const head = [`HTTP/1.1 ${status} ${random.pick(['OK', '', 'Not Quite'])}`, `X-Answer-For: ${id}`];
  head.push(...random.some(0.1, serviceFields));
  const chunked = random.chance(0.4);
  if (status !== 204 && status !== 304)
    head.push(chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bodiless ? 7 : body.length}`);
  const content = bodiless ? '' : chunked ? inChunks(random, body) : body;
  const text = `${head.join('\r\n')}\r\n\r\n${content}`;
  const interim = random.chance(0.05) ? ['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'] : [];
  return {
    sound: { status, body },
    steps: [...interim.map((write) => ({ write })), ...inPortions(random, text)],
  };
}

function inChunks(random: Random, body: string): string {
  let text = '';
  for (let at = 0; at < body.length; ) {
    const size = random.between(1, random.pick([8, 512, 65_536]));
    const part = body.slice(at, at + size);
    text += `${part.length.toString(16)}\r\n${part}\r\n`;
    at += part.length;
  }
  return `${text}0\r\n${random.chance(0.1) ? 'X-Late: 1\r\n' : ''}\r\n`;
}

function inPortions(random: Random, text: string): Step[] {
  if (random.chance(0.6)) return [{ write: text }];
  const cut = random.below(text.length + 1);
  return [{ write: text.slice(0, cut) }, { pauseMs: random.pick([0, 1, 5]) }, { write: text.slice(cut) }];
}

/** What a service that is broken, or in the hands of somebody else, may send. */
function unsoundSteps(random: Random, { steps }: SoundAnswer, id: string): readonly Step[] {
  const text = steps.map((step) => ('write' in step ? step.write : '')).join('');
  const ok = (fields: string, body = '') => [
    { write: `HTTP/1.1 200 OK\r\nX-Answer-For: ${id}\r\n${fields}\r\n\r\n${body}` },
  ];
  const poison = 'HTTP/1.1 200 OK\r\nX-Answer-For: nobody\r\nContent-Length: 6\r\n\r\npoison';
  const kinds: readonly [() => readonly Step[], ...(() => readonly Step[])[]] = [
    () => [{ write: text.slice(0, random.below(text.length)) }, { end: random.pick(['fin', 'reset']) }],
    () => [{ end: random.pick(['fin', 'reset']) }],
    () => [],
    () => [{ write: text.slice(0, random.below(text.length)) }],
    () => [...steps, { end: random.pick(['fin', 'reset']) }],
    // In one portion: what comes later cannot be told from the answer to the next request.
    () => [{ write: `HTTP/1.1 200 OK\r\nX-Answer-For: ${id}\r\nContent-Length: 2\r\n\r\nok${poison}` }],
    () => ok('Connection: close', 'until the end'),
    () => [...ok('X: y', 'until the end'), { end: 'fin' }],
    () => ok('Content-Length: 5\r\nContent-Length: 6', 'abcdef'),
    () => ok('Content-Length: 5\r\nTransfer-Encoding: chunked', '5\r\nabcde\r\n0\r\n\r\n'),
    () => ok('Transfer-Encoding: gzip, chunked', '5\r\nabcde\r\n0\r\n\r\n'),
    () => ok('Transfer-Encoding: identity', 'abc'),
    () => ok('Transfer-Encoding: chunked', 'zz\r\nabc'),
    () => ok('Content-Length: -1'),
    () => ok(`X-Long: ${'x'.repeat(70_000)}`),
    () => ok('X-Bad: a\0b\r\nContent-Length: 0'),
    () => ok('X-Split: a\rSet-Cookie: evil=1\r\nContent-Length: 0'),
    () => ok(' X-Folded: a\r\n b\r\nContent-Length: 0'),
    () => [
      {
        write: `${random.pick(['HTTP/1.1 99 Low', 'HTTP/1.1 600 High', 'HTTP/1.1 1000 Long', 'HTTP/2 200 OK', 'RTSP/1.1 200 OK', 'HTTP/1.1 200 a\0b', 'HTTP/1.1 2 0', 'garbage', ''])}\r\nContent-Length: 0\r\n\r\n`,
      },
    ],
    () => [
      {
        write:
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00',
      },
    ],
    () => [{ write: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(random.pick([1, 3, 200])) }, ...steps],
    () => [{ write: `HTTP/1.0 200 OK\r\nX-Answer-For: ${id}\r\n\r\nold` }, { end: 'fin' }],
    () => {
      const at = random.below(text.length);
      return [
        {
          write:
            text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + random.below(2)),
        },
      ];
    },
  ];
  return random.pick(kinds)();
}
