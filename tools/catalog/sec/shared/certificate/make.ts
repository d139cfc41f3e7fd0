/**
 * Making keys, certificates and requests (RFC 5280, 2986, 5958). By @peculiar/x509 on WebCrypto: node:crypto can read
 * certificates but not make them; node-forge, the other well-kept library, knows neither ECDSA nor Ed25519. It needs
 * reflect-metadata for its dependency injection. Both are loaded when the first certificate is made.
 */

import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import type { Extension } from "@peculiar/x509";
import type { CertificateFacts } from "../../../../vault/record.ts";

type KeyType = CertificateFacts["key_type"];

const day_ms = 86_400_000;
/** Clocks of others may be behind ours. */
const backdated_ms = 300_000;

const algorithms = {
  "ecdsa-p256": { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  ed25519: { name: "Ed25519" },
  "rsa-3072": { name: "RSASSA-PKCS1-v1_5", modulusLength: 3072, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
} as const satisfies Record<KeyType, object>;

async function library() {
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

/** @returns its PKCS #8, DER */
export async function makeKey(type: KeyType): Promise<Buffer> {
  const pair = await webcrypto.subtle.generateKey(algorithms[type], true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error(`making a key of ${type} failed: it is no pair`);
  return Buffer.from(await webcrypto.subtle.exportKey("pkcs8", pair.privateKey));
}

/** Both halves of a private key. */
async function pairOf(type: KeyType, pkcs8: Uint8Array): Promise<CryptoKeyPair> {
  const algorithm = algorithms[type];
  const privateKey = await webcrypto.subtle.importKey("pkcs8", Buffer.from(pkcs8), algorithm, true, ["sign"]);
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, key_ops: _ops, ...jwk } = await webcrypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await webcrypto.subtle.importKey("jwk", { ...jwk, key_ops: ["verify"] }, algorithm, true, ["verify"]);
  return { privateKey, publicKey };
}

export interface Wish {
  readonly subject: string;
  readonly names: readonly string[];
  readonly key_type: KeyType;
  readonly authority: boolean;
  readonly days: number;
  readonly now_ms: number;
}

export interface Signer {
  readonly key_type: KeyType;
  readonly pkcs8: Uint8Array;
  /** Its certificate, PEM. */
  readonly certificate: string;
}

async function extensionsOf({ names, authority, key_type }: Wish, publicKey: CryptoKey): Promise<Extension[]> {
  const x509 = await library();
  const { KeyUsageFlags: use, ExtendedKeyUsage: extended } = x509;
  const leaf = key_type === "rsa-3072" ? use.digitalSignature | use.keyEncipherment : use.digitalSignature;
  return [
    new x509.BasicConstraintsExtension(authority, authority ? 0 : undefined, true),
    new x509.KeyUsagesExtension(authority ? use.keyCertSign | use.cRLSign : leaf, true),
    ...(authority ? [] : [new x509.ExtendedKeyUsageExtension([extended.serverAuth, extended.clientAuth])]),
    ...(names.length === 0
      ? []
      : [
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
          ),
        ]),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

/** Signed by itself, or by an authority. @returns PEM */
export async function makeCertificate(wish: Wish, pkcs8: Uint8Array, signer: Signer | null): Promise<string> {
  const x509 = await library();
  const own = await pairOf(wish.key_type, pkcs8);
  const subject = [{ CN: [wish.subject] }];
  const authority = signer === null ? null : new x509.X509Certificate(signer.certificate);
  const extensions = await extensionsOf(wish, own.publicKey);
  if (authority !== null) extensions.push(await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and always of the same length (RFC 5280, 4.1.2.2)
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString("hex"),
    subject,
    issuer: authority === null ? subject : authority.subjectName.toJSON(),
    notBefore: new Date(wish.now_ms - backdated_ms),
    notAfter: new Date(wish.now_ms + wish.days * day_ms),
    signingAlgorithm: algorithms[signer?.key_type ?? wish.key_type],
    publicKey: own.publicKey,
    signingKey: signer === null ? own.privateKey : (await pairOf(signer.key_type, signer.pkcs8)).privateKey,
    extensions,
  });
  return `${made.toString("pem")}\n`;
}

/** For an authority outside. @returns PEM */
export async function makeRequest(wish: Wish, pkcs8: Uint8Array): Promise<string> {
  const x509 = await library();
  const keys = await pairOf(wish.key_type, pkcs8);
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [wish.subject] }],
    keys,
    signingAlgorithm: algorithms[wish.key_type],
    extensions: await extensionsOf(wish, keys.publicKey),
  });
  return `${made.toString("pem")}\n`;
}
