/**
 * The base of the userland: the erofs file that the image was built with. The read-only root names its hash; the file lies on
 * the ESP. It is copied to the data partition when it is used first, and hashed on the way: what does not fit is not taken.
 */

import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { syncFolder } from "../../../../wire/files.ts";
import type { Context } from "../../../context.ts";
import { quote } from "../../../paths/path-text.ts";
import { ToolError } from "../../../tool.ts";
import { breathe, doing, goOn } from "../../fs/shared/failure.ts";
import { topMount } from "../../fs/shared/mounting.ts";
import { turns } from "../../shared/turns.ts";
import { basesOf } from "./folders.ts";

const Pin = z.lazy(() =>
  z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), size_bytes: z.number().int().min(1), debian: z.string() }),
);
export type Pin = z.infer<typeof Pin>;

const what = "opening the userland";
const on_esp = "aios/userland.erofs";
const chunk_bytes = 1024 * 1024;
const synced = promisify(fsync);

/** What this image says of its base. @throws {ToolError} */
export function pinOf({ places }: Pick<Context, "places">): Pin {
  try {
    return Pin.parse(JSON.parse(readFileSync(places.userland.pin, "utf8")));
  } catch (error) {
    throw new ToolError(
      `${what} failed: ${quote(places.userland.pin)} does not say which base belongs to this image: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}; install an image that has one`,
    );
  }
}

export function baseFile(sha256: string, { places }: Pick<Context, "places">): string {
  return `${basesOf(places)}/${sha256}.erofs`;
}

/** The image's base, on the data partition. @returns its hash. @throws {ToolError} when there is none, or a wrong one */
export async function needBase(context: Context): Promise<string> {
  const pin = pinOf(context);
  const file = baseFile(pin.sha256, context);
  if (!existsSync(file)) await fetching(() => fetchUnlessThere(file, pin, context));
  return pin.sha256;
}

/** There is one place to mount at and one file to write: who comes second finds what the first has fetched. */
const fetching = turns();

async function fetchUnlessThere(file: string, pin: Pin, context: Context): Promise<void> {
  if (existsSync(file)) return;
  await withOffered(context, (from) => doing(`copying the base of the userland`, () => fetchBase(from, file, pin, context)));
}

async function fetchBase(from: string, file: string, pin: Pin, context: Context): Promise<void> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.new`;
  const source = openSync(from, "r");
  const target = openSync(fresh, "w", 0o400);
  try {
    const size_bytes = fstatSync(source).size;
    const sha256 = size_bytes === pin.size_bytes ? await copyHashed(source, target, context.signal) : "";
    if (sha256 !== pin.sha256)
      throw new ToolError(
        `${what} failed: ${quote(from)} (${size_bytes} bytes) is not the base that belongs to this image (SHA-256 ${pin.sha256}, ${pin.size_bytes} bytes); put the image's own ${on_esp} there`,
      );
    await synced(target); // beside the broker's other work: a slow disk takes seconds for that much
    renameSync(fresh, file);
    syncFolder(dirname(file));
  } finally {
    closeSync(source);
    closeSync(target);
    rmSync(fresh, { force: true });
  }
}

async function copyHashed(source: number, target: number, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(chunk_bytes);
  for (;;) {
    const length = readSync(source, chunk, 0, chunk.length, null);
    if (length === 0) return hash.digest("hex");
    hash.update(chunk.subarray(0, length));
    for (let at = 0; at < length; ) at += writeSync(target, chunk, at, length - at);
    await breathe();
    goOn(signal);
  }
}

/** The file beside the image: where whoever started this system has put it, or on the ESP, which is mounted for as long. */
async function withOffered(context: Context, work: (path: string) => Promise<void>): Promise<void> {
  const { file } = context.places.userland;
  if (existsSync(file)) return await work(file);
  const esp = context.mode === "machine" ? findEsp() : null;
  if (esp === null)
    throw new ToolError(
      `${what} failed: the base of the userland is not at ${quote(file)}${context.mode === "machine" ? ", and no disk has an EFI system partition" : ""}; start from the disk image, or put build/userland.erofs there`,
    );
  await whileMounted(context, esp, `${context.places.run}/broker/esp`, async (at) => {
    if (!existsSync(join(at, on_esp)))
      throw new ToolError(
        `${what} failed: there is no ${quote(on_esp)} on the EFI system partition ${quote(esp)}; copy it there from the image`,
      );
    await work(join(at, on_esp));
  });
}

/** What a broker that was killed at this has left mounted there is taken down first: the kernel mounts nothing twice at one place. */
export async function whileMounted(
  { sys }: Pick<Context, "sys">,
  esp: string,
  at: string,
  work: (at: string) => Promise<void>,
): Promise<void> {
  mkdirSync(at, { recursive: true, mode: 0o700 });
  while (topMount(at) !== null) sys.mount.unmount(at, ["detach"]);
  await doing(`mounting the EFI system partition ${quote(esp)}`, () =>
    sys.mount.mount({ source: esp, target: at, type: "vfat", flags: ["ro", "nosuid", "nodev", "noexec"] }),
  );
  try {
    await work(at);
  } finally {
    sys.mount.unmount(at, ["detach"]);
    rmdirSync(at);
  }
}

/** The partition that is called so; of several the one on the disk that has our root. */
function findEsp(): string | null {
  const named = (name: string): string[] => partitions().flatMap((one) => (one.part_name === name ? [one.path] : []));
  const roots = named("root-a").map(diskOf);
  const all = named("esp");
  return all.find((path) => roots.includes(diskOf(path))) ?? all[0] ?? null;
}

function diskOf(path: string): string {
  return path.replace(/p?[0-9]+$/, "");
}

/** uevent of a partition: DEVNAME and, from a GPT, PARTNAME (kernel: block/partitions/core.c). */
function partitions(): { readonly path: string; readonly part_name: string }[] {
  const folder = "/sys/class/block";
  return readdirSync(folder).flatMap((name) => {
    try {
      const text = readFileSync(`${folder}/${name}/uevent`, "utf8");
      const field = (key: string): string | undefined => new RegExp(`^${key}=(.+)$`, "m").exec(text)?.[1];
      const [device, part_name] = [field("DEVNAME"), field("PARTNAME")];
      return device === undefined || part_name === undefined ? [] : [{ path: `/dev/${device}`, part_name }];
    } catch {
      return []; // it was pulled out
    }
  });
}
