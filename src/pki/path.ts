import { type Certificate, isSelfIssued, usages } from './certificate.js';
import { findNameFault } from './name-constraints.js';
import { findAlgorithmFault } from './signature.js';
import { extensionIds } from './signed.js';

/** From the leaf to a root: each is signed by the key of the next one. Not empty. */
export type Path = readonly Certificate[];

const clientAuth = '2b06010505070302';

/** Extensions whose meaning is honoured here, or that restrict nothing when no policy is demanded. */
const understood: ReadonlySet<string> = new Set([
  extensionIds.basicConstraints,
  extensionIds.keyUsage,
  extensionIds.extKeyUsage,
  extensionIds.subjectAltName,
  extensionIds.certificatePolicies,
  extensionIds.nameConstraints,
  extensionIds.subjectKeyIdentifier,
  extensionIds.authorityKeyIdentifier,
]);

/**
 * What is wrong with a path whose signatures have been verified, apart from time and revocation. The rules are
 * those of RFC 5280 §6.1 and narrower on purpose in this: policy constraints in any form, critical extensions that are not
 * understood, and an extended key usage of nothing but `any` are refused.
 * @returns OpenSSL's code, or a word of ours for a rule that only we have
 * @throws RangeError when names or name constraints cannot be read
 * @see RFC 5280 §6.1.3, §6.1.4
 */
export function findPathFault(path: Path): string | undefined {
  let below = 0;
  for (const [depth, certificate] of path.entries()) {
    const isRoot = depth === path.length - 1;
    const fault =
      findFaultOfAny(certificate, isRoot) ??
      (depth === 0 ? findFaultOfLeaf(certificate) : findFaultOfCa(certificate, below)) ??
      findFaultOfNames(path, depth);
    if (fault !== undefined) return fault;
    // A CA that only exchanges its own key is not one more.
    if (depth > 0 && !isSelfIssued(certificate)) below++;
  }
  return undefined;
}

/** The same for a certificate whose path is not known. */
export function findLeafFault(leaf: Certificate): string | undefined {
  return findFaultOfAny(leaf, false) ?? findFaultOfLeaf(leaf);
}

function findFaultOfAny(certificate: Certificate, isRoot: boolean): string | undefined {
  const { extensions, extKeyUsage, keyFault, signed } = certificate;
  if (keyFault !== undefined) return keyFault;
  if (extensions.has(extensionIds.policyConstraints)) return 'POLICY_CONSTRAINTS_NOT_SUPPORTED';
  for (const [id, { critical }] of extensions)
    if (critical && !understood.has(id)) return 'UNHANDLED_CRITICAL_EXTENSION';
  if (extKeyUsage?.includes(clientAuth) === false) return 'INVALID_PURPOSE';
  // Nobody relies on the signature of a root: it is trusted for being configured.
  return isRoot ? undefined : findAlgorithmFault(signed.algorithm);
}

/** What a TLS client does with its key is to sign, or to agree on keys. @see RFC 5280 §4.2.1.3 */
function findFaultOfLeaf({ keyUsage }: Certificate): string | undefined {
  const isForClients =
    keyUsage === undefined || (keyUsage & (usages.digitalSignature | usages.keyAgreement)) !== 0;
  return isForClients ? undefined : 'INVALID_PURPOSE';
}

/** @param below - how many CAs stand between this one and the leaf, without those that only exchange their own key */
function findFaultOfCa({ basicConstraints, keyUsage }: Certificate, below: number): string | undefined {
  if (basicConstraints?.ca !== true) return 'INVALID_CA';
  if (keyUsage !== undefined && (keyUsage & usages.keyCertSign) === 0) return 'INVALID_CA';
  return below > basicConstraints.pathLength ? 'PATH_LENGTH_EXCEEDED' : undefined;
}

function findFaultOfNames(path: Path, depth: number): string | undefined {
  const ca = path[depth];
  if (ca === undefined || depth === 0) return undefined;
  for (const [index, below] of path.slice(0, depth).entries()) {
    if (index > 0 && isSelfIssued(below)) continue;
    const fault = findNameFault(ca, below);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Within what time all of them hold; ms since the epoch. */
export function validityOf(path: Path): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  return {
    notBeforeMs: Math.max(...path.map(({ notBeforeMs }) => notBeforeMs)),
    notAfterMs: Math.min(...path.map(({ notAfterMs }) => notAfterMs)),
  };
}
