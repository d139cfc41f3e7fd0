/**
 * AES-256-GCM (NIST SP 800-38D) with a fresh nonce of 96 bits for each value. Everything else that its file
 * says of it (name, owner, uses, certificate, version …) is authenticated with it: sealed bytes that are put under another name,
 * or whose uses were widened, do not open.
 */

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { canonicalJson } from "../audit/canonical.ts";
import type { VaultRecord, Version } from "./record.ts";

export interface DataKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** All of a record but its values. */
export type Identity = Omit<VaultRecord, "format" | "versions">;

const cipher = "aes-256-gcm";
const nonce_bytes = 12;
const tag_bytes = 16;

function authenticated(identity: Identity, { version, created_ms, key }: Pick<Version, "version" | "created_ms" | "key">): Buffer {
  const { kind, name, owner, uses, created_ms: since_ms, changed_by, certificate } = identity;
  const of_record = { format: 1, kind, name, owner, uses, since_ms, changed_by, certificate };
  return Buffer.from(canonicalJson({ ...of_record, version, created_ms, key }));
}

export function seal(
  identity: Identity,
  { version, created_ms, value }: { version: number; created_ms: number; value: Uint8Array },
  key: DataKey,
): Version {
  const nonce = randomBytes(nonce_bytes);
  const about = { version, created_ms, key: key.id };
  const sealing = createCipheriv(cipher, key.bytes, nonce, { authTagLength: tag_bytes });
  sealing.setAAD(authenticated(identity, about));
  const sealed = Buffer.concat([sealing.update(value), sealing.final(), sealing.getAuthTag()]);
  return { ...about, nonce: nonce.toString("base64"), sealed: sealed.toString("base64") };
}

/** @returns null when it is not what was sealed under this key for this identity */
export function unseal(identity: Identity, version: Version, key: DataKey): Buffer | null {
  const sealed = Buffer.from(version.sealed, "base64");
  if (sealed.length < tag_bytes || sealed.toString("base64") !== version.sealed) return null; // base64 has bits that say nothing
  const opening = createDecipheriv(cipher, key.bytes, Buffer.from(version.nonce, "base64"), { authTagLength: tag_bytes });
  opening.setAAD(authenticated(identity, version));
  opening.setAuthTag(sealed.subarray(sealed.length - tag_bytes));
  try {
    return Buffer.concat([opening.update(sealed.subarray(0, sealed.length - tag_bytes)), opening.final()]);
  } catch {
    return null;
  }
}
