import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Guarded, type ProvenParts, until } from '../support/guarded.js';

const bodyBytes = 64 * 1024;
let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({ config: { listen: { limits: { bodyBytes: '64KiB' } } } });
});
after(() => guarded.stop());

const ownFields = 3; // Host, Authorization, DPoP
const tooLarge = { status: 431, reason: 'header_fields_too_large' };
const post = { method: 'POST', target: '/a' };

function fields(count: number): string[] {
  return Array.from({ length: count }, () => 'A: b');
}

function chunk(size: number): string {
  return `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`;
}

const refused: readonly { title: string; parts: ProvenParts; status: number; reason: string }[] = [
  { title: 'a head of 17 KiB', parts: { headers: [`X-A: ${'a'.repeat(17 * 1024)}`] }, ...tooLarge },
  { title: '101 fields', parts: { headers: fields(101 - ownFields) }, ...tooLarge },
  {
    title: '2100 fields, trap Node: those beyond 2000 are dropped',
    parts: { headers: fields(2100) },
    ...tooLarge,
  },
  {
    title: 'a target of 8 KiB and a byte',
    parts: { target: `/?${'a'.repeat(8 * 1024 - 1)}` },
    ...{ status: 414, reason: 'target_too_long' },
  },
  { title: 'a target of 20 KiB', parts: { target: `/?${'a'.repeat(20 * 1024)}` }, ...tooLarge },
  {
    title: 'a body that is announced a byte too long',
    parts: { ...post, headers: [`Content-Length: ${bodyBytes + 1}`] },
    ...{ status: 413, reason: 'body_too_large' },
  },
  {
    title: 'a body of more bytes than a number can count',
    parts: { ...post, headers: [`Content-Length: ${'9'.repeat(19)}`] },
    ...{ status: 400, reason: 'framing_invalid' },
  },
];

describe('A17: over the limit is refused', () => {
  for (const { title, parts, ...expected } of refused) {
    test(title, async () => {
      await guarded.refuses({ bytes: guarded.proven(parts), ...expected, closes: true });
    });
  }

  test('A17: a chunked body that grows over the limit: 413, and the service gets no whole request', async () => {
    guarded.service.reset();
    const wire = await guarded.open();
    wire.send(guarded.proven({ ...post, headers: ['Transfer-Encoding: chunked'] }));
    for (let sent = 0; sent <= bodyBytes; sent += 16 * 1024) wire.send(chunk(16 * 1024));
    const response = await wire.response();
    assert.equal(response.status, 413);
    assert.equal(response.one('connection'), 'close');
    assert.equal((await guarded.sidecar.logged(response)).reason, 'body_too_large');
    wire.send('0\r\n\r\n');
    assert.equal(await wire.closed(), '');
    assert.deepEqual(guarded.service.requests, []);
    await guarded.serves();
  });

  test('A17: a client that writes 10 MB before it reads still gets the 413', async () => {
    const wire = await guarded.open();
    wire.send(guarded.proven({ ...post, headers: ['Transfer-Encoding: chunked'] }));
    for (let sent = 0; sent < 10 * 1024 * 1024; sent += bodyBytes) wire.send(chunk(bodyBytes));
    assert.equal((await wire.response()).status, 413);
    wire.close();
    await guarded.serves();
  });
});

describe('A15: chunk syntax', () => {
  const bad: readonly { title: string; body: string }[] = [
    { title: 'an extension of 64 KiB', body: `2;${'x'.repeat(64 * 1024)}\r\nhi\r\n0\r\n\r\n` },
    { title: 'a size that is no hex number', body: 'zz\r\nhi\r\n0\r\n\r\n' },
    { title: 'a negative size', body: '-2\r\nhi\r\n0\r\n\r\n' },
    { title: 'a prefix of another language', body: '0x2\r\nhi\r\n0\r\n\r\n' },
    { title: 'a size of 17 digits', body: '10000000000000002\r\nhi\r\n0\r\n\r\n' },
    { title: 'a chunk longer than its size', body: '2\r\nhihi\r\n0\r\n\r\n' },
    { title: 'bare LF after the size', body: '2\nhi\r\n0\r\n\r\n' },
    { title: 'bare CR in an extension', body: '2;a\rb\r\nhi\r\n0\r\n\r\n' },
    { title: 'a bare LF in an extension', body: '2;a\nb\r\nhi\r\n0\r\n\r\n' },
  ];
  for (const { title, body } of bad) {
    test(`${title}: 400, and the service gets no whole request`, async () => {
      guarded.service.reset();
      const wire = await guarded.open();
      const follower = guarded.proven({ target: '/smuggled' });
      wire.send(guarded.proven({ ...post, headers: ['Transfer-Encoding: chunked'], body: body + follower }));
      const response = await wire.response();
      assert.equal(response.status, 400);
      assert.equal(response.one('connection'), 'close');
      assert.match(response.one('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
      assert.equal((await guarded.sidecar.logged(response)).reason, 'request_malformed');
      assert.equal(await wire.closed(), '');
      assert.deepEqual(guarded.service.requests, []);
      await guarded.serves();
    });
  }
});

const accepted: readonly { title: string; parts: ProvenParts }[] = [
  { title: 'a head of 15 KiB', parts: { headers: [`X-A: ${'a'.repeat(14 * 1024)}`] } },
  { title: '100 fields', parts: { headers: fields(100 - ownFields) } },
  { title: 'a target of 8 KiB', parts: { target: `/?${'a'.repeat(8 * 1024 - 2)}` } },
  {
    title: 'an announced body of the limit',
    parts: { ...post, headers: [`Content-Length: ${bodyBytes}`], body: 'x'.repeat(bodyBytes) },
  },
  {
    title: 'a chunked body of the limit',
    parts: { ...post, headers: ['Transfer-Encoding: chunked'], body: `${chunk(bodyBytes)}0\r\n\r\n` },
  },
  {
    title: 'a chunk with a short extension',
    parts: { ...post, headers: ['Transfer-Encoding: chunked'], body: '2;x=y\r\nhi\r\n0\r\n\r\n' },
  },
];

describe('A17, A15: twins at the limit pass whole', () => {
  for (const { title, parts } of accepted) {
    test(title, async () => {
      guarded.service.reset();
      const response = await guarded.send(parts);
      assert.equal(response.status, 200, response.body);
      const { line, rawBody, all } = guarded.service.last;
      assert.equal(line, `${parts.method ?? 'GET'} ${parts.target ?? '/'} HTTP/1.1`);
      assert.equal(all('a').length, parts.headers?.filter((one) => one === 'A: b').length ?? 0);
      const sent = (parts.body ?? '').replace(/;x=y/, '').replaceAll(/^[0-9a-f]+\r\n|\r\n/gm, '');
      assert.equal(rawBody.replaceAll(/^[0-9a-f]+\r\n|\r\n/gm, '').length, sent.length);
    });
  }

  test('none of the connections to the service is left waiting', () =>
    until(() => guarded.service.open === 0, 'no open request at the service'));
});
