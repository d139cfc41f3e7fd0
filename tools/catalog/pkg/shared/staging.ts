/**
 * A generation while it is made: a layer of its own above the current one, mounted where nobody else goes. It becomes a
 * generation by one rename, after everything of it is on the disk; until then whatever interrupts it leaves the current one.
 */

import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { syncFolder, writeDurably } from "../../../../wire/files.ts";
import type { Context } from "../../../context.ts";
import { doing } from "../../fs/shared/failure.ts";
import { topMount } from "../../fs/shared/mounting.ts";
import { generationFolder, generationsOf, stagingOf, workshopOf } from "./folders.ts";
import type { GenerationRecord } from "./generation.ts";
import { fitting, layersOf, overlay_options } from "./mounts.ts";

const folderFor = (number: number, { places }: Pick<Context, "places">): string => `${stagingOf(places)}/${number}`;
const mountFor = (number: number, { places }: Pick<Context, "places">): string => `${workshopOf(places)}/${number}`;

/** Makes its folder. @returns the part of it for apt */
export function makeStaging(name: number | string, { places }: Pick<Context, "places">): string {
  const folder = `${stagingOf(places)}/${name}`;
  mkdirSync(`${folder}/apt`, { recursive: true, mode: 0o755 });
  return `${folder}/apt`;
}

/** Makes its layer, which is empty. @returns the folder */
export function stagingLayer(number: number, context: Pick<Context, "places">): string {
  const layer = `${folderFor(number, context)}/layer`;
  mkdirSync(layer, { mode: 0o755 }); // its mode is that of the userland's /
  chmodSync(layer, 0o755);
  return layer;
}

/** Mounts the layer above `parent`. @returns where */
export async function mountStaging(number: number, parent: number, context: Context): Promise<string> {
  const folder = folderFor(number, context);
  const layer = stagingLayer(number, context);
  mkdirSync(`${folder}/work`, { mode: 0o700 });
  const at = mountFor(number, context);
  mkdirSync(at, { recursive: true, mode: 0o700 });
  const layers = `lowerdir=${await layersOf(parent, context)},upperdir=${layer},workdir=${folder}/work`;
  const data = fitting(`${layers},${overlay_options}`);
  await doing(`mounting the new generation ${number} of the userland`, () =>
    context.sys.mount.mount({ source: `userland-new-${number}`, target: at, type: "overlay", flags: ["nosuid", "nodev"], data }),
  );
  return at;
}

/** Makes a generation of it: durable when it returns, and not yet current. */
export async function commitStaging(number: number, record: GenerationRecord, context: Context): Promise<void> {
  const { places, sys } = context;
  const folder = folderFor(number, context);
  const at = mountFor(number, context);
  if (topMount(at) !== null) {
    sys.mount.unmount(at, ["nofollow"]);
    rmdirSync(at);
  }
  for (const name of readdirSync(folder)) if (name !== "layer") rmSync(`${folder}/${name}`, { recursive: true, force: true });
  writeDurably(`${folder}/record.json`, `${JSON.stringify(record)}\n`);
  const fd = openSync(folder, "r");
  try {
    await sys.file.syncAll(fd);
  } finally {
    closeSync(fd);
  }
  mkdirSync(generationsOf(places), { recursive: true, mode: 0o700 });
  renameSync(folder, generationFolder(number, places));
  syncFolder(generationsOf(places));
}

/** Whatever is left of it. Done twice is done once. */
export function dropStaging(name: number | string, context: Pick<Context, "places" | "sys">): void {
  const at = `${workshopOf(context.places)}/${name}`;
  while (topMount(at) !== null) context.sys.mount.unmount(at, ["detach", "nofollow"]);
  rmSync(at, { recursive: true, force: true });
  rmSync(`${stagingOf(context.places)}/${name}`, { recursive: true, force: true });
}

export function stagingExists(number: number, context: Pick<Context, "places">): boolean {
  return existsSync(folderFor(number, context)) || topMount(mountFor(number, context)) !== null;
}

/** What calls have left that are over: nobody is at work when this is asked. */
export function dropAllStagings(context: Pick<Context, "places" | "sys">): void {
  const folder = stagingOf(context.places);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) dropStaging(name, context);
}
