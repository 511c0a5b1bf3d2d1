/**
 * The y coordinates, little endian and in hex, of the eight points of small order on edwards25519, in every spelling
 * that a decoder may take: canonical, and shifted by the field prime where that still fits in 255 bits. The sign
 * bit of x is ignored.
 *
 * For a public key among these, signatures exist that nobody's private key made (all zero bytes is one).
 * @see RFC 8032 §5.1.7, §8.4; RFC 7748 §6.1
 */
const smallOrder: ReadonlySet<string> = new Set([
  // 0 (order 4) and p
  '0000000000000000000000000000000000000000000000000000000000000000',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // 1 (the neutral element) and p + 1
  '0100000000000000000000000000000000000000000000000000000000000000',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // p - 1 (order 2)
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  // the two y coordinates of order 8
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** @param point - 32 bytes, the encoding of a public key. @see RFC 8032 §5.1.2 */
export function isSmallOrderPoint(point: Buffer): boolean {
  const y = Buffer.from(point);
  y[31] = (y[31] ?? 0) & 0x7f;
  return smallOrder.has(y.toString('hex'));
}

const eddsaNames: readonly string[] = ['EdDSA', 'Ed25519'];

/**
 * The names of an algorithm in `alg`. EdDSA is always Ed25519 here, and the two are one: what a key, a token, a proof or
 * the configuration calls by one name is meant by the other too. @see RFC 9864 §2.2
 */
export function algorithmNames(alg: string): readonly string[] {
  return eddsaNames.includes(alg) ? eddsaNames : [alg];
}
