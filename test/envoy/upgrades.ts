import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { test } from 'node:test';
import { makeSelfSigned } from '../support/certificates.js';
import { envoy, Fronted } from '../support/fronted.js';
import { boundTo, showing } from '../support/mtls.js';
import { authority } from '../support/sidecar.js';

const place = 'stat_prefix: https';

/** Defines the test of a WebSocket that is asked for in HTTP/2, of which Envoy makes an upgrade of HTTP/1.1. */
export function describeUpgrades(command: string): void {
  test('A23, RFC 8441 §5: a WebSocket in HTTP/2 has no key, and is no handshake that passes', async (t) => {
    const settings = `${place}\n${' '.repeat(16)}http2_protocol_options: { allow_connect: true }`;
    const fronted = await Fronted.start(envoy(command, { [place]: settings }));
    t.after(() => fronted.stop());
    const { guarded, front } = fronted;
    const certificate = await makeSelfSigned({ cn: 'client', usage: 'client' });
    const { token } = boundTo(guarded, certificate);
    const session = http2.connect(`https://127.0.0.1:${front.port}`, {
      rejectUnauthorized: false,
      ...showing(certificate),
    });
    t.after(() => session.destroy());
    await once(session, 'remoteSettings');
    const stream = session.request({
      ...{ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https', ':path': '/' },
      ...{ ':authority': authority, authorization: `Bearer ${token}`, 'sec-websocket-version': '13' },
    });
    const [fields] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    assert.equal(fields[':status'], 400);
    const id = fields['x-request-id'];
    const logged = await guarded.sidecar.child.event(({ request_id }) => request_id === id);
    assert.equal(logged.reason, 'upgrade_invalid');
    assert.equal(guarded.service.bytes, 0);
  });
}
