import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { IssuedCertificate } from './certificates.js';

const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex');
const commonName = Buffer.from('0603550403', 'hex');

/**
 * A self-signed certificate on a curve that WebCrypto does not know, written by hand.
 * @param cn - of subject and issuer: with the name of somebody else's CA it poses as that CA
 */
export function makeOnCurve(namedCurve: string, cn: string): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const der = selfSign(cn, publicKey, privateKey);
  return {
    certPem: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    der,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
  };
}

function selfSign(cn: string, publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const algorithm = element(0x30, ecdsaWithSha256);
  const name = element(0x30, element(0x31, element(0x30, commonName, element(0x0c, Buffer.from(cn)))));
  const time = (text: string) => element(0x17, Buffer.from(text));
  const signed = element(
    0x30,
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, Buffer.from([1])),
    algorithm,
    name,
    element(0x30, time('200101000000Z'), time('491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', signed, privateKey);
  return element(0x30, signed, algorithm, element(0x03, Buffer.from([0]), signature));
}

/** @see ITU-T X.690 §8.1.3: the length in one byte, or in two behind their number */
function element(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
