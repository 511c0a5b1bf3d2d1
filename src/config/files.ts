import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { findBundleFaults } from '../pki/bundle.js';
import { pemBlocks } from '../pki/pem.js';
import type { Path } from './path.js';
import type { Report } from './report.js';

const maxFileBytes = 1024 ** 2;
// Some 250,000 revoked certificates.
const maxListsBytes = 16 * 1024 ** 2;

/** What may be repeated in a problem: anything else could be the secret, given in place of the name of its file. */
const fileName = /^[\w./@:+-]{1,120}$/;

/** A PEM certificate chain and its key. Both are empty after a problem was reported. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Reads the files that a configuration names and checks what is in them. What cannot be used is reported and stands as
 * empty, which nobody gets to see: a configuration with problems is not loaded.
 */
export class Files {
  readonly #directory: string;
  readonly #report: Report;
  readonly #nowMs: number;

  /** @param directory - what relative names are relative to */
  constructor(directory: string, report: Report, nowMs: number) {
    this.#directory = directory;
    this.#report = report;
    this.#nowMs = nowMs;
  }

  absolute(name: string): string {
    return resolve(this.#directory, name);
  }

  /** @param secret - the name is not repeated in a problem: somebody may have put the secret itself there */
  read(path: Path, name: string, secret = false): Buffer {
    return this.#read(path, name, { secret, maxBytes: maxFileBytes });
  }

  /** A file of revocation lists, which may be longer than others. */
  readLists(path: Path, name: string): string {
    return this.#read(path, name, { secret: false, maxBytes: maxListsBytes }).toString('utf8');
  }

  #read(path: Path, name: string, { secret, maxBytes }: { secret: boolean; maxBytes: number }): Buffer {
    try {
      const content = readFileSync(this.absolute(name));
      if (content.length <= maxBytes) return content;
      this.#report.problem(path, `the file is longer than ${maxBytes} bytes`);
    } catch (error) {
      this.#report.illegal(
        path,
        `the name of a readable file (${codeOf(error)})`,
        secret || !fileName.test(name),
      );
    }
    return Buffer.alloc(0);
  }

  readText(path: Path, name: string, secret = false): string {
    return this.read(path, name, secret).toString('utf8');
  }

  /** A chain, leaf first, and the private key of the leaf. @param path - of the mapping that has `certificate` and `key` */
  readPair(path: Path, names: { certificate: string; key: string }): CertificatePair {
    const certificate = this.readCertificates([...path, 'certificate'], names.certificate);
    const key = this.readText([...path, 'key'], names.key);
    if (certificate === '' || key === '') return { certificate: '', key: '' };
    const privateKey = parsePrivateKey(key);
    if (privateKey === undefined) {
      this.#report.problem([...path, 'key'], 'the file holds no unencrypted private key in PEM');
      return { certificate: '', key: '' };
    }
    if (!new X509Certificate(certificate).checkPrivateKey(privateKey)) {
      this.#report.problem([...path, 'key'], 'the key does not belong to the certificate');
      return { certificate: '', key: '' };
    }
    try {
      createSecureContext({ cert: certificate, key });
    } catch (error) {
      this.#report.problem(
        [...path, 'certificate'],
        `OpenSSL refuses certificate and key (${codeOf(error)})`,
      );
    }
    return { certificate, key };
  }

  /** One or more certificates in PEM. Warns of those that are out of date. */
  readCertificates(path: Path, name: string): string {
    const before = this.#report.problems.length;
    const content = this.readText(path, name);
    if (this.#report.problems.length > before) return '';
    const certificates = pemBlocks(content, 'CERTIFICATE')?.map(parseCertificate) ?? [];
    if (certificates.length === 0 || certificates.includes(undefined)) {
      this.#report.problem(path, 'the file does not hold certificates in PEM');
      return '';
    }
    for (const certificate of certificates) {
      if (certificate !== undefined) this.#warnOfValidity(path, certificate);
    }
    return content;
  }

  /**
   * CAs of clients, one or more files.
   * @returns PEM, one certificate each
   */
  readClientCas(path: Path, names: readonly string[]): string[] {
    const blocks = names.flatMap(
      (name, index) => pemBlocks(this.readCertificates([...path, index], name), 'CERTIFICATE') ?? [],
    );
    const { problems, warnings } = findBundleFaults(blocks);
    for (const problem of problems) this.#report.problem(path, problem);
    for (const warning of warnings) this.#report.warn(path, warning);
    return blocks;
  }

  #warnOfValidity(path: Path, { validFrom, validTo }: X509Certificate): void {
    if (!(Date.parse(validTo) > this.#nowMs)) this.#report.warn(path, `a certificate expired on ${validTo}`);
    if (!(Date.parse(validFrom) <= this.#nowMs))
      this.#report.warn(path, `a certificate is not valid before ${validFrom}`);
  }
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** @param content - PEM, or a JWK as JSON */
export function parsePrivateKey(content: string): KeyObject | undefined {
  try {
    return content.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(content), format: 'jwk' })
      : createPrivateKey(content);
  } catch {
    return undefined;
  }
}

/** The code of a system or OpenSSL error: its message may quote what it read. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
