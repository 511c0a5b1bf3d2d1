import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, test } from 'node:test';
import type { CertificateJudge } from '#holdfast/request/client-certificate.js';
import { type CertificateDialect, FrontCertificates } from '#holdfast/request/front-certificates.js';
import { type IssuedCertificate, makeSelfSigned } from '../../support/certificates.js';
import { albEscaped, clientCert, nginxEscaped } from '../../support/client-cert-dialects.js';
import { denied } from '../../support/denied.js';
import { makeFacts } from '../../support/facts.js';

let one: IssuedCertificate;
let two: IssuedCertificate;
before(async () => {
  one = await makeSelfSigned({ cn: 'one', usage: 'client' });
  two = await makeSelfSigned({ cn: 'two', usage: 'client' });
});

const clock = { nowMs: () => Date.now() };
const head = (...headers: string[]) => makeFacts({ headers }).head;
const possession = (dialect: CertificateDialect) =>
  new FrontCertificates({ dialect, judge: () => undefined, keepFields: true, clock });
const malformed = 'client_certificate_header_malformed';

test('K07: without CAs the thumbprint is all there is, and the service is told nothing', () => {
  const read = possession('rfc9440').read(head('Client-Cert', clientCert(one)));
  assert.deepEqual(read, { thumbprint: one.thumbprint, trusted: false, distrust: undefined });
});

test('K06: with CAs the judge decides, sees all certificates, and is asked once for each', () => {
  const asked: string[][] = [];
  const judge: CertificateJudge = (leaf, others) => {
    asked.push([leaf, ...others].map((der) => new X509Certificate(der).subject));
    return leaf.equals(one.der)
      ? { trusted: true, intermediates: [two.der], notBeforeMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER }
      : { trusted: false, cause: 'X' };
  };
  const certificates = new FrontCertificates({
    dialect: 'rfc9440',
    judge: () => judge,
    keepFields: true,
    clock,
  });
  const sent = head('Client-Cert', clientCert(one), 'Client-Cert-Chain', clientCert(two));
  for (let time = 0; time < 2; time++) {
    const read = certificates.read(sent);
    assert.ok(read?.trusted);
    assert.deepEqual(read.fields, { clientCert: clientCert(one), clientCertChain: clientCert(two) });
  }
  const other = certificates.read(head('Client-Cert', clientCert(two)));
  assert.ok(other !== undefined && !other.trusted && !('fields' in other));
  assert.deepEqual(asked, [['CN=one', 'CN=two'], ['CN=two']]);
  const silent = new FrontCertificates({ dialect: 'rfc9440', judge: () => judge, keepFields: false, clock });
  assert.ok(!('fields' in (silent.read(sent) ?? {})));
});

test('J10: when the CAs are others, every certificate is judged anew', () => {
  const judgeAs =
    (cause: string): CertificateJudge =>
    () => ({ trusted: false, cause });
  let judge: CertificateJudge | undefined = judgeAs('first');
  const certificates = new FrontCertificates({
    dialect: 'rfc9440',
    judge: () => judge,
    keepFields: false,
    clock,
  });
  const sent = head('Client-Cert', clientCert(one));
  assert.equal(certificates.read(sent)?.distrust, 'first');
  judge = judgeAs('second');
  assert.equal(certificates.read(sent)?.distrust, 'second');
  judge = undefined;
  assert.equal(certificates.read(sent)?.thumbprint, one.thumbprint);
});

test('K07: more certificates than are remembered are read as well as few', () => {
  const certificates = possession('rfc9440');
  const sent = head('Client-Cert', clientCert(one));
  const reads = new Set([certificates.read(sent)]);
  for (let more = 0; more < 300; more++) {
    certificates.read(
      head('Client-Cert', clientCert(one), 'Client-Cert-Chain', ' '.repeat(more) + clientCert(one)),
    );
  }
  reads.add(certificates.read(sent));
  assert.equal(reads.size, 2, 'it was forgotten, and read again');
  assert.equal([...reads][1]?.thumbprint, one.thumbprint);
});

test('K07: many certificates that come once do not push out one that comes again and again', () => {
  const certificates = possession('rfc9440');
  const sent = head('Client-Cert', clientCert(one));
  const first = certificates.read(sent);
  for (let more = 0; more < 600; more++) {
    const chain = ' '.repeat(more) + clientCert(one);
    certificates.read(head('Client-Cert', clientCert(one), 'Client-Cert-Chain', chain));
    if (more % 100 === 0) assert.equal(certificates.read(sent), first, `remembered after ${more} others`);
  }
});

test('K07: a field twice, a chain alone, too many or too long', () => {
  const certificates = possession('rfc9440');
  const cert = clientCert(one);
  const read =
    (...headers: string[]) =>
    () =>
      certificates.read(head(...headers));
  denied(read('Client-Cert', cert, 'client-cert', cert), malformed);
  denied(read('Client-Cert', cert, 'Client-Cert', ''), malformed);
  denied(read('Client-Cert', '', 'Client-Cert', cert), malformed);
  denied(read('Client-Cert', cert, 'Client-Cert-Chain', cert, 'Client-Cert-Chain', ''), malformed);
  denied(read('Client-Cert-Chain', cert), malformed);
  denied(read('Client-Cert', '', 'Client-Cert-Chain', cert), malformed);
  denied(read('Client-Cert', cert, 'Client-Cert-Chain', Array(8).fill(cert).join(',')), malformed);
  read('Client-Cert', cert, 'Client-Cert-Chain', Array(7).fill(cert).join(','))();
  denied(read('Client-Cert', `:${Buffer.alloc(32_768, 1).toString('base64')}:`), malformed);
  assert.equal(read('Client-Cert', '', 'Client-Cert-Chain', '')(), undefined);
});

test('K07: DER that is followed by something, cut off, or PEM in its place', () => {
  const certificates = possession('rfc9440');
  const wrong = [
    Buffer.concat([one.der, Buffer.from([0])]),
    one.der.subarray(0, -1),
    Buffer.from(one.certPem),
  ];
  for (const der of wrong)
    denied(() => certificates.read(head('Client-Cert', clientCert({ der }))), malformed);
});

test('K07: AWS in verify mode, in passthrough mode, and never in both', () => {
  const certificates = possession('alb');
  const leaf = ['X-Amzn-Mtls-Clientcert-Leaf', albEscaped(one.certPem)];
  const chain = ['X-Amzn-Mtls-Clientcert', albEscaped(one.certPem, two.certPem)];
  assert.equal(certificates.read(head(...leaf))?.thumbprint, one.thumbprint);
  assert.equal(certificates.read(head(...chain))?.thumbprint, one.thumbprint);
  denied(() => certificates.read(head(...leaf, ...chain)), malformed);
  denied(() => certificates.read(head(...chain, ...chain)), malformed);
  denied(() => certificates.read(head(...chain, 'X-Amzn-Mtls-Clientcert', '')), malformed);
  assert.equal(
    certificates.read(head(...chain, 'X-Amzn-Mtls-Clientcert-Leaf', ''))?.thumbprint,
    one.thumbprint,
  );
  denied(
    () => certificates.read(head('X-Amzn-Mtls-Clientcert-Leaf', albEscaped(one.certPem, two.certPem))),
    malformed,
  );
  assert.equal(certificates.read(head('X-Amzn-Mtls-Clientcert-Subject', 'CN=one')), undefined);
});

test('K07: nginx sends one certificate', () => {
  const certificates = possession('nginx-escaped-pem');
  assert.equal(
    certificates.read(head('ssl-client-cert', nginxEscaped(one.certPem)))?.thumbprint,
    one.thumbprint,
  );
  denied(() => certificates.read(head('ssl-client-cert', nginxEscaped(one.certPem, two.certPem))), malformed);
});
