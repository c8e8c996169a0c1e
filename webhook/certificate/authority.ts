/**
 * Makes certificates: an authority of our own, and the leaf that the server shows. ECDSA P-256, by the runtime's webcrypto; read by OpenSSL, which is
 * a hundred times faster at it.
 */
import { X509Certificate as ReadCertificate } from 'node:crypto';
// oxlint-disable-next-line import/no-unassigned-import -- what the package below is made of looks for it when it is loaded
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Clocks of hosts differ. */
const BACKDATED_MS = 5 * 60_000;

/** PEM, both. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Validity {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

type KeyPair = Awaited<ReturnType<typeof generate>>;

async function generate() {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** A self-signed authority that may sign leaves and nothing else. */
export async function makeAuthority(now: number, lifetimeMs: number): Promise<Issued> {
  const keys = await generate();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // A name of its own, so that a chain is never built with another authority of ours.
    name: `CN=kubectl-redis webhook CA ${new Date(now).toISOString()}`,
    ...period(now, lifetimeMs),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return issued(certificate, keys);
}

/** A certificate for the server under these DNS names. It never outlives its authority. */
export async function makeLeaf(
  authority: Issued,
  names: readonly string[],
  now: number,
  lifetimeMs: number,
): Promise<Issued> {
  const issuer = new X509Certificate(authority.cert);
  const keys = await generate();
  const signingKey = await crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(authority.key), ALGORITHM, false, [
    'sign',
  ]);
  const { notBefore, notAfter } = period(now, lifetimeMs);
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${names[0]?.slice(0, 64) ?? 'webhook'}`,
    issuer: issuer.subject,
    notBefore,
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    ],
  });
  return issued(certificate, keys);
}

/** @throws when the text is no certificate */
export function validityOf(cert: string): Validity {
  const { validFrom, validTo } = new ReadCertificate(cert);
  return { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
}

/** Whether the authority signed the leaf, and both hold at that time. */
export function isTrusted(leaf: string, authority: string, now: number): boolean {
  const holds = [leaf, authority]
    .map(validityOf)
    .every(({ notBefore, notAfter }) => notBefore <= now && now < notAfter);
  return holds && hasSigned(authority, leaf);
}

/** Whether the authority signed the leaf, whatever the time. */
export function hasSigned(authority: string, leaf: string): boolean {
  const certificate = new ReadCertificate(leaf);
  const issuer = new ReadCertificate(authority);
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The DNS names of a leaf. */
export function namesOf(leaf: string): string[] {
  const { subjectAltName = '' } = new ReadCertificate(leaf);
  return subjectAltName.split(', ').map((name) => name.replace(/^DNS:/, ''));
}

function period(now: number, lifetimeMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now - Math.min(BACKDATED_MS, lifetimeMs / 10)), notAfter: new Date(now + lifetimeMs) };
}

async function issued(certificate: X509Certificate, keys: KeyPair): Promise<Issued> {
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
}
