/** The packed root, the unified kernel image, and the disk made of them. */

import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ImageProfile, profiles } from "../models/places.ts";
import { keyOf } from "../tooling/cache.ts";
import { amountIn, say, step } from "../tooling/progress.ts";
import { run } from "../tooling/run.ts";
import { kernelVersion } from "./kernel.ts";
import { type Base, mkosi, runTool } from "./mkosi.ts";
import { build, image, kernel } from "./places.ts";
import type { Release } from "./release.ts";
import type { Userland } from "./userland.ts";

const mebibyte = 1024 * 1024;
/** What the root may weigh without models, bytes. */
const root_size_max = 96e6;

/** Fixed, so that the same input makes the same bytes. */
const file_system_uuid = "6b0c5a52-8e0b-4c0e-9d3a-a105a105a105";

/**
 * Clusters of 64 KiB: 74 MB; of 16 KiB 80 MB; zstd at 19 would be 59 MB, but takes six minutes to make and longer to
 * read, and the first thing that a boot does is to read 109 MB of executable. So zstd (5 MB less) is for what a boot does not
 * wait for; what it does, and weights, which do not get smaller, are named in the hints.
 */
const compression = ["-zzstd,level=9:lz4hc,12", "-C65536", "--compress-hints=/mnt/hints"] as const;
const hints = join(image, "root/compression.hints");

/** Makes `product` unless it was made from the same inputs. */
async function unlessSame(product: string, key: string, make: () => Promise<void>): Promise<void> {
  const stamp = `${product}.key`;
  if (existsSync(product) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) {
    say(`${product.slice(build.length + 1)}: unchanged (${key})`);
    return;
  }
  rmSync(stamp, { force: true });
  await make();
  writeFileSync(stamp, key);
}

/** `build/root.erofs`, the bytes of a root slot. @param plain not compressed: nothing to ship, but made at once */
export async function makeErofs(
  base: Base,
  release: Release,
  { plain, profile }: { readonly plain: boolean; readonly profile: ImageProfile },
): Promise<void> {
  const packed = join(build, "root.erofs");
  const erofs_options = [...(plain ? [] : compression), "--all-root"];
  const values = [readFileSync(join(build, "root.key"), "utf8"), base.key, ...erofs_options, file_system_uuid, "and models alone"];
  const key = keyOf({ values, files: [hints] });
  /** Bytes of the models alone, packed in the same way. */
  const models_size = `${packed}.models`;
  const pack = async (name: string, folder: string): Promise<string> => {
    const options = [...erofs_options, `-T${release.built_s}`, `-U${file_system_uuid}`, "--quiet"];
    const inputs = { root: folder, hints };
    await runTool(base, ["mkfs.erofs", ...options, `/mnt/out/${name}`, "/mnt/root"], { inputs, output: build });
    return join(build, name);
  };
  const packAll = async (): Promise<void> => {
    if (!plain) {
      const models = await pack("models.erofs.new", join(build, "root/usr/lib/aios/models"));
      writeFileSync(models_size, String(statSync(models).size));
      rmSync(models);
    }
    renameSync(await pack("root.erofs.new", join(build, "root")), packed);
  };
  await unlessSame(packed, key, () => step("root.erofs: packing", packAll, () => amountIn(`${packed}.new`)));
  if (plain) return;
  const size = statSync(packed).size;
  const models = Number(readFileSync(models_size, "utf8"));
  say(`root.erofs: ${(size / 1e6).toFixed(1)} MB, ${((size - models) / 1e6).toFixed(1)} MB without models (${profile})`);
  demandBudget(size, models, profile);
}

/** @throws when the root weighs more than it may */
export function demandBudget(size_bytes: number, models_bytes: number, profile: ImageProfile): void {
  const { root_bytes_max } = profiles[profile];
  const bare = size_bytes - models_bytes;
  if (bare > root_size_max)
    throw new Error(
      `packing the root failed: ${bare} bytes without models is more than ${root_size_max}; look for what grew in build/root`,
    );
  if (size_bytes > root_bytes_max)
    throw new Error(
      `packing the root failed: ${size_bytes} bytes is more than the ${root_bytes_max} of the profile "${profile}" (models/places.ts)`,
    );
}

/** `build/aios.efi`: kernel and command line in one file that the firmware starts. */
async function makeUnifiedKernel(base: Base, release: Release): Promise<string> {
  const version = kernelVersion();
  if (version === null)
    throw new Error(`making the unified kernel image failed: no kernel at "${kernel}"; run "bun kernel-config/build.ts" first`);
  const file = join(build, "aios.efi");
  const os_release = join(build, "os-release");
  const cmdline = join(image, "cmdline.txt");
  writeFileSync(os_release, `${readFileSync(join(image, "root/tree/etc/os-release"), "utf8")}VERSION_ID=${release.version}\n`);
  await unlessSame(file, keyOf({ files: [kernel, cmdline, os_release], values: [base.key] }), () =>
    step(`aios.efi: kernel ${version} and its command line`, async () => {
      const inputs = { kernel, cmdline, os_release };
      await runTool(
        base,
        [
          ...["ukify", "build", "--linux=/mnt/kernel", "--cmdline=@/mnt/cmdline", "--os-release=@/mnt/os_release"],
          ...[`--uname=${version}`, "--output=/mnt/out/aios.efi.new"],
        ],
        { inputs, output: build },
      );
      renameSync(`${file}.new`, file);
    }),
  );
  return file;
}

/** `build/disk.raw`. */
export async function makeDisk(base: Base, release: Release, userland: Userland): Promise<void> {
  const unified = await makeUnifiedKernel(base, release);
  const packed = join(build, "root.erofs");
  const disk = join(build, "disk.raw");
  const definition = join(image, "mkosi/disk");
  const sample = join(image, "aios.yaml");
  const key = keyOf({ files: [definition, sample, unified], values: [readFileSync(`${packed}.key`, "utf8"), base.key, userland.pin] });
  await unlessSame(disk, key, () =>
    step("disk.raw: partitions", async (tell) => {
      const payload = join(build, "payload");
      rmSync(payload, { recursive: true, force: true });
      mkdirSync(join(payload, "esp/EFI/BOOT"), { recursive: true });
      copyFileSync(unified, join(payload, "esp/EFI/BOOT/BOOTX64.EFI"));
      copyFileSync(sample, join(payload, "esp/aios.yaml"));
      mkdirSync(join(payload, "esp/aios"));
      copyFileSync(userland.file, join(payload, "esp/aios/userland.erofs"));
      linkSync(packed, join(payload, "root.erofs"));
      mkdirSync(join(payload, "usr/lib"), { recursive: true });
      copyFileSync(join(image, "root/tree/etc/os-release"), join(payload, "usr/lib/os-release")); // mkosi takes a tree without it for a mistake
      for (const file of ["esp/EFI/BOOT/BOOTX64.EFI", "esp/aios.yaml", "esp/aios/userland.erofs"])
        utimesSync(join(payload, file), release.built_s, release.built_s);
      const output = join(build, "mkosi");
      rmSync(output, { recursive: true, force: true });
      await mkosi(
        definition,
        output,
        ["--tools-tree", base.tools, "--base-tree", payload, "--source-date-epoch", String(release.built_s)],
        tell,
      );
      renameSync(join(output, "disk.raw"), disk);
      rmSync(payload, { recursive: true, force: true });
      rmSync(output, { recursive: true, force: true });
    }),
  );
  say(`disk.raw: ${(statSync(disk).size / mebibyte).toFixed(0)} MiB, of which ${await usedOnHost(disk)} MiB are used on this host`);
}

async function usedOnHost(file: string): Promise<string> {
  return ((Number.parseInt(await run(["du", "-k", file]), 10) * 1024) / mebibyte).toFixed(0);
}
