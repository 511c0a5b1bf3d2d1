import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTlsSession } from '#holdfast/listener/tls-session.js';

const element = (tag: number, content: Buffer) =>
  Buffer.concat([Buffer.from([tag, content.length]), content]);
const idContext = element(0xa4, element(0x04, Buffer.from('context')));
const session = (...members: Buffer[]) =>
  element(0x30, Buffer.concat([element(0x02, Buffer.from([1])), ...members]));

test('J17: the certificate of a session is read, and where there is none that is said', () => {
  const certificate = element(0x30, Buffer.from('certificate'));
  const found = parseTlsSession(session(element(0xa3, certificate), idContext));
  assert.deepEqual(found, { certificate, idContext: 'context' });
  assert.deepEqual(parseTlsSession(session(idContext)), { certificate: undefined, idContext: 'context' });
});

test('J17: a session in another form throws and tells nothing', () => {
  assert.throws(() => parseTlsSession(session()), RangeError);
  assert.throws(() => parseTlsSession(session(idContext).subarray(0, -1)), RangeError);
  assert.throws(() => parseTlsSession(Buffer.alloc(0)), RangeError);
});
