import assert from 'node:assert/strict';
import test from 'node:test';
import { HeaderNames, type HeaderRole } from '#holdfast/request/header-names.js';
import { identityNames } from '../../support/facts.js';

const names = new HeaderNames(identityNames);
const assertRole = (role: HeaderRole, ...list: string[]) => {
  for (const name of list) {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      assert.deepEqual(names.lookup(spelling), { lower: name.toLowerCase(), role }, spelling);
    }
  }
};

test('B02: the hop-by-hop names', () => {
  assertRole(
    'hop-by-hop',
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Proxy-Authenticate',
    'HTTP2-Settings',
  );
});

test('C12: Proxy-Authorization is a credential and never forwarded', () => {
  assertRole('credential', 'Authorization', 'DPoP', 'Proxy-Authorization');
});

test('B08: forwarding names, whole families of them', () => {
  assertRole(
    'forwarding',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Prefix',
    'X-Forwarded-Whatever',
    'X-Real-IP',
    'X-Original-URL',
    'X-Original-Anything',
    'X-Rewrite-URL',
    'True-Client-IP',
  );
});

test('A21: method override names are stripped', () => {
  assertRole('forwarding', 'X-HTTP-Method', 'X-HTTP-Method-Override', 'X-Method-Override');
});

test('K01: names of client certificate headers', () => {
  assertRole(
    'forwarding',
    'Client-Cert',
    'Client-Cert-Chain',
    'X-Client-Cert',
    'X-SSL-Cert',
    'X-SSL-Client-Verify',
    'SSL-Client-Cert',
    'X-ARR-ClientCert',
    'X-Amzn-Mtls-Clientcert-Leaf',
    'X-Forwarded-Client-Cert',
    'X-Forwarded-Tls-Client-Cert-Info',
  );
});

test('L01: identity names belong to the sidecar, configured and legacy ones', () => {
  assertRole('identity', ...identityNames, 'Remote-User', 'X-Remote-User');
  assert.equal(new HeaderNames(['X-Who']).lookup('x-WHO').role, 'identity');
  assert.equal(names.lookup('X-Who').role, 'ordinary');
});

test('A14: names of ordinary use stay ordinary', () => {
  assertRole('ordinary', 'Accept', 'Cookie', 'Content-Type', 'Range', 'X-Custom', 'Traceparent', 'Origin');
});

test('A14: an identity name of the configuration cannot take a framing name its role away', () => {
  const odd = new HeaderNames(['Content-Length', 'Connection', 'DPoP']);
  assert.equal(odd.lookup('content-length').role, 'message');
  assert.equal(odd.lookup('connection').role, 'hop-by-hop');
  assert.equal(odd.lookup('dpop').role, 'credential');
});

test('A14: what a name means does not depend on how many names were seen before', () => {
  const flooded = new HeaderNames(identityNames);
  for (let i = 0; i < 5000; i++) flooded.lookup(`X-Flood-${i}`);
  assert.equal(flooded.lookup('X-Auth-Subject').role, 'identity');
  assert.equal(flooded.lookup('X_Auth_Subject').role, 'impersonating');
  assert.equal(flooded.lookup('Accept').role, 'ordinary');
});
