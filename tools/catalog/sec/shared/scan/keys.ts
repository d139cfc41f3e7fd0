/**
 * Keys and certificates in files: too short, out of date, or readable by those they are not for. Nothing of a key is told but
 * its kind and length.
 */

import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Finding } from "./finding.ts";

/** Names that are looked into; the largest file of that kind. */
const named = /^(authorized_keys2?|id_[a-z0-9_]+(\.pub)?|ssh_host_[a-z0-9_]+_key(\.pub)?|.*\.(pem|crt|cer|key|pub))$/i;
export const key_file_bytes_max = 256 * 1024;
const pieces_max = 200;

export function mayHoldKeys(name: string, size_bytes: number): boolean {
  return size_bytes > 0 && size_bytes <= key_file_bytes_max && named.test(name);
}

/** NIST SP 800-57 part 1: less than 112 bits of security; DSA is no longer approved (FIPS 186-5). */
const rsa_bits_min = 2048;
const others_read = 0o004;
const group_read = 0o040;

export interface KeyFile {
  readonly where: string;
  readonly mode: number;
  readonly gid: number;
  readonly text: string;
}

export function keyFindings({ where, mode, gid, text }: KeyFile, now_ms: number): Finding[] {
  const findings: Finding[] = [];
  const weak = (what: string, cause: string | null): void => {
    if (cause === null) return;
    const advice = "make a new one (Ed25519, or RSA of 3072 bits) and take this one out of use";
    findings.push({ check: "keys", kind: "weak-key", severity: "high", where, evidence: `${what}: ${cause}`, advice });
  };
  let has_private = false;
  for (const [whole, label = ""] of [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----[^-]*-----END \1-----/g)].slice(0, pieces_max)) {
    if (label.endsWith("PRIVATE KEY")) has_private = true;
    if (label === "CERTIFICATE") findings.push(...certificateFindings(whole, where, now_ms, weak));
    else weak(label.toLowerCase(), weaknessOfPem(whole, label));
  }
  for (const line of text.split("\n").slice(0, 10 * pieces_max)) {
    const [, kind, blob] = /(?:^|\s)(ssh-rsa|ssh-dss)\s+([A-Za-z0-9+/=]{20,20000})(?:\s|$)/.exec(line) ?? [];
    if (kind !== undefined && blob !== undefined) weak("SSH key", weaknessOfSsh(Buffer.from(blob, "base64")));
  }
  const exposed = (mode & others_read) !== 0 ? "everybody" : (mode & group_read) !== 0 && gid !== 0 ? `group ${gid}` : null;
  if (has_private && exposed !== null)
    findings.push({
      ...{ check: "keys", kind: "exposed-private-key", severity: "high", where },
      evidence: `${exposed} may read it, mode ${mode.toString(8).padStart(4, "0")}`,
      advice: 'set "0600" with fs.chmod, and replace the key: it may have been read',
    });
  return findings;
}

function certificateFindings(pem: string, where: string, now_ms: number, weak: (what: string, cause: string | null) => void): Finding[] {
  const certificate = attempt(() => new X509Certificate(pem));
  if (certificate === null) return [];
  const subject = JSON.stringify(certificate.subject.replaceAll("\n", ", ").slice(0, 200));
  weak(`certificate of ${subject}`, has(certificate.raw, dsa_oid) ? "DSA" : weaknessOf(attempt(() => certificate.publicKey)));
  if (certificate.validToDate.getTime() >= now_ms) return [];
  const evidence = `certificate of ${subject} ended at ${certificate.validToDate.toISOString()}`;
  return [{ check: "keys", kind: "expired-certificate", severity: "medium", where, evidence, advice: "renew it, or take it out of use" }];
}

/** id-dsa of RFC 3279, as DER. */
const dsa_oid = Buffer.from("06072a8648ce380401", "hex");

function has(bytes: Uint8Array, part: Buffer): boolean {
  return Buffer.from(bytes).includes(part);
}

/** Null when it is strong enough, or cannot be told: an encrypted one says nothing. */
function weaknessOfPem(pem: string, label: string): string | null {
  const der = Buffer.from(pem.replace(/-----[^-]*-----/g, ""), "base64");
  if (label.startsWith("DSA ") || has(der, dsa_oid)) return "DSA";
  if (label === "OPENSSH PRIVATE KEY") return weaknessOfSsh(openSshPublic(der));
  if (label.endsWith("PRIVATE KEY")) return weaknessOf(attempt(() => createPrivateKey(pem)));
  return label.endsWith("PUBLIC KEY") ? weaknessOf(attempt(() => createPublicKey(pem))) : null;
}

function weaknessOf(key: KeyObject | null): string | null {
  if (key?.asymmetricKeyType === "dsa") return "DSA";
  const bits = key?.asymmetricKeyDetails?.modulusLength;
  return bits !== undefined && bits < rsa_bits_min ? `RSA of ${bits} bits` : null;
}

/** RFC 4253, 6.6: strings of type, exponent, modulus. */
function weaknessOfSsh(blob: Buffer | null): string | null {
  const [type, , modulus] = blob === null ? [] : stringsOf(blob, 3);
  if (type?.toString() === "ssh-dss") return "DSA";
  if (type?.toString() !== "ssh-rsa" || modulus === undefined) return null;
  const first = modulus.findIndex((byte) => byte !== 0);
  const bits = first === -1 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first] ?? 0) + 24;
  return bits < rsa_bits_min ? `RSA of ${bits} bits` : null;
}

/** PROTOCOL.key of OpenSSH: the magic, three strings, how many keys, then the public one; it is there also when the rest is encrypted. */
function openSshPublic(der: Buffer): Buffer | null {
  const magic = Buffer.from("openssh-key-v1\0");
  if (!der.subarray(0, magic.length).equals(magic)) return null;
  const rest = der.subarray(magic.length);
  const heads = stringsOf(rest, 3);
  const at = heads.reduce((sum, one) => sum + 4 + one.length, 0) + 4;
  return stringsOf(rest.subarray(at), 1)[0] ?? null;
}

/** Strings with their length in front (RFC 4251, 5); fewer when the bytes end before. */
function stringsOf(bytes: Buffer, count: number): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; found.length < count && at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (at + 4 + length > bytes.length) break;
    found.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

/** What is no key is no finding. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
