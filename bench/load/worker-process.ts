// Makes load for one slice after the other: gets a Slice, connects, waits for `go`, answers with a SliceResult.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { percentile } from '../statistics.js';
import { LoadConnection } from './connection.js';
import type { Slice, SliceResult, Target } from './generator.js';
import type { WorkerMessage } from './worker.js';

process.on('message', (message) => {
  if (message !== 'go') void runSlice(parseSlice(message));
});

async function runSlice(slice: Slice): Promise<void> {
  const requests = splitRequests(readFileSync(slice.requestsFile));
  const sockets = await Promise.all(Array.from({ length: slice.connections }, () => connect(slice.target)));
  tell({ kind: 'connected' });
  await once(process, 'message');
  tell({ kind: 'done', result: await makeLoad(sockets, requests, slice) });
}

function makeLoad(
  sockets: readonly net.Socket[],
  requests: readonly Buffer[],
  { repeat, seconds }: Slice,
): Promise<SliceResult> {
  const latenciesUs: number[] = [];
  const cpuAtStart = process.cpuUsage();
  const start = performance.now();
  const deadline = start + seconds * 1000;
  let failures = 0;
  let sent = 0;
  let open = sockets.length;
  return new Promise((resolve) => {
    for (const socket of sockets) {
      const connection = new LoadConnection(socket, ({ status, latencyMs }) => {
        if (status === '200') latenciesUs.push(latencyMs * 1000);
        else failures++;
        if (status === 'none') finish();
        else sendNext();
      });
      const sendNext = () => {
        const request = requests[repeat ? sent % requests.length : sent];
        if (request === undefined || performance.now() >= deadline) return finish();
        sent++;
        connection.send(request);
      };
      const finish = () => {
        connection.close();
        if (--open === 0) resolve(summarise());
      };
      sendNext();
    }
  });

  function summarise(): SliceResult {
    const elapsed = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpuAtStart);
    const sorted = Float64Array.from(latenciesUs).sort();
    return {
      requests: sorted.length,
      failures,
      seconds: elapsed,
      p50Us: sorted.length > 0 ? percentile(sorted, 0.5) : 0,
      p99Us: sorted.length > 0 ? percentile(sorted, 0.99) : 0,
      ranOut: !repeat && sent === requests.length,
      generatorUs: user + system,
    };
  }
}

async function connect({ port, tls: options }: Target): Promise<net.Socket> {
  const socket =
    options === undefined
      ? net.connect({ port, host: '127.0.0.1' })
      : tls.connect({ port, host: '127.0.0.1', servername: 'api.test', ...options });
  await once(socket, options === undefined ? 'connect' : 'secureConnect');
  return socket;
}

/** Requests without body: each ends with an empty line. */
function splitRequests(bytes: Buffer): Buffer[] {
  const requests: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', start) + 4;
    requests.push(bytes.subarray(start, end));
    start = end;
  }
  return requests;
}

function parseSlice(message: unknown): Slice {
  return message as Slice;
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
