import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Checkpoint } from '../support/checkpoint.js';
import { harmlessNames, trustedNames } from '../support/trusted-names.js';

const notAllowed = { reason: 'header_name_refused', status: 400, body: 'invalid_request', schemes: [] };
const perCall = 40;

describe('L11: names that legacy services trust', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start();
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  test('L11: none of them reaches the service', async () => {
    for (let at = 0; at < trustedNames.length; at += perCall) {
      const some = trustedNames.slice(at, at + perCall);
      const { seen } = await guarded.admits({ headers: some.map((name) => `${name}: forged-value`) });
      assert.deepEqual(
        seen.headers.filter(([, value]) => value.includes('forged-value')),
        [],
      );
    }
  });

  for (const name of trustedNames.filter((one) => one.includes('-'))) {
    test(`L11: ${name} with underscores is refused`, async () => {
      const mixed = name.replace('-', '_');
      for (const form of new Set([name.replaceAll('-', '_'), mixed]))
        await guarded.refuses({ headers: [`${form}: forged-value`] }, notAllowed);
    });
  }

  test('L11: accepting twin: names that are like those', async () => {
    const { seen } = await guarded.admits({ headers: harmlessNames.map((name) => `${name}: mine`) });
    assert.deepEqual(
      seen.headers.filter(([, value]) => value === 'mine').map(([name]) => name),
      [...harmlessNames],
    );
  });

  test('L11: none of them reaches the client, in any form, nor what folds to framing', async () => {
    const forms = trustedNames.flatMap((name) => [name, name.replaceAll('-', '_'), name.replace('-', '_')]);
    const framing = [
      'Transfer_Encoding',
      'Content_Length',
      'Transfer-encoding_',
      'Keep_Alive',
      'X_Request_Id',
      'Client_Cert',
    ];
    const unwanted = [...new Set([...forms, ...framing])];
    for (let at = 0; at < unwanted.length; at += perCall) {
      const lines = unwanted.slice(at, at + perCall).map((name) => `${name}: forged-value`);
      guarded.service.script = () =>
        `HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\nX_Odd: mine\r\nX-Fine: mine\r\nContent-Length: 2\r\n\r\nok`;
      const { response } = await guarded.admits();
      guarded.service.reset();
      assert.deepEqual(
        response.headers.filter(([, value]) => value.includes('forged-value')),
        [],
      );
      assert.equal(response.one('x-fine'), 'mine');
      assert.equal(response.one('x_odd'), 'mine');
      assert.equal(response.body, 'ok');
    }
  });
});
