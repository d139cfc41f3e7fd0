/** Secrets and certificates as policies see them. */

import type { Resource } from "../../contracts/tool.ts";
import { ToolError } from "../tool.ts";
import type { VaultRecord } from "./record.ts";
import { type Consumer, consumerName, isIntended } from "./use.ts";
import type { Named, Vault } from "./vault.ts";
import { words } from "./vault.ts";

/** One whose file is damaged has no owner, as far as is known. */
export function recordOrDamaged(named: Named, vault: Vault): VaultRecord | null {
  try {
    return vault.record(named);
  } catch {
    return null;
  }
}

export function vaultResource(named: Named, access: Resource["access"], vault: Vault): Resource {
  const record = recordOrDamaged(named, vault);
  const attributes = { exists: vault.file(named) !== null, ...(record && { owner: record.owner }) };
  return { kind: named.kind, id: named.name, access, attributes };
}

/** It is about to be handed to somebody. @throws {ToolError} when there is none, or when its file is damaged */
export function handedResource(named: Named, consumer: Consumer, vault: Vault): Resource {
  const record = vault.record(named);
  if (record === null)
    throw new ToolError(
      `handing out ${words(named)} failed: there is none; sec.secret_list names those that there are, sec.secret_put makes one`,
    );
  const attributes = { exists: true, owner: record.owner, consumer: consumerName(consumer), intended: isIntended(record.uses, consumer) };
  return { kind: named.kind, id: named.name, access: "execute", attributes };
}
