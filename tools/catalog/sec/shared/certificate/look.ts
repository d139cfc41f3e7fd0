/** What can be seen of a certificate, by node:crypto. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { z } from "zod";

const day_ms = 86_400_000;
/** Days before its end that people should know of it. */
const ends_soon_days = 21;
const rsa_bits_min = 2048;

export const Seen = z.lazy(() =>
  z.strictObject({
    subject: z.string(),
    issuer: z.string(),
    names: z.array(z.string()).describe("DNS names and addresses that it is for"),
    serial: z.string(),
    starts_ms: z.number().describe("milliseconds since 1970"),
    ends_ms: z.number(),
    days_left: z.number().describe("whole days; negative: it ended so long ago"),
    key: z.string().describe("kind and size of its public key: ec prime256v1, ed25519, rsa 3072"),
    sha256: z.string().describe("fingerprint of the whole certificate"),
    authority: z.boolean().describe("it may sign others"),
    self_signed: z.boolean(),
  }),
);
export type Seen = z.infer<typeof Seen>;

const text_chars_max = 500;
const names_max = 100;

export function seen(certificate: X509Certificate, now_ms: number): Seen {
  const ends_ms = certificate.validToDate.getTime();
  return {
    subject: line(certificate.subject),
    issuer: line(certificate.issuer),
    names: namesOf(certificate).slice(0, names_max),
    serial: certificate.serialNumber.slice(0, text_chars_max),
    starts_ms: certificate.validFromDate.getTime(),
    ends_ms,
    days_left: Math.floor((ends_ms - now_ms) / day_ms),
    key: keyOf(certificate).text,
    sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    authority: certificate.ca,
    self_signed: isSelfSigned(certificate),
  };
}

function line(text: string | undefined): string {
  return (text ?? "").replaceAll("\n", ", ").slice(0, text_chars_max);
}

function namesOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "")
    .split(", ")
    .map((name) => name.replace(/^(DNS|IP Address):/, "").slice(0, text_chars_max))
    .filter((name) => name !== "");
}

function keyOf(certificate: X509Certificate): { readonly text: string; readonly weak: string | null } {
  const { asymmetricKeyType: kind = "unknown", asymmetricKeyDetails: details } = certificate.publicKey;
  const bits = details?.modulusLength;
  const weak = bits !== undefined && bits < rsa_bits_min ? `its key has ${bits} bits, fewer than ${rsa_bits_min}` : null;
  return {
    text: `${kind} ${details?.namedCurve ?? bits ?? ""}`.trim(),
    weak: kind === "dsa" ? "its key is DSA, which nobody takes any more" : weak,
  };
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && isSignedBy(certificate, certificate);
}

function isSignedBy(certificate: X509Certificate, by: X509Certificate): boolean {
  try {
    return certificate.verify(by.publicKey);
  } catch {
    return false;
  }
}

/** What is wrong with a chain, leaf first; empty when nothing is. @param wanted the name by which it is reached */
export function problemsOf(chain: readonly X509Certificate[], now_ms: number, wanted: string | null): string[] {
  const problems: string[] = [];
  for (const [index, certificate] of chain.entries()) {
    const which = index === 0 ? "it" : `number ${index + 1} of its chain`;
    const { starts_ms, ends_ms, days_left } = seen(certificate, now_ms);
    if (starts_ms > now_ms) problems.push(`${which} is not valid before ${new Date(starts_ms).toISOString()}`);
    if (ends_ms <= now_ms) problems.push(`${which} ended at ${new Date(ends_ms).toISOString()}`);
    else if (days_left < ends_soon_days) problems.push(`${which} ends in ${days_left} days`);
    const { weak } = keyOf(certificate);
    if (weak !== null) problems.push(`${which}: ${weak}`);
    const next = chain[index + 1];
    if (next !== undefined && !isSignedBy(certificate, next)) problems.push(`${which} is not signed by the next of its chain`);
  }
  const [leaf] = chain;
  if (leaf !== undefined && wanted !== null && !isFor(leaf, wanted)) problems.push(`it is not for the name ${JSON.stringify(wanted)}`);
  return problems;
}

function isFor(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

/** Whether the private key (PKCS #8) belongs to it. */
export function belongs(certificate: X509Certificate, pkcs8: Uint8Array): boolean {
  return certificate.checkPrivateKey(createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" }));
}

const chain_max = 20;

/** All certificates in a text of PEM, in their order. @throws when one cannot be read. What else stands there is passed over */
export function readChain(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.slice(0, chain_max).map((block) => new X509Certificate(block));
}
