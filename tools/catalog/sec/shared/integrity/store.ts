/**
 * Where baselines are: a file each in the broker's own folder, which no tool reaches by path, and what is known of it in the
 * broker's state. Its SHA-256 is in the answer of the call that made it, and so in the audit's chain: whoever changes the file
 * and the state cannot change that unnoticed.
 */

import { createHash } from "node:crypto";
import { z } from "zod";
import { isSysError } from "../../../../../sys/errors.ts";
import type { Audit } from "../../../../audit/audit.ts";
import type { Context, State } from "../../../../context.ts";
import { ToolError } from "../../../../tool.ts";
import { readWhole, writeWhole } from "../../../fs/shared/content.ts";
import { makeFile } from "../../../fs/shared/new-file.ts";
import { syncFolder } from "../../../fs/shared/slot.ts";
import { Entry } from "./entry.ts";

export const BaselineName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, "a baseline's name is a lower-case letter, then up to 39 of a-z 0-9 -");

export const Baseline = z.lazy(() =>
  z.strictObject({
    name: BaselineName,
    /** The call that made it. */
    call: z.string(),
    made_ms: z.number(),
    /** Canonical paths. */
    roots: z.array(z.string()),
    configuration: z.boolean(),
    entries: z.number().int(),
    hashed_bytes: z.number().int(),
    sha256: z.string(),
  }),
);
export type Baseline = z.infer<typeof Baseline>;

const prefix = "baseline/";
export const baselines_max = 16;
/** Of a stored one, unpacked or not. */
const bytes_max = 256 * 1024 * 1024;

export function baselineOf(state: State, name: string): Baseline | null {
  return Baseline.nullable().parse(state.get(prefix + name) ?? null);
}

export function baselineNames(state: State): string[] {
  return state.list(prefix).map(({ key }) => key.slice(prefix.length));
}

export function declareBaseline(state: State, name: string, baseline: Baseline | null): void {
  if (baseline === null) state.delete(prefix + name);
  else state.put(prefix + name, baseline);
}

type Ports = Pick<Context, "sys" | "places">;

const fileName = (name: string): string => `${name}.jsonl.zst`;

function openFolder({ sys, places }: Ports): number {
  const broker = sys.file.open("cwd", places.broker, ["path", "directory"]);
  try {
    try {
      sys.file.makeFolder(broker, "integrity", 0o700);
    } catch (error) {
      if (!isSysError(error, "EEXIST")) throw error;
    }
    return sys.file.open(broker, "integrity", ["path", "directory", "nofollow"], ["beneath"]);
  } finally {
    sys.descriptor.close(broker);
  }
}

async function inFolder<T>(ports: Ports, use: (folder: number) => T | Promise<T>): Promise<T> {
  const folder = openFolder(ports);
  try {
    return await use(folder);
  } finally {
    ports.sys.descriptor.close(folder);
  }
}

export function pack(entries: readonly Entry[]): Promise<Uint8Array> {
  return Bun.zstdCompress(Buffer.from(entries.map((entry) => JSON.stringify(entry)).join("\n")));
}

export async function unpack(bytes: Uint8Array): Promise<Entry[]> {
  const text = (await Bun.zstdDecompress(bytes)).toString();
  return text === "" ? [] : text.split("\n").map((line) => Entry.parse(JSON.parse(line)));
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Replaces the whole file, durably; null takes it away. */
export function storeFile(ports: Ports, name: string, bytes: Uint8Array | null): Promise<void> {
  const { file } = ports.sys;
  const fresh = `${fileName(name)}.new`;
  const clear = (folder: number, one: string): void => {
    try {
      file.unlink(folder, one, "file");
    } catch (error) {
      if (!isSysError(error, "ENOENT")) throw error;
    }
  };
  return inFolder(ports, async (folder) => {
    clear(folder, fresh); // of a call that was interrupted
    if (bytes === null) clear(folder, fileName(name));
    else {
      await makeFile(ports.sys, folder, fresh, (fd) => writeWhole(fd, bytes));
      file.rename(folder, fresh, folder, fileName(name), "replace");
    }
    await syncFolder(ports.sys, folder);
  });
}

/** Uses a descriptor of the file; null when there is none. */
export function withFile<T>(ports: Ports, name: string, use: (fd: number) => T | Promise<T>): Promise<T | null> {
  const { file } = ports.sys;
  return inFolder(ports, async (folder) => {
    let fd: number;
    try {
      fd = file.open(folder, fileName(name), ["read", "nofollow"], ["beneath"]);
    } catch (error) {
      if (isSysError(error, "ENOENT")) return null;
      throw error;
    }
    try {
      return await use(fd);
    } finally {
      ports.sys.descriptor.close(fd);
    }
  });
}

export function readFile(ports: Ports, name: string): Promise<Buffer | null> {
  return withFile(ports, name, (fd) => readWhole(fd, bytes_max, `reading the baseline "${name}"`));
}

const Answer = z.looseObject({ sha256: z.string() });

/** The entries, if they are those that the audit knows of. @throws {ToolError} */
export async function sealedEntries(ports: Ports, { name, call, sha256 }: Baseline, audit: Pick<Audit, "ofCall">): Promise<Entry[]> {
  const fail = (why: string): ToolError =>
    new ToolError(`reading the baseline "${name}" failed: ${why}; do not trust it: find out who did it, and make it anew`);
  const bytes = await readFile(ports, name);
  if (bytes === null) throw fail("its file is gone");
  const outcome = audit.ofCall(call).findLast(({ kind, status }) => kind === "outcome" && status === "done");
  const sealed = Answer.safeParse(outcome?.body["output"]);
  if (!sealed.success) throw fail(`the audit knows nothing of "${call}", which is said to have made it`);
  if (sha256Of(bytes) !== sealed.data.sha256 || sha256 !== sealed.data.sha256) throw fail("it is not what the audit says was made");
  return await unpack(bytes);
}
