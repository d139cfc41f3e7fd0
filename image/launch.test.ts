/** launch and stage0, by what they really do. Needs root, as they do. */

import { beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";

const bin = resolve(import.meta.dir, "../build/bin");
const launch = join(bin, "launch");
const stage0 = join(bin, "stage0");

beforeAll(() => {
  for (const program of [launch, stage0])
    if (!existsSync(program))
      throw new Error(`looking for "${program}" failed: it has not been built; run "bun image/build.ts root" first`);
});

const Failure = z.strictObject({ launch: z.string(), errno: z.number(), error: z.string() });

function run(...args: string[]): { status: number; out: string; failure: z.infer<typeof Failure> | undefined } {
  const child = Bun.spawnSync([launch, ...args], { env: { INHERITED: "yes", PATH: "/usr/bin:/bin" } });
  const err = child.stderr.toString();
  return {
    status: child.exitCode,
    out: child.stdout.toString(),
    failure: err.startsWith("{") ? Failure.parse(JSON.parse(err)) : undefined,
  };
}

const field = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(text)?.[1]?.replace(/\s+/g, " ");

test("becomes the uid and gid asked for, with no groups, capabilities or way back", () => {
  const { status, out } = run("--uid", "803", "--gid", "804", "--drop-caps", "--no-new-privs", "--", "/bin/cat", "/proc/self/status");
  expect(status).toBe(0);
  expect(field(out, "Uid")).toBe("803 803 803 803");
  expect(field(out, "Gid")).toBe("804 804 804 804");
  expect(field(out, "Groups")?.trim() ?? "").toBe("");
  const in_groups = Bun.spawnSync([
    "setpriv",
    "--groups",
    "24,27",
    launch,
    "--uid",
    "803",
    "--gid",
    "804",
    "--",
    "/bin/cat",
    "/proc/self/status",
  ]);
  expect(field(in_groups.stdout.toString(), "Uid")).toBe("803 803 803 803");
  expect(field(in_groups.stdout.toString(), "Groups")?.trim() ?? "").toBe("");
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(field(out, set)).toBe("0000000000000000");
  expect(field(out, "NoNewPrivs")).toBe("1");
});

test("a program that stays root has the capabilities that are kept, and no other", () => {
  const { status, out } = run("--keep-caps", "chown,net_admin,checkpoint_restore", "--no-new-privs", "--", "/bin/cat", "/proc/self/status");
  expect(status).toBe(0);
  expect(field(out, "Uid")).toBe("0 0 0 0");
  for (const set of ["CapPrm", "CapEff", "CapBnd"]) expect(field(out, set)).toBe("0000010000001001");
  expect(run("--keep-caps", "", "--", "/bin/cat", "/proc/self/status").out).toMatch(/CapEff:\s+0{16}\n/);
  expect(run("--keep-caps", "chown,root", "--", "/bin/true")).toMatchObject({ status: 120, failure: { launch: "--keep-caps 'root'" } });
});

test("sets limits, the OOM score and the nice value", () => {
  const { out } = run("--rlimit", "nofile=100:200", "--rlimit", "core=0:infinity", "--", "/bin/cat", "/proc/self/limits");
  expect(out).toMatch(/Max open files\s+100\s+200/);
  expect(out).toMatch(/Max core file size\s+0\s+unlimited/);
  expect(run("--oom", "321", "--", "/bin/cat", "/proc/self/oom_score_adj").out).toBe("321\n");
  expect(run("--nice", "7", "--", "/bin/cat", "/proc/self/stat").out.split(" ")[18]).toBe("7");
});

test("keeps the variables with a prefix, without it, and no other", () => {
  const child = Bun.spawnSync([launch, "--env-prefix", "GIVEN_", "--env", "ADDED=3", "--", "/usr/bin/env"], {
    env: { PATH: "/usr/bin", GIVEN_A: "1", GIVEN_LD_PRELOAD: "/nowhere", GIVEN_: "x", LD_LIBRARY_PATH: "/nowhere", GIVENB: "2" },
  });
  expect(child.stdout.toString().trim().split("\n").sort()).toEqual(["A=1", "ADDED=3", "LD_PRELOAD=/nowhere"]);
});

test("starts a session of its own", () => {
  const [pid, , , , , session] = run("--setsid", "--", "/bin/cat", "/proc/self/stat").out.split(" ");
  expect(session).toBe(pid);
});

test("closes every descriptor but those asked for", () => {
  const folder = mkdtempSync(join(tmpdir(), "launch-"));
  const file = join(folder, "filter");
  writeFileSync(file, "content");
  // the shell opens 5 and 6 for launch to inherit
  const listing = (...args: string[]): string => {
    const child = Bun.spawnSync(["/bin/sh", "-c", 'exec 5</dev/null 6</dev/null; exec "$@"', "sh", launch, ...args]);
    return child.stdout.toString().trim().split("\n").join(" ");
  };
  // ls opens the folder it lists itself, as 3
  expect(listing("--", "/bin/ls", "/proc/self/fd")).toBe("0 1 2 3");
  expect(listing("--keep-fd", "6", "--", "/bin/ls", "/proc/self/fd")).toBe("0 1 2 3 6");
  expect(listing("--seccomp-fd-from", file, "9", "--keep-fd", "5", "--", "/bin/ls", "/proc/self/fd")).toBe("0 1 2 3 5 9");
  expect(run("--seccomp-fd-from", file, "9", "--", "/bin/cat", "/proc/self/fd/9").out).toBe("content");
  rmSync(folder, { recursive: true });
});

test("starts with the default signals, whatever it inherits", () => {
  const child = Bun.spawnSync([
    "/bin/sh",
    "-c",
    'trap "" INT QUIT PIPE USR1; exec "$@"',
    "sh",
    launch,
    "--",
    "/bin/cat",
    "/proc/self/status",
  ]);
  const out = child.stdout.toString();
  expect(field(out, "SigIgn")).toBe("0000000000000000");
  expect(field(out, "SigBlk")).toBe("0000000000000000");
});

test("keeps, clears and sets the environment; changes directory", () => {
  expect(run("--", "/usr/bin/env").out).toContain("INHERITED=yes");
  expect(run("--env-clear", "--env", "A=b c", "--", "/usr/bin/env").out).toBe("A=b c\n");
  expect(run("--chdir", "/usr/lib", "--", "/bin/pwd").out).toBe("/usr/lib\n");
});

test("enters a cgroup by writing itself into cgroup.procs", () => {
  const folder = mkdtempSync(join(tmpdir(), "cgroup-"));
  writeFileSync(join(folder, "cgroup.procs"), "");
  expect(run("--cgroup", folder, "--", "/bin/true").status).toBe(0);
  expect(readFileSync(join(folder, "cgroup.procs"), "utf8")).toBe("0");
  rmSync(folder, { recursive: true });
});

test("says in one line of JSON what failed, and where by its status", () => {
  expect(run("--cgroup", "/nowhere", "--", "/bin/true")).toMatchObject({
    status: 121,
    failure: { launch: "entering the cgroup '/nowhere/cgroup.procs'", errno: 2 },
  });
  expect(run("--", '/no"where')).toMatchObject({ status: 122, failure: { launch: "starting '/no\"where'", errno: 2 } });
  for (const args of [
    ["--nice", "x", "--", "/bin/true"],
    ["--rlimit", "nofile=1", "--", "/bin/true"],
    ["--unknown", "1", "--", "/bin/true"],
    ["--oom", "1001", "--", "/bin/true"],
    ["--uid"],
    ["--"],
    [],
  ])
    expect(run(...args)).toMatchObject({ status: 120, failure: { errno: 22 } });
});

/** A root of its own with stage0 as init; `aios` is whatever program is given. PID 1 in fresh namespaces. */
function boot(aios: string | undefined, env: Record<string, string>): { out: string; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), "stage0-"));
  const script = [
    `mount -t tmpfs none ${folder}`,
    `cd ${folder}`,
    "mkdir -p proc sys dev run tmp usr/bin bin",
    `cp ${stage0} init`,
    aios === undefined ? ":" : `cp ${aios} usr/bin/aios`,
    'exec "$0" . /init',
  ].join(" && ");
  const child = Bun.spawnSync(["unshare", "--pid", "--fork", "--mount", "--ipc", "--uts", "/bin/sh", "-c", script, "/usr/sbin/chroot"], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    timeout: 20_000,
  });
  rmSync(folder, { recursive: true, force: true });
  return { out: child.stdout.toString() + child.stderr.toString(), status: child.exitCode };
}

function probe(source: string): string {
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  writeFileSync(join(folder, "probe.c"), source);
  const built = Bun.spawnSync(["musl-gcc", "-static", "-o", join(folder, "probe"), join(folder, "probe.c")]);
  if (!built.success) throw new Error(`compiling the probe failed: ${built.stderr.toString()}`);
  return join(folder, "probe");
}

test("stage0 mounts what Bun needs, passes a known environment and becomes aios init as PID 1", () => {
  const program = probe(`
    #include <stdio.h>
    #include <unistd.h>
    extern char **environ;
    int main(int argc, char **argv) {
      printf("pid %d", getpid());
      for (int i = 0; i < argc; i++) printf(" %s", argv[i]);
      printf("\\n");
      for (char **e = environ; *e; e++) printf("env %s\\n", *e);
      char line[512]; FILE *f = fopen("/proc/self/mounts", "r");
      while (f && fgets(line, sizeof line, f)) printf("mount %s", line);
      return 0;
    }`);
  const { out } = boot(program, { BUN_BE_BUN: "1", LD_PRELOAD: "", AIOS_MODE: "container", AIOS_lower: "1", AIOS_STAGE0_NS: "5" });
  expect(out).toContain("pid 1 aios init\n");
  const env = [...out.matchAll(/^env (.*)$/gm)].map((match) => match[1] ?? "").sort();
  expect(env.map((entry) => entry.replace(/(STAGE0_NS=)\d+$/, "$1N"))).toEqual([
    "AIOS_MODE=container",
    "AIOS_STAGE0_NS=N",
    "BUN_GC_TIMER_INTERVAL=10000",
    "BUN_JSC_useJIT=0",
    "HOME=/",
    "LANG=C.UTF-8",
    "PATH=/usr/bin:/usr/sbin",
  ]);
  expect(Number(env.find((entry) => entry.startsWith("AIOS_STAGE0_NS="))?.slice(15))).toBeGreaterThan(1000);
  for (const path of ["/proc", "/sys", "/run", "/tmp"]) expect(out).toMatch(new RegExp(`^mount \\S+ ${path} `, "m"));
  expect(out).toMatch(/^mount tmpfs \/run tmpfs rw,nosuid,nodev/m);
});

test("stage0 that finds no aios says so, and restarts its machine instead of ending", () => {
  const begin_ms = performance.now();
  const { out } = boot(undefined, {});
  expect(out).toContain('stage0: starting "/usr/bin/aios" failed: No such file or directory');
  expect(out).toContain("restarting in 10 s");
  expect(performance.now() - begin_ms).toBeGreaterThan(9_000);
}, 30_000);
