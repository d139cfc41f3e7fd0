/**
 * What goes wrong with packages, in the namespaces in which it is started: `bun tools/catalog/pkg/testing/failures.ts`.
 * A line of JSON for each: its name, and what is not as it has to be; null when the old generation is current and whole.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CallMeta, type CallResult } from "../../../../contracts/tool.ts";
import type { OpenBroker } from "../../../broker.ts";
import { authorityFor, openTestBroker, placesIn } from "../../../testing/open.ts";
import { configure, leftovers, lendBase, makeDeb, makeKey, repositoryConfig, type TestPackage, writeRepository } from "./repository.ts";

const key = makeKey("right");
const other_key = makeKey("wrong");

interface World {
  readonly folder: string;
  readonly data: string;
  readonly repository: string;
  /** Makes packages and a repository of them, signed as said. */
  offer(packages: readonly TestPackage[], options?: Partial<Parameters<typeof writeRepository>[2]>): string[];
  call(tool: string, args: Record<string, unknown>): Promise<CallResult>;
  /** In the current generation. */
  inside(path: string): string | null;
}

interface Failure {
  readonly name: string;
  /** Changes the world. @returns the call that has to fail */
  prepare(
    world: World,
  ): Promise<readonly [tool: string, args: Record<string, unknown>]> | readonly [tool: string, args: Record<string, unknown>];
  /** What its error has to speak of. */
  readonly says: RegExp;
}

class Wrong extends Error {}
function demand(what: string, right: boolean): void {
  if (!right) throw new Wrong(what);
}

const hello = (version: string): TestPackage => ({
  name: "aios-hello",
  version,
  files: { "usr/bin/aios-hello": `#!/bin/sh\necho ${version}\n` },
});
const both = [hello("1.0"), hello("2.0")];
const bad = (scripts: TestPackage["scripts"]): TestPackage => ({
  name: "aios-bad",
  version: "1.0",
  files: { "usr/share/aios-bad/x": "x" },
  ...(scripts && { scripts }),
});

/** Puts a letter into the middle of a file, which keeps its size. */
function spoil(file: string): void {
  const bytes = readFileSync(file);
  bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 0xff;
  writeFileSync(file, bytes);
}

const install = (name: string, more: Record<string, unknown> = {}): readonly [string, Record<string, unknown>] => [
  "pkg.install",
  { packages: [{ name }], ...more },
];

const failures: readonly Failure[] = [
  {
    name: "a repository that somebody else has signed",
    says: /signed_by|key|signature/i,
    prepare(world) {
      world.offer(both, { key: other_key });
      return ["pkg.update", {}];
    },
  },
  {
    name: "a repository that nobody has signed",
    says: /signed\b.*signed_by/,
    prepare(world) {
      world.offer(both, { key: null });
      return ["pkg.update", {}];
    },
  },
  {
    name: "a Release file whose time is over",
    says: /expired/,
    prepare(world) {
      world.offer(both, { key, valid_until: new Date(Date.now() - 3_600_000) });
      return ["pkg.update", {}];
    },
  },
  {
    name: "an index that is not the signed one",
    says: /signed index/,
    prepare(world) {
      world.offer(both);
      spoil(join(world.repository, "dists/stable/main/binary-amd64/Packages"));
      return ["pkg.update", {}];
    },
  },
  {
    name: "a package that is not the one of the index",
    says: /signed index/,
    async prepare(world) {
      world.offer([...both, { ...hello("1"), name: "aios-spoilt" }]);
      await world.call("pkg.update", { packages: ["apt"] });
      spoil(join(world.repository, "pool/aios-spoilt_1_all.deb"));
      return install("aios-spoilt");
    },
  },
  {
    name: "a script that fails",
    says: /status|returned|error/i,
    prepare(world) {
      const [deb = ""] = world.offer([bad({ postinst: "echo it is broken >&2; exit 3" })]);
      return ["pkg.install", { files: [deb] }];
    },
  },
  {
    name: "a script that never ends",
    says: /its limit/,
    prepare(world) {
      const [deb = ""] = world.offer([bad({ postinst: "sleep 600" })]);
      return ["pkg.install", { files: [deb], timeout_ms: 6000 }];
    },
  },
  {
    name: "a dependency that is in no source",
    says: /no-such-thing/,
    prepare(world) {
      const [deb = ""] = world.offer([{ ...bad({}), depends: "no-such-thing" }]);
      return ["pkg.install", { files: [deb] }];
    },
  },
  {
    name: "a source that an earlier package has smuggled in, with permission to take what is unsigned",
    says: /signed\b.*signed_by/,
    async prepare(world) {
      const settings = 'APT::Get::AllowUnauthenticated "true";\nAcquire::AllowInsecureRepositories "true";\n';
      const [deb = ""] = world.offer([{ name: "aios-smuggler", version: "1.0", files: { "etc/apt/apt.conf.d/99x": settings } }]);
      const { _meta } = await world.call("pkg.install", { files: [deb] });
      demand(`the smuggler is not installed: ${_meta.text}`, _meta.status === "done");
      world.offer(both, { key: null });
      return ["pkg.update", {}];
    },
  },
];

/** Runs as root of the userland, and says what it could do. */
const intruder = `
report=/var/lib/aios-intruder; mkdir -p $report; : > $report/could
try() { name=$1; shift; if "$@" 2>/dev/null; then echo "$name" >> $report/could; fi; }
try mount-tmpfs mount -t tmpfs none /mnt
try mount-bind mount --bind / /mnt
try remount mount -o remount,rw /proc/sys
try make-device mknod /tmp/disk b 252 0
try make-memory-device mknod /tmp/mem c 1 1
try read-kernel-memory head -c 1 /proc/kcore
try set-hostname-sysctl sh -c 'echo intruder > /proc/sys/kernel/hostname'
try set-core-pattern sh -c 'echo "|/x" > /proc/sys/kernel/core_pattern'
try own-proc unshare --user --map-root-user --mount --pid --fork sh -c 'mount -t proc proc /mnt && echo x > /mnt/sys/kernel/domainname'
try uncover unshare --user --map-root-user --mount umount /proc/sys
try sysrq sh -c 'echo h > /proc/sysrq-trigger'
try write-sys sh -c 'echo 1 > /sys/kernel/mm/ksm/run'
try chroot-out chroot /proc/1/root /bin/true
try new-namespaces unshare --mount --pid --fork true
try foreign-process sh -c 'test "$(ls -d /proc/[0-9]* | wc -l)" -gt 60'
try set-clock date -s 2001-01-01
try load-module sh -c 'echo > /proc/sys/kernel/modprobe'
try network bash -c 'exec 3<>/dev/tcp/127.0.0.1/80'
try any-interface sh -c 'test "$(ls /sys/class/net 2>/dev/null | wc -w)" -gt 1'
try host-data sh -c 'test -e OUTSIDE/canary'
try host-data-write sh -c 'echo x > OUTSIDE/written'
echo done > $report/done
`;

async function open(folder: string): Promise<{ world: World; broker: OpenBroker }> {
  const places = placesIn(folder);
  mkdirSync(join(places.data, "work"), { recursive: true });
  lendBase(places);
  const repository = join(places.data, "srv/repository");
  mkdirSync(repository, { recursive: true });
  configure(places, { sources: repositoryConfig(repository, key) });
  const broker = await openTestBroker(folder, { authority: authorityFor("allow") });
  const world: World = {
    ...{ folder, data: places.data, repository },
    offer(packages, options = {}) {
      const debs = packages.map((one) => makeDeb(join(places.data, "work"), one));
      writeRepository(repository, debs, { key, ...options });
      return debs;
    },
    call: async (tool, args) =>
      await broker.calls.make({
        ...{ principal: "person:tester", role: "admin", owner: null, tool, arguments: args },
        ...{ meta: CallMeta.parse({ reason: { text: "to see it fail" } }), undoes: null, redoes: null },
      }),
    inside(path) {
      const file = join(places.run, "userland/current", path);
      return existsSync(file) ? readFileSync(file, "utf8") : null;
    },
  };
  return { world, broker };
}

const currentOf = ({ data }: World): string => readFileSync(join(data, "userland/current"), "utf8");

/** Version 1.0 is installed; the call fails; version 1.0 is still what there is. */
async function see(failure: Failure): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "failures-"));
  const { world, broker } = await open(folder);
  try {
    world.offer([hello("1.0")]);
    const first = await world.call(...install("aios-hello"));
    demand(`preparing: ${first._meta.text}`, first._meta.status === "done");
    const [tool, args] = await failure.prepare(world);
    const before = currentOf(world);
    const { _meta } = await world.call(tool, args);
    demand(`it ended as ${_meta.status}: ${_meta.text}`, _meta.status === "failed" || _meta.status === "undone");
    demand(`its error does not say why: ${_meta.text}`, failure.says.test(_meta.text));
    demand(`generation ${currentOf(world)} is current`, currentOf(world) === before);
    demand("the old program is not what it was", world.inside("usr/bin/aios-hello") === "#!/bin/sh\necho 1.0\n");
    const left = leftovers(placesIn(folder));
    demand(`left behind: ${left.join(", ")}`, left.length === 0);
    process.stderr.write(`${failure.name}: ${_meta.text}\n`);
  } finally {
    await broker.close();
    endMounts(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

function endMounts(folder: string): void {
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n").reverse()) {
    const point = line.split(" ")[4];
    if (point?.startsWith(`${folder}/`)) Bun.spawnSync(["umount", "-l", point]);
  }
}

async function seeFullDisk(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "failures-"));
  mkdirSync(join(folder, "data"));
  const disk = `${folder}.disk`;
  for (const argv of [
    ["truncate", "--size=300M", disk],
    ["mke2fs", "-q", "-t", "ext4", disk],
    ["mount", "-o", "loop", disk, join(folder, "data")],
  ])
    if (!Bun.spawnSync(argv).success) throw new Error(`making a small disk failed: ${argv.join(" ")}`);
  const { world, broker } = await open(folder);
  try {
    world.offer([hello("1.0")]);
    const first = await world.call(...install("aios-hello"));
    demand(`preparing: ${first._meta.text}`, first._meta.status === "done");
    const [deb = ""] = world.offer([{ name: "aios-large", version: "1.0", files: { "usr/share/large": "x".repeat(300 * 1024 * 1024) } }]);
    const before = currentOf(world);
    const { _meta } = await world.call("pkg.install", { files: [deb] });
    demand(`it ended as ${_meta.status}: ${_meta.text}`, _meta.status === "undone");
    demand(`its error does not say why: ${_meta.text}`, /space|full|ENOSPC/i.test(_meta.text));
    demand(`generation ${currentOf(world)} is current`, currentOf(world) === before && world.inside("usr/bin/aios-hello") !== null);
    const again = await world.call("pkg.remove", { packages: ["aios-hello"] });
    demand(`afterwards nothing works: ${again._meta.text}`, again._meta.status === "done");
  } finally {
    await broker.close();
    endMounts(folder);
    Bun.spawnSync(["umount", join(folder, "data")]);
    rmSync(disk, { force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

async function seeIntruder(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "failures-"));
  const { world, broker } = await open(folder);
  try {
    writeFileSync(join(world.data, "work/canary"), "x");
    const script = intruder.replaceAll("OUTSIDE", join(world.data, "work"));
    const [deb = ""] = world.offer([{ name: "aios-intruder", version: "1.0", scripts: { postinst: script } }]);
    const { _meta } = await world.call("pkg.install", { files: [deb] });
    demand(`it ended as ${_meta.status}: ${_meta.text}`, _meta.status === "done");
    demand("the script did not come to its end", world.inside("var/lib/aios-intruder/done") === "done\n");
    demand(
      `it could: ${world.inside("var/lib/aios-intruder/could")?.trim().replaceAll("\n", ", ")}`,
      world.inside("var/lib/aios-intruder/could") === "",
    );
    demand("it wrote outside", !existsSync(join(world.data, "work/written")));
  } finally {
    await broker.close();
    endMounts(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function told(name: string, work: () => Promise<void>): Promise<void> {
  let problem: string | null = null;
  try {
    await work();
  } catch (error) {
    problem = error instanceof Wrong ? error.message : error instanceof Error ? String(error.stack) : String(error);
  }
  process.stdout.write(`${JSON.stringify({ name, problem })}\n`);
}

const only = process.argv[2] ?? "";

if (import.meta.main) {
  for (const failure of failures) if (failure.name.includes(only)) await told(failure.name, () => see(failure));
  if ("a full disk".includes(only)) await told("a full disk", seeFullDisk);
  if ("a script that tries to get out".includes(only)) await told("a script that tries to get out", seeIntruder);
  process.exit(0);
}
