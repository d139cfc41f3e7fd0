/** The vault: what tools may do with secrets and certificates. There is no way from here to an answer of a tool. */

import { join } from "node:path";
import type { System } from "../../sys/system.ts";
import { ToolError } from "../tool.ts";
import { Folder } from "./files.ts";
import { Keys, type SealedBy } from "./keys.ts";
import { newest, type Opened, VaultKind, VaultName, VaultRecord, type Version, versions_max } from "./record.ts";
import { seal, unseal } from "./seal.ts";
import type { Tpm } from "./tpm/tpm.ts";

/** Something of the vault, by what it is called. */
export interface Named {
  readonly kind: VaultKind;
  readonly name: string;
}

/** What a tool says of a record; the values are sealed by the vault. */
export type Draft = Omit<VaultRecord, "format" | "versions">;

export interface Listed extends Named {
  /** Null when its file is damaged. */
  readonly record: VaultRecord | null;
  /** By what its newest version is sealed; null when it cannot be opened. */
  readonly sealed_by: SealedBy | null;
  /** Why it cannot be opened and what to do. */
  readonly trouble: string | null;
}

export interface Vault {
  list(): Listed[];
  /** What is kept of it, not its value; null when there is none. @throws {ToolError} when its file is damaged */
  record(named: Named): VaultRecord | null;
  /** The value in use, or that of another version. @throws {ToolError} when it cannot be opened */
  value(named: Named, version?: number): Buffer;
  /** All versions that can be opened, oldest first. */
  versions(named: Named): Opened[];
  /** Keeps it, sealed; the oldest beyond `versions_max` are left out. Durable. @throws {ToolError} */
  keep(draft: Draft, versions: readonly Opened[]): Promise<VaultRecord>;
  /** Its file as it is, for before-images; null when there is none. */
  file(named: Named): Buffer | null;
  /** Brings a file back, or takes it away. Durable. */
  bringBack(named: Named, file: Uint8Array | null): Promise<void>;
  /** By what the key of new values is sealed; null before the first. */
  readonly sealed_by: SealedBy | null;
  /** What does not open and what to do; null when all is well. */
  readonly degradation: string | null;
}

export interface VaultOptions {
  /** Its own: `<data>/broker/vault`. */
  readonly folder: string;
  readonly sys: Pick<System, "file" | "descriptor">;
  readonly tpm: Tpm | null;
  readonly now_ms: () => number;
  readonly log: (text: string) => void;
}

/** Never throws: what is damaged or lost is said of each by itself. */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const keys = await Keys.open({ ...options, folder: join(options.folder, "keys") });
  return new OpenVault(keys, options);
}

class OpenVault implements Vault {
  readonly #keys: Keys;
  readonly #folders: Readonly<Record<VaultKind, Folder>>;
  #listed: Listed[] | null = null;

  constructor(keys: Keys, { folder, sys, log }: VaultOptions) {
    this.#keys = keys;
    this.#folders = { secret: new Folder(join(folder, "secret"), sys), certificate: new Folder(join(folder, "certificate"), sys) };
    try {
      for (const one of Object.values(this.#folders)) one.sweep();
    } catch (error) {
      log(`clearing the vault of what was half written failed: ${String(error)}`);
    }
  }

  get sealed_by(): SealedBy | null {
    return this.#keys.sealed_by;
  }

  get degradation(): string | null {
    const broken = this.list().filter(({ trouble }) => trouble !== null);
    const [first] = broken;
    return first === undefined ? null : `${broken.length} secrets or certificates cannot be opened: ${first.trouble}`;
  }

  list(): Listed[] {
    this.#listed ??= VaultKind.options.flatMap((kind) =>
      this.#folders[kind]
        .names()
        .filter((name) => VaultName.safeParse(name).success)
        .map((name) => this.#look({ kind, name })),
    );
    return [...this.#listed];
  }

  #look(named: Named): Listed {
    try {
      const record = this.record(named);
      if (record === null) throw damaged(named);
      const lost = this.#troubleOf(record);
      return { ...named, record, sealed_by: lost === null ? this.#keys.sealedBy(newest(record).key) : null, trouble: lost };
    } catch (error) {
      return { ...named, record: null, sealed_by: null, trouble: error instanceof Error ? error.message : String(error) };
    }
  }

  #troubleOf(record: VaultRecord): string | null {
    try {
      this.#open(record, newest(record));
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  record(named: Named): VaultRecord | null {
    const bytes = this.file(named);
    if (bytes === null) return null;
    try {
      const record = VaultRecord.parse(JSON.parse(bytes.toString("utf8")));
      if (record.kind !== named.kind || record.name !== named.name) throw damaged(named);
      return record;
    } catch {
      throw damaged(named);
    }
  }

  value(named: Named, version?: number): Buffer {
    const record = this.#present(named);
    const wanted = version === undefined ? newest(record) : record.versions.find((one) => one.version === version);
    if (wanted === undefined) throw new ToolError(`opening ${words(named)} failed: its version ${version} is not kept any more`);
    return this.#open(record, wanted);
  }

  versions(named: Named): Opened[] {
    const record = this.#present(named);
    return record.versions.flatMap((one) => {
      try {
        return [{ version: one.version, created_ms: one.created_ms, value: this.#open(record, one) }];
      } catch {
        return [];
      }
    });
  }

  #present(named: Named): VaultRecord {
    const record = this.record(named);
    if (record === null) throw new ToolError(`opening ${words(named)} failed: there is none; sec.secret_list names those that there are`);
    return record;
  }

  #open(record: VaultRecord, version: Version): Buffer {
    const key = this.#keys.get(version.key);
    if (typeof key === "string") throw new ToolError(`opening ${words(record)} failed: ${key}`);
    const value = unseal(record, version, key);
    if (value === null) throw damaged(record);
    return value;
  }

  async keep(draft: Draft, versions: readonly Opened[]): Promise<VaultRecord> {
    const about = `keeping ${words(draft)}`;
    try {
      const key = await this.#keys.current();
      const sealed = versions.slice(-versions_max).map((one) => seal(draft, one, key));
      const record = VaultRecord.parse({ format: 1, ...draft, versions: sealed });
      await this.#folders[draft.kind].write(draft.name, Buffer.from(`${JSON.stringify(record)}\n`));
      return record;
    } catch (error) {
      throw new ToolError(`${about} failed: ${error instanceof Error ? error.message : String(error)}; it is as it was`);
    } finally {
      this.#listed = null;
    }
  }

  file({ kind, name }: Named): Buffer | null {
    return this.#folders[kind].read(VaultName.parse(name));
  }

  async bringBack({ kind, name }: Named, file: Uint8Array | null): Promise<void> {
    this.#listed = null;
    if (file === null) await this.#folders[kind].remove(VaultName.parse(name));
    else await this.#folders[kind].write(VaultName.parse(name), file);
    this.#listed = null;
  }
}

export function words({ kind, name }: Named): string {
  return `the ${kind} "${name}"`;
}

function damaged(named: Named): ToolError {
  return new ToolError(
    `opening ${words(named)} failed: its file in the vault is damaged, or was not sealed for it; put it anew, or bring the file back from a copy (the others are not concerned)`,
  );
}
