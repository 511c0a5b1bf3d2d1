// The service behind every contestant: answers each request with the same kilobyte. Argument: the port.
import { createServer } from 'node:http';

const answer = JSON.stringify({ order: 1, text: '.'.repeat(1003) });

const server = createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': answer.length });
  response.end(answer);
});
// Contestants rest between their slices; a connection that closed meanwhile would count against them.
server.keepAliveTimeout = 0;
server.listen(Number(process.argv[2]), '127.0.0.1');
