/** The test-only initrd: busybox and `agent-init.sh`. Used with direct boot; the image knows nothing of it. */

import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, keyOf } from "../../tooling/cache.ts";
import { DebianArchive } from "../../tooling/debian.ts";
import { step } from "../../tooling/progress.ts";
import { archive, folder_mode, program_mode } from "./cpio.ts";

const script = join(import.meta.dir, "agent-init.sh");

/** For the kernel command line: what to start in there, and after the `--` its arguments. */
export const initrd_command = { word: "rdinit=/bin/busybox", tail: "-- sh /agent-init.sh" } as const;

/**
 * The initrd's path; made on first use and when its script changed.
 * @param programs a folder of files that the system sees at /mnt
 */
export async function testInitrd(programs: string | null = null): Promise<string> {
  const busybox = join(await cached("busybox", "debian-13-static", fetchBusybox), "busybox");
  const own = programs === null ? [] : readdirSync(programs).map((name) => ({ name, path: join(programs, name) }));
  const key = keyOf({ files: [script, busybox, join(import.meta.dir, "cpio.ts"), ...own.map(({ path }) => path)] });
  const folder = await cached("test-initrd", key, async (into) => {
    const bytes = archive([
      { name: "bin", mode: folder_mode },
      { name: "bin/busybox", mode: program_mode, content: readFileSync(busybox) },
      { name: "dev", mode: folder_mode },
      { name: "agent-init.sh", mode: program_mode, content: readFileSync(script) },
      ...(own.length === 0 ? [] : [{ name: "programs", mode: folder_mode }]),
      ...own.map(({ name, path }) => ({ name: `programs/${name}`, mode: program_mode, content: readFileSync(path) })),
    ]);
    writeFileSync(join(into, "initrd"), bytes);
  });
  return join(folder, "initrd");
}

async function fetchBusybox(folder: string): Promise<void> {
  await step("busybox for the test initrd: fetching from Debian 13", async () => {
    const archive_ = new DebianArchive();
    await archive_.update();
    await archive_.unpack("busybox-static", join(folder, "package"));
    const found = ["usr/bin/busybox", "bin/busybox"].map((name) => join(folder, "package", name)).find((path) => existsSync(path));
    if (found === undefined) throw new Error('unpacking "busybox-static" failed: there is no bin/busybox in it');
    copyFileSync(found, join(folder, "busybox"));
  });
}
