import { createHash, randomBytes, sign, verify } from 'node:crypto';
import { makeKeyPair } from '../test/support/keys.js';

const signatures = 64;
const verifications = 4000;

/**
 * What one P-256 verification costs here, µs of processor time: together with the floor the least that a request
 * with a DPoP proof can cost.
 */
export function measureVerification(): number {
  const { privateKey, publicKey } = makeKeyPair('ec', { namedCurve: 'P-256' });
  const signed = Array.from({ length: signatures }, () => {
    const data = Buffer.from(createHash('sha512').update(randomBytes(32)).digest('hex').repeat(4));
    return { data, signature: sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }) };
  });
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  const run = () => {
    for (let done = 0; done < verifications; ) {
      for (const { data, signature } of signed) {
        if (!verify('sha256', data, key, signature)) throw new Error('signature does not verify');
        done++;
      }
    }
  };
  run();
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (Math.ceil(verifications / signatures) * signatures);
}
