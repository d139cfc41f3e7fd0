/** A vault in a folder, on the real system. */

import { join } from "node:path";
import { linuxSystem } from "../../../sys/linux.ts";
import type { Opened } from "../record.ts";
import type { Tpm } from "../tpm/tpm.ts";
import { type Draft, openVault, type Vault, type VaultOptions } from "../vault.ts";

export function openTestVault(folder: string, more: Partial<VaultOptions> = {}): Promise<Vault> {
  const log = (): void => {};
  return openVault({ folder: join(folder, "vault"), sys: linuxSystem(), tpm: null, now_ms: () => Date.now(), log, ...more });
}

export function draft(name: string, more: Partial<Draft> = {}): Draft {
  const base: Omit<Draft, "name"> = {
    ...{ kind: "secret", owner: "tier:tactical", uses: [], created_ms: 1, changed_by: "00000000-call-1", certificate: null },
  };
  return { ...base, name, ...more };
}

export function version(text: string, number = 1): Opened {
  return { version: number, created_ms: number, value: Buffer.from(text) };
}

/** Answers nothing but errors. */
export const broken_tpm: Tpm = {
  seal: () => Promise.reject(new Error("it does not answer")),
  unseal: () => Promise.reject(new Error("it does not answer")),
};
