import assert from 'node:assert/strict';
import { before, describe, type TestContext, test } from 'node:test';
import { type IssuedCertificate, makeCa, makeSelfSigned } from '../support/certificates.js';
import { envoyEscaped } from '../support/client-cert-dialects.js';
import { envoy, Fronted, type FrontedOptions } from '../support/fronted.js';
import { boundTo, showing } from '../support/mtls.js';

const documented = {
  forward: 'forward_client_cert_details: SANITIZE_SET',
  details: 'set_current_client_cert_details: { cert: true, chain: true }',
};
const malformed = 'client_certificate_header_malformed';
const mismatch = 'certificate_thumbprint_mismatch';

/** Defines the tests of what Envoy writes into X-Forwarded-Client-Cert with other settings than the documented ones. */
export function describeElements(command: string): void {
  let one: IssuedCertificate;
  let other: IssuedCertificate;
  before(async () => {
    one = await makeSelfSigned({ cn: 'client', usage: 'client' });
    other = await makeSelfSigned({ cn: 'client', usage: 'client' });
  });

  interface Settings extends FrontedOptions {
    readonly forward?: string;
    readonly details?: string;
  }

  const start = async (t: TestContext, { forward, details, ...options }: Settings) => {
    const changes = {
      ...(forward && { [documented.forward]: `forward_client_cert_details: ${forward}` }),
      ...(details && { [documented.details]: `set_current_client_cert_details: ${details}` }),
    };
    const setup = envoy(command, changes);
    const fronted = await Fronted.start(setup, options);
    t.after(() => fronted.stop());
    return { fronted, forge: setup.forge };
  };

  describe('what Envoy is told to set', () => {
    for (const details of ['{ cert: true }', '{ chain: true }'])
      test(`K07: ${details} is enough`, async (t) => {
        const { fronted } = await start(t, { details });
        const call = boundTo(fronted.guarded, one);
        await fronted.admits({ ...call, tls: showing(one) });
        await fronted.refuses({ ...call, tls: showing(other) }, mismatch);
      });

    for (const details of ['{}', '{ subject: true }'])
      test(`K07: ${details} is no certificate that could be checked`, async (t) => {
        const { fronted } = await start(t, { details });
        await fronted.refuses({ ...boundTo(fronted.guarded, one), tls: showing(one) }, malformed);
      });

    test('K01: SANITIZE, which is the default, removes what the client forges', async (t) => {
      const { fronted, forge } = await start(t, { forward: 'SANITIZE' });
      const call = { ...boundTo(fronted.guarded, one), headers: [forge(one)], tls: showing(one) };
      await fronted.refuses(call, 'certificate_missing');
    });
  });

  describe('chains', () => {
    test('J06: an intermediate that the client sends is passed on, and needed', async (t) => {
      const ca = await makeCa({ cn: 'clients' });
      const below = await ca.issueCa({ cn: 'below' });
      const client = await below.issue({ cn: 'client', usage: 'client' });
      const { fronted } = await start(t, { ca });
      const call = boundTo(fronted.guarded, client);
      const { certPem, keyPem } = client;
      await fronted.admits({ ...call, tls: { cert: certPem + below.certPem, key: keyPem } });
      await fronted.refuses({ ...call, tls: showing(client) }, 'client_certificate_untrusted');
    });

    test('K07: eight certificates, and no more', async (t) => {
      const { fronted } = await start(t, {});
      const { certPem: extra } = await makeCa();
      const call = boundTo(fronted.guarded, one);
      const withExtras = (count: number) => ({ cert: one.certPem + extra.repeat(count), key: one.keyPem });
      await fronted.admits({ ...call, tls: withExtras(7) });
      await fronted.refuses({ ...call, tls: withExtras(8) }, malformed);
    });

    test('K08: what is too long for a header is refused; chain alone is half as long', async (t) => {
      const san = Array.from({ length: 80 }, (_, index) => `${index}.${'n'.repeat(60)}.test`);
      const long = await makeSelfSigned({ cn: 'client', usage: 'client', san });
      const both = await start(t, {});
      const call = { ...boundTo(both.fronted.guarded, long), tls: showing(long) };
      await both.fronted.refuses(call, 'header_fields_too_large');
      const { fronted } = await start(t, { details: '{ chain: true }' });
      await fronted.admits({ ...boundTo(fronted.guarded, long), tls: showing(long) });
    });
  });

  describe('names of a certificate', () => {
    const details = '{ cert: true, chain: true, subject: true, uri: true, dns: true }';

    test('K07: ordinary ones are not in the way', async (t) => {
      const { fronted } = await start(t, { details });
      const cn = 'Müller "M", a=b; c\\';
      const named = await makeSelfSigned({ cn, usage: 'client', san: ['a.test', 'b.test'] });
      await fronted.admits({ ...boundTo(fronted.guarded, named), tls: showing(named) });
    });

    for (const forward of ['SANITIZE_SET', 'APPEND_FORWARD'])
      test(`K07: ${forward}: one that reads like another element does not speak for its owner`, async (t) => {
        const { fronted } = await start(t, { forward, details });
        const stolen = `Cert="${envoyEscaped(one.certPem)}"`;
        const call = boundTo(fronted.guarded, one);
        for (const name of [`a,${stolen}`, `a,Hash=00;${stolen}`, `a;${stolen}`, `a;Chain="x",${stolen}`]) {
          const thief = await makeSelfSigned({ cn: 'thief', usage: 'client', san: [name] });
          await fronted.refuses({ ...call, tls: showing(thief) }, malformed);
        }
        for (const cn of [`a",${stolen}`, `a\\",${stolen}`, `a,${stolen}`, 'a\\']) {
          const thief = await makeSelfSigned({ cn, usage: 'client' });
          await fronted.refuses({ ...call, tls: showing(thief) }, mismatch);
        }
      });
  });

  describe('what Envoy is told to let through', () => {
    test('K07: APPEND_FORWARD: elements of the client are not believed', async (t) => {
      const { fronted, forge } = await start(t, { forward: 'APPEND_FORWARD' });
      const call = { ...boundTo(fronted.guarded, one), headers: [forge(one)] };
      await fronted.refuses({ ...call, tls: showing(other) }, mismatch);
      await fronted.refuses({ ...call, headers: [forge(one), forge(one)], tls: showing(other) }, mismatch);
      await fronted.refuses(call, 'certificate_missing');
      const { seen } = await fronted.admits({ ...call, headers: [forge(other)], tls: showing(one) });
      assert.deepEqual(seen.all('x-auth-key'), [one.thumbprint]);
    });

    test('K07: APPEND_FORWARD: what does not end where the client says refuses the request', async (t) => {
      const { fronted, forge } = await start(t, { forward: 'APPEND_FORWARD' });
      const ends = ['Subject="a', 'Subject="a\\', 'Subject="', ';', ',', ';x', '"'];
      for (const end of ends)
        for (const shown of [one, other]) {
          const headers = [`${forge(one)};${end}`];
          const call = { ...boundTo(fronted.guarded, one), headers, tls: showing(shown) };
          await fronted.refuses(call, malformed);
        }
    });

    // Nobody behind Envoy could tell, which is why docs/fronts.md names them unsafe.
    for (const forward of ['ALWAYS_FORWARD_ONLY', 'FORWARD_ONLY'])
      test(`K07: ${forward}: the word of the client counts as that of Envoy`, async (t) => {
        const { fronted, forge } = await start(t, { forward });
        const call = { ...boundTo(fronted.guarded, one), headers: [forge(one)] };
        await fronted.admits({ ...call, tls: showing(other) });
        if (forward === 'FORWARD_ONLY') await fronted.refuses(call, 'certificate_missing');
        else await fronted.admits(call);
      });
  });
}
