import { type ExpectedAnswer, forwarded, type HostileCase, lines, refused } from '../case.js';

const tooLarge: ExpectedAnswer = { status: 431, reason: 'header_fields_too_large' };
const tooLong: ExpectedAnswer = { status: 414, reason: 'target_too_long' };
const bodyTooLarge: ExpectedAnswer = { status: 413, reason: 'body_too_large' };

const withFields = (...fields: readonly string[]) =>
  lines('GET /public/a HTTP/1.1', 'Host: api.test', ...fields, '', '');
const times = (count: number, field: string) => Array.from({ length: count }, () => field);
const get = (target: string) => lines(`GET ${target} HTTP/1.1`, 'Host: api.test', '', '');
const post = (framing: string, body: string) =>
  lines('POST /public/a HTTP/1.1', 'Host: api.test', framing, '', body);
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;

/** Limits of the deployment: 16 KiB of head, 100 fields, 8 KiB of target, 64 KiB of body. */
const over: readonly HostileCase[] = [
  refused('A17: a field of 17 KiB', withFields(`X-A: ${'a'.repeat(17 * 1024)}`), tooLarge),
  refused('A17: a field name of 17 KiB', withFields(`${'a'.repeat(17 * 1024)}: b`), tooLarge),
  refused('A17: 17 KiB of small fields', withFields(...times(90, `X-A: ${'a'.repeat(200)}`)), tooLarge),
  refused('A17: 101 fields', withFields(...times(100, 'A: b')), tooLarge),
  refused(
    'A17, trap Node: 2100 fields, of which Node would drop the last',
    withFields(...times(2099, 'A: b')),
    tooLarge,
  ),
  refused(
    'A17, A01, trap Node: a second Host behind 2000 fields is not dropped unseen',
    withFields(...times(2000, 'A: b'), 'Host: other.test'),
    tooLarge,
  ),
  refused('A17: a target of 8 KiB and a byte', get(`/public/${'a'.repeat(8 * 1024 - 7)}`), tooLong),
  refused('A17: a query of 9 KiB', get(`/public/?${'a'.repeat(9 * 1024)}`), tooLong),
  refused(
    'A17: a target of 20 KiB',
    get(`/public/${'a'.repeat(20 * 1024)}`),
    { status: [414, 431] },
    {
      because: 'the parser limits the head before the target is known',
    },
  ),
  refused('A17: a body that is announced a byte too long', post('Content-Length: 65537', ''), bodyTooLarge),
  refused('A17: and sent', post('Content-Length: 65537', 'x'.repeat(65537)), bodyTooLarge),
  {
    title: 'A17: a chunk of a byte too many',
    bytes: post('Transfer-Encoding: chunked', `${chunk(65537)}0\r\n\r\n`),
    answers: [bodyTooLarge],
    saw: 'incomplete',
    closes: true,
  },
  {
    title: 'A17: chunks that grow over the limit',
    bytes: post('Transfer-Encoding: chunked', `${chunk(16 * 1024).repeat(4)}${chunk(1)}0\r\n\r\n`),
    answers: [bodyTooLarge],
    saw: 'incomplete',
    closes: true,
  },
];

const atLimit: readonly HostileCase[] = [
  forwarded('A17: twin: a field of 15 KiB', withFields(`X-A: ${'a'.repeat(15 * 1024)}`), {
    line: 'GET /public/a HTTP/1.1',
    fields: { 'x-a': ['a'.repeat(15 * 1024)] },
  }),
  forwarded('A17: twin: 100 fields', withFields(...times(99, 'X-A: b')), {
    line: 'GET /public/a HTTP/1.1',
    fields: { 'x-a': times(99, 'b') },
  }),
  forwarded('A17: twin: a target of 8 KiB', get(`/public/${'a'.repeat(8 * 1024 - 8)}`), {
    line: `GET /public/${'a'.repeat(8 * 1024 - 8)} HTTP/1.1`,
  }),
  forwarded('A17: twin: a body of 64 KiB', post('Content-Length: 65536', 'x'.repeat(65536)), {
    line: 'POST /public/a HTTP/1.1',
    body: 'x'.repeat(65536),
  }),
  forwarded('A17: twin: chunks of 64 KiB', post('Transfer-Encoding: chunked', `${chunk(65536)}0\r\n\r\n`), {
    line: 'POST /public/a HTTP/1.1',
    body: 'x'.repeat(65536),
  }),
];

/** A17: over a limit is refused, never cut. */
export const limitCases: readonly HostileCase[] = [...over, ...atLimit];
