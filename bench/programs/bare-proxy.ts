// The floor: http-proxy with a keep-alive agent and nothing else. Arguments: own port, port of the service; for TLS
// with client certificates also the files of certificate, key and client CA.
import { readFileSync } from 'node:fs';
import { Agent, createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import httpProxy from 'http-proxy';

const [port, upstreamPort, ...tlsFiles] = process.argv.slice(2);

const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstreamPort}`,
  agent: new Agent({ keepAlive: true }),
});
proxy.on('error', (error) => {
  throw error;
});
const forward: RequestListener = (request, response) => proxy.web(request, response);

const server = tlsFiles.length === 0 ? createServer(forward) : createTlsServer(tlsOptions(), forward);
server.keepAliveTimeout = 65_000;
server.listen(Number(port), '127.0.0.1');

function tlsOptions() {
  const [cert, key, ca] = tlsFiles.map((file) => readFileSync(file));
  return { cert, key, ca, requestCert: true, rejectUnauthorized: true };
}
