// Floods one port: gets a Flood, tells its Progress every 100 ms, and goes on until it is ended.
import * as net from 'node:net';
import type { Flood, Progress } from './flooder.js';

const tickMs = 20;
const tellMs = 100;

process.once('message', (message) => start(parseFlood(message)));

function start({ port, network, addresses, connections, perSecond, texts, again }: Flood): void {
  const perTick = Math.max(1, Math.round((perSecond * tickMs) / 1000));
  const progress = { open: 0, made: 0, ended: 0, answers: 0 };
  let opening = 0;
  let turn = 0;
  setInterval(() => {
    const missing = Math.min(connections - progress.open - opening, perTick);
    for (let i = 0; i < missing; i++) open();
  }, tickMs);
  setInterval(() => process.send?.(progress satisfies Progress), tellMs);

  function open(): void {
    opening++;
    const at = progress.made++ % addresses;
    const localAddress = `127.${network}.${at >> 8}.${at & 255}`;
    const socket = net.connect({ port, host: '127.0.0.1', localAddress });
    const sendNext = () => socket.write(texts[turn++ % texts.length] ?? '');
    let settle = () => {
      opening--;
    };
    socket.once('connect', () => {
      settle();
      progress.open++;
      settle = () => {
        progress.open--;
      };
      sendNext();
    });
    socket.on('data', () => {
      progress.answers++;
      if (again) sendNext();
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      settle();
      progress.ended++;
    });
  }
}

function parseFlood(message: unknown): Flood {
  return message as Flood;
}
