import type { Cast } from './cast.js';
import { type Answer, callApi, sendAsIs } from './client.js';
import { countServiceRequests, type Facts, observe, type Row, type Scene } from './scene.js';
import type { Setting } from './stage.js';

/** What everybody must see of a call that is not let through: the caller, the operator, and the service nothing. */
function refused(error: string, reason: string): Scene['expected'] {
  return { status: 401, error, log: reason, reachedService: 0 };
}

/** The same of a call that is let through, with the identity that the service is given. */
function served(client: string, proof: string, key: string): Scene['expected'] {
  return { status: 200, log: 'forwarded', client, proof, key, reachedService: 1 };
}

/**
 * The story, in order: later scenes use what earlier ones sent. Every refusal is one header, key or certificate away
 * from a call that is served.
 */
export async function writeScenes(setting: Setting, cast: Cast): Promise<Scene[]> {
  const see = async (answer: Promise<Answer>): Promise<Facts> => observe(await answer, setting);
  const key = await cast.shop.dpop.calculateThumbprint();
  return [
    ...dpopScenes({ setting, cast, see, key }),
    ...certificateScenes({ setting, cast, see, key: setting.clients.warehouse.certificate.thumbprint }),
    ...otherScenes({ setting, cast, see }),
  ];
}

interface Script {
  readonly setting: Setting;
  readonly cast: Cast;
  readonly see: (answer: Promise<Answer>) => Promise<Facts>;
  /** thumbprint of the key that the service must be told */
  readonly key: string;
}

function dpopScenes({ setting: { origin }, cast: { shop, thief }, see, key }: Script): Scene[] {
  const url = `${origin}/orders/17`;
  return [
    {
      request: 'shop calls with its token and a DPoP proof',
      expected: served('shop', 'dpop', key),
      play: () => see(callApi({ ...shop, url })),
    },
    {
      request: "thief sends shop's token as a bearer token",
      expected: refused('invalid_token', 'bound_token_as_bearer'),
      play: () => see(callApi({ token: shop.token, url, fetch: thief.fetch })),
    },
    {
      request: "thief sends shop's token with a proof by its own key",
      expected: refused('invalid_token', 'dpop_key_mismatch'),
      play: () => see(callApi({ token: shop.token, dpop: thief.dpop, url, fetch: thief.fetch })),
    },
    {
      request: "thief repeats shop's request, byte for byte",
      expected: refused('invalid_dpop_proof', 'proof_replayed'),
      play: () => see(sendAsIs(shop.last(), thief.fetch)),
    },
    {
      request: "thief sends shop's proof to another URL",
      expected: refused('invalid_dpop_proof', 'dpop_htu_mismatch'),
      play: () => see(sendAsIs({ ...shop.last(), url: `${origin}/orders/18` }, thief.fetch)),
    },
    {
      request: 'shop calls, and claims X-Auth-Client: admin',
      expected: served('shop', 'dpop', key),
      play: () => see(callApi({ ...shop, url, headers: { 'X-Auth-Client': 'admin' } })),
    },
  ];
}

function certificateScenes({ setting: { origin }, cast: { warehouse, thief }, see, key }: Script): Scene[] {
  const { token } = warehouse;
  const url = `${origin}/orders/17`;
  return [
    {
      request: 'warehouse calls with its token and its client certificate',
      expected: served('warehouse', 'mtls', key),
      play: () => see(callApi({ ...warehouse, url })),
    },
    {
      request: "thief sends warehouse's token with its own certificate",
      expected: refused('invalid_token', 'certificate_thumbprint_mismatch'),
      play: () => see(callApi({ token, url, fetch: thief.withCertificate })),
    },
    {
      request: "thief sends warehouse's token without a certificate",
      expected: refused('invalid_token', 'certificate_missing'),
      play: () => see(callApi({ token, url, fetch: thief.fetch })),
    },
  ];
}

function otherScenes({
  setting: { origin, adminUrl },
  cast: { gateway, thief },
  see,
}: Omit<Script, 'key'>): Scene[] {
  const url = `${origin}/orders/17`;
  return [
    {
      request: 'acme-gw calls with a bearer token, under its exception',
      expected: served('acme-gw', 'exception', 'none'),
      play: () => see(callApi({ ...gateway, url })),
    },
    {
      request: 'the operator reads how often the exception was used',
      expected: { uses: 1, reachedService: 0 },
      play: () => readExceptionUses(adminUrl),
    },
    {
      request: 'somebody calls without a token',
      expected: { ...refused('none', 'credentials_missing'), challenges: 'bearer+dpop' },
      play: () => see(sendAsIs({ url, method: 'GET', headers: {} }, thief.fetch)),
    },
  ];
}

async function readExceptionUses(adminUrl: string): Promise<Facts> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const uses = /^holdfast_exception_requests_total\{exception="acme-gateway"\} (\d+)$/m.exec(text)?.[1];
  return { uses: Number(uses) };
}

/** The last row: over the whole run, the service was reached as often as a call was let through, and never else. */
export async function closingRow(setting: Setting, scenes: readonly Scene[]): Promise<Row> {
  const expected = { requests: scenes.reduce((sum, scene) => sum + scene.expected.reachedService, 0) };
  const got = { requests: await countServiceRequests(setting) };
  const request = 'in all, the service saw the calls let through, no other';
  return { request, expected, got, ok: got.requests === expected.requests };
}
