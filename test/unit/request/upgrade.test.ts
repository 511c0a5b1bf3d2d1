import assert from 'node:assert/strict';
import test from 'node:test';
import { denied } from '../../support/denied.js';
import { makeFacts } from '../../support/facts.js';

const handshake = (connection: string) =>
  makeFacts({
    isUpgrade: true,
    headers: [
      ...['Connection', connection, 'Upgrade', 'websocket'],
      ...['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version', '13'],
    ],
  });

test('A23, B01: what makes the handshake cannot be nominated away from the service', () => {
  for (const name of ['Sec-WebSocket-Key', 'sec-websocket-version'])
    denied(() => handshake(`Upgrade, ${name}`), 'upgrade_invalid');
  assert.equal(handshake('Upgrade').upgrade, 'websocket');
  assert.equal(handshake('keep-alive, Upgrade, X-Other').upgrade, 'websocket');
});
