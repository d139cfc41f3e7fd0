/** What is kept of one secret, or of a certificate with its private key. */

import { z } from "zod";
import { SecretName } from "../../contracts/config.ts";
import { CallId, Principal } from "../../contracts/tool.ts";
import { Use } from "./use.ts";

export const VaultKind = z.enum(["secret", "certificate"]);
export type VaultKind = z.infer<typeof VaultKind>;

export const VaultName = SecretName;

export const KeyId = z.string().regex(/^[0-9a-f]{16}$/);

/** Versions of a value that are kept: the one in use and those before it. */
export const versions_max = 3;
/** Bytes. */
export const value_bytes_max = 16_384;

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

const Version = z.strictObject({
  version: z.number().int().min(1),
  created_ms: z.number().int(),
  /** The data key that seals it. */
  key: KeyId,
  nonce: base64.length(16),
  /** Ciphertext, then 16 bytes of tag. */
  sealed: base64.max(2 * value_bytes_max),
});
export type Version = z.infer<typeof Version>;

/** What is public of a certificate. */
export const CertificateFacts = z.strictObject({
  subject: z.string().max(64),
  names: z.array(z.string().max(253)).max(100),
  key_type: z.enum(["ecdsa-p256", "ed25519", "rsa-3072"]),
  days: z.number().int(),
  /** Who signs it: itself, a certificate of the vault, or somebody outside by a request. */
  signed_by: z.discriminatedUnion("by", [
    z.strictObject({ by: z.literal("itself") }),
    z.strictObject({ by: z.literal("authority"), authority: VaultName }),
    z.strictObject({ by: z.literal("outside") }),
  ]),
  /** It may sign others. */
  authority: z.boolean(),
  /** The certificate that is in force and those that signed it, leaf first; empty while an outside authority has not answered. */
  chain: z.array(z.string().max(16_384)).max(8),
  /** The version of the private key that belongs to the chain; 0 while there is none. */
  chain_version: z.number().int().min(0),
  /** The request for the newest key that an outside authority has to answer; null when none is open. */
  request: z.string().max(16_384).nullable(),
  /** Certificates before it that have not ended: their keys are kept so long. */
  earlier: z
    .array(z.strictObject({ chain: z.array(z.string().max(16_384)).max(8), version: z.number().int(), until_ms: z.number() }))
    .max(1),
});
export type CertificateFacts = z.infer<typeof CertificateFacts>;

export const VaultRecord = z.strictObject({
  format: z.literal(1),
  kind: VaultKind,
  name: VaultName,
  owner: Principal,
  uses: z.array(Use).max(16),
  created_ms: z.number().int(),
  /** The call that changed it last. */
  changed_by: CallId,
  /** Oldest first. */
  versions: z.array(Version).min(1).max(versions_max),
  certificate: CertificateFacts.nullable(),
});
export type VaultRecord = z.infer<typeof VaultRecord>;

/** A value before it is sealed, or opened again. */
export interface Opened {
  readonly version: number;
  readonly created_ms: number;
  readonly value: Uint8Array;
}

export function newest(record: VaultRecord): Version {
  return record.versions[record.versions.length - 1] as Version;
}
