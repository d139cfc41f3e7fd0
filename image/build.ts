/**
 * Builds the image: `bun image/build.ts tree|root|userland|disk|all|client|programs [--profile core|edge] [--entry FILE] [--plain]`.
 *
 *   tree    build/root, the directory tree for container mode
 *   root    that, and build/root.erofs
 *   userland  build/userland.erofs, the Debian into which tools install packages
 *   disk    build/disk.raw from the above and the kernel
 *   all     both
 *   client  build/bin/aiosctl
 *   programs  build/bin/launch and stage0, build/seccomp/service.bpf: what tests of sandboxes need
 *
 * The profile says which models are in it (models/places.ts): edge, unless it is told. With --plain the root is packed without compression, in a second instead of half a minute: for tests of a source that
 * is thrown away afterwards (make mutate).
 */

import { parseArgs } from "node:util";
import { buildModels } from "../models/build.ts";
import { imageProfile } from "../models/places.ts";
import { say } from "../tooling/progress.ts";
import { makeDisk, makeErofs } from "./disk.ts";
import { baseTree } from "./mkosi.ts";
import { checkPolicies, compileAios, compileClient, compileStatic, makeFilter, makeKnowledge, makeListing } from "./programs.ts";
import { release } from "./release.ts";
import { makeRoot } from "./root.ts";
import { userlandBase } from "./userland.ts";

const { positionals, values } = parseArgs({
  args: Bun.argv.slice(2),
  allowPositionals: true,
  options: { entry: { type: "string" }, plain: { type: "boolean", default: false }, profile: { type: "string", default: "edge" } },
});
// what mkosi and we write has the same modes, whoever starts this
process.umask(0o022);

const target = positionals[0] ?? "all";
const profile = imageProfile(values.profile);

const needs_root = target !== "client" && target !== "programs" && process.getuid?.() !== 0;
if (needs_root) {
  say(
    `building "${target}" failed: its files belong to root, so this needs root; run: sudo make ${target === "tree" || target === "root" ? "container" : "run"}`,
  );
  process.exit(1);
}
if (target === "client") await compileClient();
else if (target === "programs") {
  await compileStatic();
  await makeFilter();
} else if (target === "userland") await userlandBase(await baseTree(), await release());
else if (target === "tree" || target === "root" || target === "disk" || target === "all") {
  const base = await baseTree();
  await compileStatic();
  await makeFilter();
  await compileAios(values.entry);
  await checkPolicies();
  await buildModels(profile);
  const this_release = await release();
  await makeKnowledge(this_release);
  await makeListing();
  const userland = await userlandBase(base, this_release);
  await makeRoot(base, this_release, userland, profile);
  if (target !== "tree") await makeErofs(base, this_release, { plain: values.plain, profile });
  if (target === "disk" || target === "all") await makeDisk(base, this_release, userland);
} else {
  say(`unknown target "${target}": tree, root, userland, disk, all, client or programs`);
  process.exit(2);
}
