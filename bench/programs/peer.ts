// What a team would build without Holdfast: express, the DPoP middleware of auth0, http-proxy. It keeps no memory of
// used proofs, so it does less. Arguments: own port, port of the service, issuer, its key set, audience.
import { Agent, createServer } from 'node:http';
import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import httpProxy from 'http-proxy';

const [port, upstreamPort, issuer = '', jwksUri = '', audience = ''] = process.argv.slice(2);

const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstreamPort}`,
  agent: new Agent({ keepAlive: true }),
});
proxy.on('error', (error) => {
  throw error;
});

const app = express();
app.use(
  auth({ issuer, jwksUri, audience, tokenSigningAlg: 'ES256', dpop: { enabled: true, required: true } }),
);
app.use((request, response) => proxy.web(request, response));

const server = createServer(app);
server.keepAliveTimeout = 65_000;
server.listen(Number(port), '127.0.0.1');
