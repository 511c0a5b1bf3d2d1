import { test } from 'node:test';
import { Bench } from './bench.js';

test('D02: typ says that it is an access token, compared as a media type', async (t) => {
  const bench = await Bench.start(t);
  const refused = [
    'JWT',
    undefined,
    'dpop+jwt',
    'logout+jwt',
    '',
    null,
    1,
    ['at+jwt'],
    'at+jwt ',
    'x/at+jwt',
    'application/x/at+jwt',
  ];
  for (const typ of refused)
    await bench.refuses(bench.issuer.mint({ header: { typ } }), 'token_type_refused');
  for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT', 'Application/At+Jwt']) {
    await bench.accepts(bench.issuer.mint({ header: { typ } }));
  }
});

test('D02: tokenType jwt also takes typ JWT and none, nothing else', async (t) => {
  const bench = await Bench.start(t, { settings: { tokenType: 'jwt' } });
  for (const typ of ['dpop+jwt', 'logout+jwt', 'token-introspection+jwt', 'jose', '', null, 7]) {
    await bench.refuses(bench.issuer.mint({ header: { typ } }), 'token_type_refused');
  }
  for (const typ of [undefined, 'JWT', 'jwt', 'application/jwt', 'at+jwt']) {
    await bench.accepts(bench.issuer.mint({ header: { typ } }));
  }
});

const foreign: readonly (readonly [kind: string, claims: Record<string, unknown>])[] = [
  ['an ID token by its nonce', { nonce: 'n' }],
  ['an ID token by at_hash', { at_hash: 'x' }],
  ['an ID token by c_hash', { c_hash: 'x' }],
  ['a Keycloak ID token', { typ: 'ID' }],
  ['a Keycloak refresh token', { typ: 'Refresh' }],
  ['a Keycloak logout token', { typ: 'Logout' }],
  ['a Cognito ID token', { token_use: 'id' }],
  ['a token of a use that is no text', { token_use: ['access'] }],
  ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
  ['a proof by htm', { htm: 'GET' }],
  ['a proof by htu', { htu: 'https://api.example.com/' }],
  ['an introspection answer', { token_introspection: { active: true } }],
];

test('D02: with tokenType jwt other kinds of JWT are told by their claims', async (t) => {
  const bench = await Bench.start(t, { settings: { tokenType: 'jwt' } });
  for (const [kind, claims] of foreign) {
    await t.test(`${kind} is refused`, () =>
      bench.refuses(bench.issuer.mint({ header: { typ: 'JWT' }, claims }), 'token_type_refused'),
    );
    await t.test(`${kind.replace(/^an? /, 'what looks like ')} but says at+jwt is accepted`, async () => {
      await bench.accepts(bench.issuer.mint({ claims }));
    });
  }
  for (const claims of [{ typ: 'Bearer' }, { typ: 'DPoP' }, { token_use: 'access' }]) {
    await bench.accepts(bench.issuer.mint({ header: { typ: 'JWT' }, claims }));
  }
});

test('D02: an assertion, which speaks about its own issuer, is refused', async (t) => {
  const bench = await Bench.start(t, { settings: { tokenType: 'jwt' } });
  const { issuer } = bench.issuer;
  const header = { typ: 'JWT' };
  await bench.refuses(
    bench.issuer.mint({ header, claims: { sub: issuer, client_id: issuer } }),
    'token_type_refused',
  );
  await bench.accepts(bench.issuer.mint({ header, claims: { sub: `${issuer}/`, client_id: issuer } }));
});
