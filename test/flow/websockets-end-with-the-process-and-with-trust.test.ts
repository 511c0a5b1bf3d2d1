import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { makeCa } from '../support/certificates.js';
import { Checkpoint } from '../support/checkpoint.js';
import { Guarded, until } from '../support/guarded.js';
import { boundTo, reload, showing } from '../support/mtls.js';
import type { RecordingService, SeenRequest } from '../support/recording-service.js';
import { handshake, switching } from '../support/websocket.js';
import { Wire } from '../support/wire.js';

const routes = [{ path: '/**', websocket: true }];

/** Sends the opening handshake, and waits until both sides have it. */
async function open(
  service: RecordingService,
  wire: Wire,
  bytes: string,
): Promise<{ socket: Socket; requestId: string | undefined }> {
  let socket: Socket | undefined;
  service.script = (seen, one) => {
    socket = one;
    return switching(seen);
  };
  wire.send(bytes);
  const response = await wire.response();
  assert.equal(response.status, 101, response.body);
  assert.ok(socket !== undefined);
  return { socket, requestId: response.one('x-request-id') };
}

describe('S07: SIGTERM while a WebSocket is open', () => {
  const withOpen = async (
    grace: string,
    use: (open: {
      guarded: Guarded;
      wire: Wire;
      socket: Socket;
      requestId: string | undefined;
    }) => Promise<void>,
  ) => {
    const guarded = await Guarded.start({ config: { routes, shutdown: { grace } } });
    try {
      const wire = await guarded.open();
      const opened = await open(guarded.service, wire, guarded.proven({ headers: handshake }));
      guarded.sidecar.child.signal('SIGTERM');
      await guarded.sidecar.child.event(({ event }) => event === 'draining');
      opened.socket.write('still on');
      await until(() => wire.unread === 'still on', 'it goes on');
      await use({ guarded, wire, ...opened });
    } finally {
      await guarded.stop();
    }
  };
  const endOf = ({ sidecar }: Guarded, requestId: string | undefined) =>
    sidecar.child.event((one) => one.event === 'request' && one.request_id === requestId);

  test('the service ends it: the process ends with it, exit code 0', () =>
    withOpen('10m', async ({ guarded, wire, socket, requestId }) => {
      socket.end();
      await wire.closed();
      assert.equal(await guarded.sidecar.child.end(), 0);
      assert.equal((await endOf(guarded, requestId)).outcome, 'forwarded');
    }));

  test('nobody ends it: it is cut off after the grace, and logged, exit code 0', () =>
    withOpen('1s', async ({ guarded, wire, socket, requestId }) => {
      await Promise.all([wire.closed(), socket.destroyed || once(socket, 'close')]);
      assert.equal(await guarded.sidecar.child.end(), 0);
      const event = await endOf(guarded, requestId);
      assert.deepEqual([event.status, event.outcome, event.reason], [101, 'forwarded', 'ERR_SHUTTING_DOWN']);
    }));
});

describe('J11: what client certificates are worth has changed', () => {
  /** A caller with a certificate that is trusted, until `change` puts another CA into its place. */
  const withTrust = async (t: TestContext) => {
    const [ca, other] = await Promise.all([makeCa({ cn: 'One CA' }), makeCa({ cn: 'Other CA' })]);
    const guarded = await Checkpoint.start({
      tls: { ca: ['partners.pem'] },
      files: { 'partners.pem': ca.certPem },
      config: { routes },
    });
    t.after(() => guarded.stop());
    const shop = await ca.issue({ cn: 'shop', usage: 'client' });
    const wire = await Wire.open({ port: guarded.sidecar.port, tls: showing(shop) });
    const bytes = guarded.bytes({ ...boundTo(guarded, shop), headers: handshake });
    const change = async () => {
      guarded.sidecar.write('partners.pem', other.certPem);
      assert.equal((await reload(guarded)).connections_ended, 1);
    };
    return { guarded, wire, bytes, change };
  };

  test('J11: a WebSocket ends at once', async (t) => {
    const { guarded, wire, bytes, change } = await withTrust(t);
    const { socket } = await open(guarded.service, wire, bytes);
    await change();
    await wire.closed();
    await until(() => socket.destroyed, 'the service is told');
  });

  /** The same while the service has not said yet whether it agrees. */
  const whileUndecided = async (t: TestContext, answer: (seen: SeenRequest) => string) => {
    const { guarded, wire, bytes, change } = await withTrust(t);
    let reply = () => {};
    let socket: Socket | undefined;
    guarded.service.script = (seen, one) => {
      socket = one;
      reply = () => void one.write(answer(seen));
      return undefined;
    };
    wire.send(bytes);
    await until(() => socket !== undefined, 'the request arrives');
    await change();
    reply();
    return { wire, socket };
  };

  test('J11: an attempt that is still being decided gets its refusal', async (t) => {
    const { wire } = await whileUndecided(t, () => 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
    const response = await wire.response();
    assert.deepEqual([response.status, response.body, response.one('connection')], [403, 'no', 'close']);
    assert.equal(await wire.closed(), '');
  });

  test('J11: an attempt that is still being decided opens no WebSocket', async (t) => {
    const { wire, socket } = await whileUndecided(t, (seen) => `${switching(seen)}secret`);
    assert.doesNotMatch(await wire.closed(), /secret/);
    await until(() => socket?.destroyed === true, 'the service is told');
  });
});
