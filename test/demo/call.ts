/**
 * A small client for people, for a demo that was left running with --serve: gets a token for the client `shop`, and
 * calls with a fresh DPoP key and proof.
 *
 * Usage: node .build/test/demo/call.js FOLDER [PATH] [--as-bearer]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as oauth from 'oauth4webapi';
import { importSigningKey, newDpopHandle } from './cast.js';
import { callApi, requestToken } from './client.js';
import { createFetch } from './https-fetch.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'as-bearer': { type: 'boolean', default: false } },
});
const [folder, path = '/orders/17'] = positionals;
if (folder === undefined) throw new Error('usage: call.js FOLDER [PATH] [--as-bearer]');

const { issuer, origin } = JSON.parse(await readFile(join(folder, 'demo.json'), 'utf8')) as Record<
  'issuer' | 'origin',
  string
>;
const fetch = createFetch({ ca: await readFile(join(folder, 'ca.crt'), 'utf8') });
const key = await importSigningKey(JSON.parse(await readFile(join(folder, 'shop.jwk'), 'utf8')));
const dpop = await newDpopHandle();
const authentication = oauth.PrivateKeyJwt(key);
const token = await requestToken(issuer, origin, { clientId: 'shop', authentication, dpop, fetch });

const proof = values['as-bearer'] ? {} : { dpop };
const { response } = await callApi({ url: `${origin}${path}`, token, ...proof, fetch });
console.log(`HTTP ${response.status}`);
for (const [name, value] of response.headers) console.log(`${name}: ${value}`);
console.log(`\n${await response.text()}`);
