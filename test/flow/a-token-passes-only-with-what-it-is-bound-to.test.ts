import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused } from '../support/checkpoint.js';
import { makeDpopKey } from '../support/dpop.js';
import { bearerException } from '../support/exceptions.js';

const thumbprint = 'A'.repeat(43);

describe('a token passes only with what it is bound to', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start({
      config: { exceptions: [bearerException({ clients: ['shop'], routes: ['/legacy/**'] })] },
    });
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  const jkt = () => guarded.client.jkt;
  const unsupported: readonly unknown[] = [
    { kid: 'k1' },
    { jwk: { kty: 'EC' } },
    { jku: 'https://a.test', kid: 'a' },
    { x5t: 'AAAA' },
    { JKT: thumbprint },
    { 'x5t#s256': thumbprint },
    { 'jkt ': thumbprint },
  ];
  const malformed: readonly unknown[] = [
    null,
    [],
    {},
    'jkt',
    1,
    true,
    [{ jkt: thumbprint }],
    { jkt: 1 },
    { jkt: null },
    { jkt: '' },
    { jkt: [thumbprint] },
    { jkt: `${thumbprint}=` },
    { jkt: `${thumbprint}A` },
    { jkt: thumbprint.slice(1) },
    { jkt: `${thumbprint.slice(1)}B` },
    { jkt: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${thumbprint}` },
    { 'x5t#S256': `${thumbprint}=` },
    { 'x5t#S256': 'aa:bb' },
  ];
  for (const [id, reason, values] of [
    ['F02', 'confirmation_unsupported', unsupported],
    ['F04, F05', 'confirmation_malformed', malformed],
  ] as const) {
    for (const cnf of values) {
      test(`${id}: cnf ${JSON.stringify(cnf)}, by proof and under an exception`, async () => {
        await guarded.refuses({ token: guarded.token({ cnf }) }, { reason, error: 'invalid_token' });
        await guarded.refuses(
          { target: '/legacy/1', scheme: 'Bearer', token: guarded.token({ cnf }), proof: null },
          { reason, error: 'invalid_token', by: ['Bearer'] },
        );
      });
    }
  }

  test('F05: one member that is good does not make up for one that is not', async () => {
    const token = guarded.token({ cnf: { jkt: jkt(), 'x5t#S256': 'short' } });
    await guarded.refuses({ token }, { reason: 'confirmation_malformed', error: 'invalid_token' });
  });

  test('F03: accepting twin: unknown members beside a known one are tolerated', async () => {
    await guarded.admits({ token: guarded.token({ cnf: { x: 1, jkt: jkt(), kid: 'k' } }) });
  });

  test('F01: a token bound to a certificate as well is refused where there is none', async () => {
    const token = guarded.token({ cnf: { jkt: jkt(), 'x5t#S256': thumbprint } });
    await guarded.refuses({ token }, { reason: 'certificate_missing', error: 'invalid_token' });
  });

  describe('F06: under an exception', () => {
    const target = '/legacy/orders';
    const refused = (reason: string): Refused => ({ reason, error: 'invalid_token', by: ['Bearer'] });
    for (const proof of [undefined, null]) {
      test(`F06: a bound token as Bearer, ${proof === null ? 'without' : 'with'} a proof beside it`, async () => {
        await guarded.refuses(
          { target, scheme: 'Bearer', ...(proof === null && { proof }) },
          refused('bound_token_as_bearer'),
        );
      });
    }
    test('F06: a token bound to a certificate, without one', async () => {
      const token = guarded.token({ cnf: { 'x5t#S256': thumbprint } });
      await guarded.refuses({ target, scheme: 'Bearer', token, proof: null }, refused('certificate_missing'));
    });
    test('F06: a bound token with a proof of another key', async () => {
      await guarded.refuses(
        { target, key: makeDpopKey() },
        { reason: 'dpop_key_mismatch', error: 'invalid_token' },
      );
    });
    test('F06: accepting twins: an unbound token as Bearer, and a bound one that is proven', async () => {
      const token = guarded.token({ cnf: undefined });
      const { seen } = await guarded.admits({ target, scheme: 'Bearer', token, proof: null });
      assert.deepEqual(seen.all('x-auth-proof'), ['exception']);
      assert.deepEqual((await guarded.admits({ target })).seen.all('x-auth-proof'), ['dpop']);
    });
  });
});
