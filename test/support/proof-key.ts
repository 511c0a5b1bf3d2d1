import { importProofKey, type ProofAlgorithm, type ProofKey, parseProofKey } from '#holdfast/proof/jwk.js';

/** Check 7 as a whole. */
export async function importKey(jwk: unknown, algorithm: ProofAlgorithm): Promise<ProofKey> {
  return importProofKey(await parseProofKey(jwk, algorithm));
}
