import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Guarded } from '../support/guarded.js';

const bodyBytes = 1024;
let guarded: Guarded;
before(async () => {
  guarded = await Guarded.start({ config: { listen: { limits: { bodyBytes: '1KiB' } } } });
});
after(() => guarded.stop());

const post = { method: 'POST', target: '/a', headers: ['Transfer-Encoding: chunked'] };

/** Chunks of one size, and the end. */
function chunked(bytes: number, size: number): string {
  const chunks = Array.from(
    { length: bytes / size },
    () => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`,
  );
  return `${chunks.join('')}0\r\n\r\n`;
}

for (const size of [1, 5, 205]) {
  test(`A17: a byte and more over the limit in one packet, in chunks of ${size}: 413, and no whole request at the service`, async () => {
    for (let attempt = 0; attempt < 5; attempt++) {
      // So that there is a connection to the service which need not be waited for.
      await guarded.serves();
      guarded.service.reset();
      const response = await guarded.send({ ...post, body: chunked(1025, size) });
      assert.equal(response.status, 413);
      assert.equal((await guarded.sidecar.logged(response)).reason, 'body_too_large');
      await guarded.serves();
      assert.equal(guarded.service.requests.length, 1, 'the good one and nothing else');
    }
  });
}

test('A17: twin: a body of the limit in one packet arrives whole', async () => {
  const response = await guarded.send({ ...post, body: chunked(bodyBytes, 4) });
  assert.equal(response.status, 200);
  assert.equal(guarded.service.last.body.length, bodyBytes);
});
