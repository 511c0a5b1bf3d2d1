import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Element, parseElements, parseOnly, tags } from '#holdfast/pki/der.js';

/** A test of NIST's Public Key Interoperability Test Suite, as its signed message has it. All of it is DER. */
export interface PkitsVector {
  readonly leaf: Buffer;
  /** certificates that came with it, the trust anchor not among them */
  readonly others: readonly Buffer[];
  readonly lists: readonly Buffer[];
}

export interface Pkits {
  readonly anchor: Buffer;
  /** by the title in the document, without spaces and hyphens: `InvalidRevokedCATest2` */
  readonly vectors: ReadonlyMap<string, PkitsVector>;
}

const certificatesTag = 0xa0;
const listsTag = 0xa1;
const versionTag = 0xa0;

/**
 * Reads the suite of 2011, which is one S/MIME message for each test.
 * @param directory - with `certs` and `smime`
 * @see https://csrc.nist.gov/projects/pki-testing
 */
export function readPkits(directory: string): Pkits {
  const files = readdirSync(join(directory, 'smime'));
  return {
    anchor: readFileSync(join(directory, 'certs', 'TrustAnchorRootCertificate.crt')),
    vectors: new Map(
      files.map((file) => [
        file.replace(/^Signed|\.eml$/g, ''),
        parseMessage(readFileSync(join(directory, 'smime', file), 'latin1')),
      ]),
    ),
  };
}

/** @see RFC 5652 §3, §5.1: ContentInfo, SignedData */
function parseMessage(message: string): PkitsVector {
  const base64 = /name="smime\.p7s"[\s\S]*?\r?\n\r?\n([^-]+)/.exec(message)?.[1];
  assert.ok(base64 !== undefined);
  const [, content] = parseElements(parseOnly(Buffer.from(base64, 'base64'), tags.sequence));
  const members = inside(inside(content)[0]);
  const certificates = inside(members.find(({ tag }) => tag === certificatesTag)).map(({ whole }) => whole);
  const [signer] = inside(members.at(-1));
  const [issuer, serial] = inside(inside(signer)[1]);
  const leaf = certificates.find((certificate) => {
    const named = inside(parseElements(parseOnly(certificate, tags.sequence))[0]);
    const [ownSerial, , ownIssuer] = named[0]?.tag === versionTag ? named.slice(1) : named;
    return (
      ownSerial?.whole.equals(serial?.whole ?? Buffer.of()) &&
      ownIssuer?.whole.equals(issuer?.whole ?? Buffer.of())
    );
  });
  assert.ok(leaf !== undefined);
  return {
    leaf,
    others: certificates.filter((one) => one !== leaf),
    lists: inside(members.find(({ tag }) => tag === listsTag)).map(({ whole }) => whole),
  };
}

function inside(element: Element | undefined): Element[] {
  return element === undefined ? [] : parseElements(element.content);
}
