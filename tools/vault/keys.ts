/**
 * Data keys. Each is one file, sealed by the TPM of this machine where there is one, and else plain:
 *
 *   made        at the first value that is kept, or when none of those that are there can be opened
 *   file → tpm  at the first start that finds a TPM: sealed, opened again to be sure, then the file is replaced by one rename,
 *               and zeros are written over the old one
 *   lost        the TPM is cleared, replaced or gone: the file stays; what it seals cannot be opened until the TPM is back
 *
 * A kill at any point leaves either file whole, and each of them opens the same key.
 */

import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { System } from "../../sys/system.ts";
import { Folder } from "./files.ts";
import { KeyId } from "./record.ts";
import type { DataKey } from "./seal.ts";
import type { SealedBlob } from "./tpm/command.ts";
import { TpmError } from "./tpm/command.ts";
import type { Tpm } from "./tpm/tpm.ts";

export type SealedBy = "tpm" | "file";

const base64 = z.base64().max(4096);
const KeyFile = z.discriminatedUnion("sealed_by", [
  z.strictObject({ format: z.literal(1), id: KeyId, created_ms: z.number().int(), sealed_by: z.literal("file"), key: base64 }),
  z.strictObject({
    ...{ format: z.literal(1), id: KeyId, created_ms: z.number().int(), sealed_by: z.literal("tpm") },
    ...{ public: base64, private: base64 },
  }),
]);
type KeyFile = z.infer<typeof KeyFile>;

interface OpenKey extends DataKey {
  readonly sealed_by: SealedBy;
  readonly created_ms: number;
}

const key_bytes = 32;

interface KeysOptions {
  /** Its own. */
  readonly folder: string;
  readonly sys: Pick<System, "file" | "descriptor">;
  readonly tpm: Tpm | null;
  readonly now_ms: () => number;
  readonly log: (text: string) => void;
}

export class Keys {
  readonly #options: KeysOptions;
  readonly #folder: Folder;
  readonly #open = new Map<string, OpenKey>();
  /** Why a key cannot be opened, and what to do. */
  readonly #lost = new Map<string, string>();
  #making: Promise<OpenKey> | null = null;

  private constructor(options: KeysOptions) {
    this.#options = options;
    this.#folder = new Folder(options.folder, options.sys);
  }

  /** Never throws: what cannot be opened is said when it is asked for. */
  static async open(options: KeysOptions): Promise<Keys> {
    const keys = new Keys(options);
    try {
      keys.#folder.sweep();
      for (const id of keys.#folder.names()) await keys.#load(id);
    } catch (error) {
      options.log(`reading the keys of the vault failed: ${textOf(error)}`);
    }
    return keys;
  }

  /** @returns the key, or why it cannot be had and what to do */
  get(id: string): DataKey | string {
    const lost = `its data key ${id} is missing from the vault; put it anew`;
    return this.#open.get(id) ?? this.#lost.get(id) ?? lost;
  }

  sealedBy(id: string): SealedBy | null {
    return this.#open.get(id)?.sealed_by ?? null;
  }

  /** The one that new values are sealed with; made when there is none. @throws when it cannot be kept */
  async current(): Promise<DataKey> {
    const known = this.#newest();
    if (known !== null) return known;
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
    return await this.#making;
  }

  /** By what the newest key is sealed; null before there is one. */
  get sealed_by(): SealedBy | null {
    return this.#newest()?.sealed_by ?? null;
  }

  get lost(): readonly string[] {
    return [...this.#lost.values()];
  }

  #newest(): OpenKey | null {
    const all = [...this.#open.values()].sort((a, b) => b.created_ms - a.created_ms);
    return all.find(({ sealed_by }) => sealed_by === "tpm") ?? all[0] ?? null;
  }

  async #make(): Promise<OpenKey> {
    const bytes = randomBytes(key_bytes);
    const base = { format: 1, id: randomBytes(8).toString("hex"), created_ms: this.#options.now_ms() } as const;
    const file = (await this.#sealed(base, bytes)) ?? { ...base, sealed_by: "file" as const, key: bytes.toString("base64") };
    await this.#folder.write(base.id, encoded(file));
    return this.#keep(file, bytes);
  }

  #keep({ id, created_ms, sealed_by }: KeyFile, bytes: Uint8Array): OpenKey {
    const key = { id, created_ms, sealed_by, bytes };
    this.#open.set(id, key);
    return key;
  }

  /** @returns null without a TPM, or when it does not work: then it says so */
  async #sealed(base: Pick<KeyFile, "format" | "id" | "created_ms">, bytes: Uint8Array): Promise<KeyFile | null> {
    const { tpm, log } = this.#options;
    if (tpm === null) return null;
    try {
      const blob = await tpm.seal(bytes);
      const back = await tpm.unseal(blob);
      if (!back.equals(bytes)) throw new Error("what it sealed does not open to the same again");
      return { ...base, sealed_by: "tpm", ...encodedBlob(blob) };
    } catch (error) {
      log(`sealing the key of the vault by the TPM failed: ${textOf(error)}; it is kept in a file until the TPM works`);
      return null;
    }
  }

  async #load(id: string): Promise<void> {
    const file = readKeyFile(id, this.#folder.read(id));
    if (file === null) {
      const why = `its data key ${id} is damaged; bring "${this.#folder.path}/${id}.json" back from a copy of the disk, or put it anew`;
      this.#lost.set(id, why);
      return;
    }
    if (file.sealed_by === "file") {
      this.#keep(file, Buffer.from(file.key, "base64"));
      await this.#move(file);
      return;
    }
    const { tpm } = this.#options;
    try {
      if (tpm === null) throw new Error("there is no TPM in this machine now");
      this.#keep(file, await tpm.unseal({ private: Buffer.from(file.private, "base64"), public: Buffer.from(file.public, "base64") }));
    } catch (error) {
      this.#lost.set(id, lostWords(id, error));
    }
  }

  /** From a plain file to the TPM. */
  async #move(file: Extract<KeyFile, { sealed_by: "file" }>): Promise<void> {
    const { format, id, created_ms } = file;
    const bytes = Buffer.from(file.key, "base64");
    try {
      const sealed = await this.#sealed({ format, id, created_ms }, bytes);
      if (sealed === null) return;
      await this.#folder.replacing(id, () => this.#folder.write(id, encoded(sealed)));
      this.#keep(sealed, bytes);
      this.#options.log(`the key ${id} of the vault is sealed by the TPM from now on`);
    } catch (error) {
      this.#options.log(`moving the key ${id} of the vault to the TPM failed: ${textOf(error)}; it stays in its file`);
    }
  }
}

function lostWords(id: string, error: unknown): string {
  const cause =
    error instanceof TpmError && error.foreign
      ? "the TPM that sealed it was cleared, or this is another one"
      : `the TPM cannot open it: ${textOf(error)}`;
  return `its data key ${id} is not to be had: ${cause}; start with that TPM as it was, or put it anew (nothing was deleted)`;
}

function encodedBlob(blob: SealedBlob): { readonly public: string; readonly private: string } {
  return { public: Buffer.from(blob.public).toString("base64"), private: Buffer.from(blob.private).toString("base64") };
}

function encoded(file: KeyFile): Buffer {
  return Buffer.from(`${JSON.stringify(file)}\n`);
}

function readKeyFile(id: string, bytes: Buffer | null): KeyFile | null {
  try {
    const file = KeyFile.parse(JSON.parse(bytes?.toString("utf8") ?? ""));
    const whole = file.sealed_by === "tpm" || Buffer.from(file.key, "base64").length === key_bytes;
    return file.id === id && whole ? file : null;
  } catch {
    return null;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
