/**
 * Generations as they are mounted: read-only, at `/run/aios/userland/<number>`; the link `current` leads to the one that
 * counts. What runs keeps the one that it was started in, by its own mount namespace, also when it is taken down here.
 */

import { chmodSync, existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import type { Context } from "../../../context.ts";
import { readMounts } from "../../../paths/mounts.ts";
import { isWithin, quote } from "../../../paths/path-text.ts";
import { ToolError } from "../../../tool.ts";
import { doing } from "../../fs/shared/failure.ts";
import { topMount } from "../../fs/shared/mounting.ts";
import { turns } from "../../shared/turns.ts";
import { baseFile, needBase } from "./base.ts";
import { currentMount, folderOf, generationFolder, mountsOf } from "./folders.ts";
import { chainOf, currentNumber } from "./generation.ts";

/** The name under which the mount table shows one; what runs in it shows the same. */
const mountName = (number: number): string => `userland-${number}`;
export const mount_name = /^userland-([0-9]{1,9})$/;

/** Bytes of the options of mount(2): one page, with the zero at its end. */
const options_bytes_max = 4095;

export function baseMount(sha256: string, { places }: Pick<Context, "places">): string {
  return `${mountsOf(places)}/base-${sha256.slice(0, 16)}`;
}

/** What was shipped, and nothing else. @returns where it is mounted */
export async function mountBase(sha256: string, context: Context): Promise<string> {
  const at = baseMount(sha256, context);
  if (topMount(at) !== null) return at;
  const source = baseFile(sha256, context);
  if (!existsSync(source))
    throw new ToolError(
      `opening the userland failed: its base ${quote(source)} is missing; put it back, or go back to a generation with another base`,
    );
  const file_system = readMounts().findLast(({ point }) => isWithin(source, point))?.type;
  if (file_system === "tmpfs")
    throw new ToolError(
      `opening the userland failed: ${quote(context.places.data)} is in memory, from which its base cannot be mounted; give the system a data partition`,
    );
  openFolder(at, context);
  await doing(`mounting the base of the userland ${quote(source)} (the kernel needs CONFIG_EROFS_FS_BACKED_BY_FILE)`, () =>
    context.sys.mount.mount({ source, target: at, type: "erofs", flags: ["ro", "nosuid", "nodev"] }),
  );
  return at;
}

function openFolder(path: string, { places }: Pick<Context, "places">): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  chmodSync(mountsOf(places), 0o755);
}

/** `lowerdir` of a mount of it: the newest layer first, the base last. */
export async function layersOf(number: number, context: Context): Promise<string> {
  const chain = chainOf(number, context);
  const base = await mountBase(chain[0]?.base ?? (await needBase(context)), context);
  const layers = chain.map((record) => `${generationFolder(record.number, context.places)}/layer`);
  if (layers.length === 0) {
    // an overlay of one layer is none (overlayfs.rst)
    const empty = `${folderOf(context.places)}/empty`;
    mkdirSync(empty, { recursive: true, mode: 0o755 }); // its mode is that of the userland's /
    chmodSync(empty, 0o755);
    layers.push(empty);
  }
  return [...layers, base].join(":");
}

export const overlay_options = "redirect_dir=off,index=off,metacopy=off";

/** @throws {ToolError} when it is too long for mount(2) */
export function fitting(options: string): string {
  if (Buffer.byteLength(options) <= options_bytes_max) return options;
  throw new ToolError("mounting the userland failed: there are too many generations upon each other; make one of them with pkg.squash");
}

/** @returns where it is mounted */
export async function mountGeneration(number: number, context: Context): Promise<string> {
  const at = `${mountsOf(context.places)}/${number}`;
  if (topMount(at)?.source === mountName(number)) return at;
  const data = fitting(`lowerdir=${await layersOf(number, context)},${overlay_options}`);
  openFolder(at, context);
  await doing(`mounting generation ${number} of the userland`, () =>
    context.sys.mount.mount({ source: mountName(number), target: at, type: "overlay", flags: ["ro", "nosuid", "nodev"], data }),
  );
  return at;
}

/** Of two that mount at once the second finds what the first has mounted; and nothing is taken down under the hands of a third. */
export const inTurn = turns();

/** Mounts the generation that counts, leads `current` there, and takes down the others. @returns where it is */
export function showCurrent(context: Context): Promise<string> {
  return inTurn(() => show(context));
}

async function show(context: Context): Promise<string> {
  const number = currentNumber(context);
  const at = await mountGeneration(number, context);
  const link = currentMount(context.places);
  if (!existsSync(link) || readlinkSync(link) !== String(number)) {
    rmSync(`${link}.new`, { force: true });
    symlinkSync(String(number), `${link}.new`);
    renameSync(`${link}.new`, link);
  }
  takeDown((name) => /^[0-9]+$/.test(name) && Number(name) !== number, context);
  return at;
}

/** Those that are in use stay for their users. */
function takeDown(which: (name: string) => boolean, { places, sys }: Context): void {
  for (const name of readdirSync(mountsOf(places)).filter(which)) {
    const at = `${mountsOf(places)}/${name}`;
    try {
      while (topMount(at) !== null) sys.mount.unmount(at, ["detach", "nofollow"]);
      rmdirSync(at);
    } catch {
      // looked at again at the next change
    }
  }
}
