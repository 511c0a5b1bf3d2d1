/**
 * The legacy service of the demo. It knows nothing of tokens or keys: it believes the headers that it gets, as such
 * services do, and answers with what it saw. `GET /requests` asked directly tells how many other requests came.
 *
 * Usage: node legacy-service.js; prints `{"listening": <port>}` once it serves.
 */
import { createServer } from 'node:http';
import { portOf } from '../support/ports.js';

let requests = 0;

const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  if (request.url === '/requests') {
    response.end(JSON.stringify({ requests }));
    return;
  }
  requests += 1;
  const { method, url, headers } = request;
  const client = headers['x-auth-client'] ?? 'stranger';
  response.end(
    `${JSON.stringify({ message: `Hello ${client}, here are your orders.`, method, url, headers }, undefined, 2)}\n`,
  );
});

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ listening: portOf(server) })));
