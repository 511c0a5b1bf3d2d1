import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Checkpoint, type Refused, uniqueText } from '../support/checkpoint.js';
import { request } from '../support/sidecar.js';

const none: Refused = { reason: 'credentials_missing', status: 401, body: 'unauthorized' };

describe('credentials are read strictly', () => {
  let guarded: Checkpoint;
  before(async () => {
    guarded = await Checkpoint.start();
    await guarded.fetchNonce();
  });
  after(() => guarded.stop());

  test('C01: no credentials get one challenge a scheme and no error', async () => {
    await guarded.refuses({ token: null }, none);
  });

  test('C01: a proof without a token is no credentials', async () => {
    await guarded.refuses({ token: null, proof: guarded.proof({ token: guarded.token() }) }, none);
  });

  for (const value of ['Basic YTpi', 'Negotiate abc', 'Digest username="a"', 'BearerX abc', '', '=']) {
    test(`C02: Authorization: ${value || '(empty)'} counts as no credentials`, async () => {
      await guarded.refuses(request({ headers: [`Authorization: ${value}`] }), none);
    });
  }

  describe('C03: more than one set of credentials', () => {
    const expected: Refused = {
      ...{ reason: 'credentials_ambiguous', error: 'invalid_request', by: ['Bearer', 'DPoP'] },
    };
    const rows: Readonly<Record<string, (token: string) => string[]>> = {
      'RFC 9449 §7.2 figure 19: Bearer and DPoP lines': (token) => [
        `Authorization: Bearer ${token}`,
        `Authorization: DPoP ${token}`,
      ],
      'the same line twice': (token) => [`Authorization: DPoP ${token}`, `Authorization: DPoP ${token}`],
      'a joined pair': (token) => [`Authorization: Bearer ${token}, DPoP ${token}`],
      'a good line and a foreign scheme': (token) => [
        `Authorization: DPoP ${token}`,
        'authorization: Basic YTpi',
      ],
    };
    for (const [title, lines] of Object.entries(rows)) {
      test(`C03: ${title}`, async () => {
        const token = guarded.token();
        const proof = guarded.proof({ token });
        await guarded.refuses(request({ headers: [...lines(token), `DPoP: ${proof}`] }), expected);
      });
    }
  });

  for (const scheme of ['DPoP', 'dpop', 'DPOP', 'dPoP']) {
    test(`C04: the scheme ${scheme} is taken`, async () => {
      await guarded.admits({ scheme });
    });
  }

  test('C04: RFC 9449 §7.1: any number of spaces may follow the scheme', async () => {
    const token = guarded.token();
    const headers = [`Authorization: DPoP   ${token}`, `DPoP: ${guarded.proof({ token })}`];
    await guarded.admits(request({ headers }));
  });

  const malformed: Readonly<Record<string, (token: string) => string>> = {
    'trailing data': (token) => `DPoP ${token} x`,
    'the scheme alone': () => 'DPoP',
    'a tab': (token) => `DPoP \t${token}`,
    'a quoted token': (token) => `DPoP "${token}"`,
    'a parameter': (token) => `DPoP token=${token};x`,
  };
  for (const [title, field] of Object.entries(malformed)) {
    test(`C04: ${title} is malformed`, async () => {
      const token = guarded.token();
      await guarded.refuses(
        request({ headers: [`Authorization: ${field(token)}`, `DPoP: ${guarded.proof({ token })}`] }),
        { reason: 'credentials_malformed', error: 'invalid_request' },
      );
    });
  }

  test('C04: a malformed Bearer field is blamed on Bearer', async () => {
    await guarded.refuses(request({ headers: ['Authorization: Bearer a b'] }), {
      ...{ reason: 'credentials_malformed', error: 'invalid_request', by: ['Bearer'] },
    });
  });

  describe('C05: a token in the query is refused', () => {
    const inQuery: Readonly<Record<string, (token: string) => string>> = {
      plain: (token) => `/?access_token=${token}`,
      'behind another parameter': (token) => `/?a=1&access_token=${token}`,
      'with an encoded name': (token) => `/?access%5Ftoken=${token}`,
      'with an encoded letter': (token) => `/?%61ccess_token=${token}`,
      'without a value': () => '/?access_token',
    };
    for (const [title, target] of Object.entries(inQuery)) {
      test(`C05: ${title}, without a header token`, async () => {
        const token = guarded.token();
        guarded.keepSecret(token);
        await guarded.refuses(
          { target: target(token), token: null },
          { reason: 'token_in_query', error: 'invalid_request', by: ['Bearer', 'DPoP'] },
        );
      });
    }

    test('C05: together with a good header token', async () => {
      const token = guarded.token();
      await guarded.refuses(
        { target: `/?access_token=${token}`, token },
        { reason: 'token_in_query', error: 'invalid_request' },
      );
    });

    test('C05: accepting twin: other parameters pass, and the query is not written down', async () => {
      const secret = uniqueText();
      guarded.keepSecret(secret);
      const { seen } = await guarded.admits({ target: `/?token=${secret}&my_access_token=1` });
      assert.equal(seen.line, `GET /?token=${secret}&my_access_token=1 HTTP/1.1`);
    });
  });

  test('C06: a token of more than 8 KiB is refused unread; of 8 KiB it is read', async () => {
    const long = 'a'.repeat(8193);
    await guarded.refuses({ token: long, proof: null }, { reason: 'token_too_long', error: 'invalid_token' });
    await guarded.refuses(
      { token: long.slice(1), proof: null },
      { reason: 'token_malformed', error: 'invalid_token' },
    );
  });

  test('C06: 64 KiB in one field are too much for the head', async () => {
    const response = await guarded.send({ token: 'a'.repeat(65536), proof: null });
    assert.equal(response.status, 431);
  });

  for (const proof of [undefined, null]) {
    test(`C07: a bound token as Bearer, ${proof === null ? 'without' : 'with'} a good proof beside it`, async () => {
      await guarded.refuses(
        { scheme: 'Bearer', ...(proof === null && { proof }) },
        { reason: 'bound_token_as_bearer', error: 'invalid_token', by: ['Bearer'] },
      );
    });
  }

  test('C08: an unbound token under DPoP, with a good proof', async () => {
    await guarded.refuses(
      { token: guarded.token({ cnf: undefined }) },
      { reason: 'token_not_bound', error: 'invalid_token' },
    );
  });

  test('C09: DPoP without a proof', async () => {
    await guarded.refuses({ proof: null }, { reason: 'dpop_proof_missing', error: 'invalid_dpop_proof' });
  });

  test('C11: an unbound Bearer token, however valid', async () => {
    await guarded.refuses(
      { scheme: 'Bearer', token: guarded.token({ cnf: undefined }), proof: null },
      { reason: 'token_not_bound', error: 'invalid_token', by: ['Bearer'] },
    );
  });

  test('C12: Proxy-Authorization is no credentials', async () => {
    const token = guarded.token();
    await guarded.refuses(
      { token: null, proof: guarded.proof({ token }), headers: [`Proxy-Authorization: DPoP ${token}`] },
      none,
    );
  });

  test('C12, C13: the service sees neither token nor proof nor proxy credentials', async () => {
    const { seen } = await guarded.admits({ headers: ['Proxy-Authorization: DPoP abc'] });
    for (const name of ['authorization', 'dpop', 'proxy-authorization'])
      assert.deepEqual(seen.all(name), [], name);
  });
});

test('C13: identity.authorization: bearer hands the token on as Bearer, never the proof', async (t) => {
  const guarded = await Checkpoint.start({ config: { identity: { authorization: 'bearer' } } });
  t.after(() => guarded.stop());
  await guarded.fetchNonce();
  const token = guarded.token();
  for (const scheme of ['DPoP', 'dpop  ']) {
    const { seen } = await guarded.admits({ token, scheme });
    assert.deepEqual(seen.all('authorization'), [`Bearer ${token}`]);
    assert.deepEqual(seen.all('dpop'), []);
  }
});

describe('a route lists the schemes that it takes', () => {
  const dpop: Refused = { ...none, schemes: ['DPoP'] };
  const rows = {
    '/dpop': dpop,
    '/both': dpop,
    '/mtls': { ...none, schemes: ['Bearer' as const] },
    '/any': none,
  };
  let guarded: Checkpoint;
  before(async () => {
    const proofs = ['dpop', 'both', 'mtls', 'any'];
    const routes = proofs.map((proof) => ({ path: `/${proof}`, proof }));
    guarded = await Checkpoint.start({ config: { routes }, tls: {} });
    await guarded.fetchNonce({ target: '/dpop' });
  });
  after(() => guarded.stop());

  for (const [target, expected] of Object.entries(rows)) {
    test(`C01: ${target} challenges with ${expected.schemes ?? 'both'}`, async () => {
      await guarded.refuses({ target, token: null }, expected);
    });
  }

  test('C11: an unbound Bearer token on a dpop route is told on Bearer, and asked for DPoP', async () => {
    await guarded.refuses(
      { target: '/dpop', scheme: 'Bearer', token: guarded.token({ cnf: undefined }), proof: null },
      { reason: 'token_not_bound', error: 'invalid_token', by: ['Bearer'], schemes: ['DPoP', 'Bearer'] },
    );
  });

  test('C11: a DPoP proof does not open an mtls route', async () => {
    await guarded.refuses(
      { target: '/mtls' },
      { reason: 'proof_method_refused', error: 'invalid_token', schemes: ['Bearer', 'DPoP'] },
    );
    await guarded.admits({ target: '/dpop' });
    await guarded.admits({ target: '/any' });
  });
});
