/** Real programs in real sandboxes, with cgroups where this machine has a tree of them, and without. Needs root. */

import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupPids } from "../../sys/cgroup.ts";
import { linuxSystem } from "../../sys/linux.ts";
import { allStats, isRunning } from "../../sys/procfs.ts";
import { ToolError } from "../tool.ts";
import { type Command, KeptProgram, type Sandbox, tools_uid } from "./exec.ts";
import { linuxExecution } from "./linux.ts";
import { testCgroup } from "./testing/cgroup.ts";
import { checkoutPrograms } from "./testing/programs.ts";

const sys = linuxSystem();
const programs = checkoutPrograms();
const folder = mkdtempSync(join(tmpdir(), "exec-"));
const tree = testCgroup("exec");
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await tree?.remove();
});

let calls = 0;
function rig(cgroup: string | null = tree?.path ?? null) {
  calls += 1;
  const abort = new AbortController();
  const said: string[] = [];
  const call = `00000000-call-${calls}`;
  const places = { run: join(folder, "run"), data: join(folder, "data"), broker: join(folder, "data/broker"), cgroup };
  mkdirSync(places.broker, { recursive: true });
  const execution = linuxExecution({ sys, programs, places });
  const output = (stream: string, piece: string) => void said.push(`${stream}: ${piece}`);
  const exec = execution.forCall({ call, signal: abort.signal, output });
  return { execution, exec, abort, said, call, places };
}
const sh = (script: string, sandbox: Command["sandbox"] = {}, more: Partial<Command> = {}): Command => ({
  argv: ["/bin/sh", "-c", script],
  sandbox,
  ...more,
});
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "it did not fail",
    (error: unknown) => (error instanceof ToolError ? error.message : `not a ToolError: ${String(error)}`),
  );
async function until(what: string, condition: () => boolean): Promise<void> {
  const end_ms = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end_ms) throw new Error(`waiting for ${what} failed: not so within 10 s`);
    await Bun.sleep(5);
  }
}
/** Processes of this machine whose command line holds `mark`. */
const marked = (mark: string): number[] =>
  allStats()
    .filter((stat) => stat.state !== "Z" && cmdline(stat.pid).includes(mark))
    .map((stat) => stat.pid);
function cmdline(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

const trees: [name: string, cgroup: string | null][] = [["without cgroups", null]];
if (tree !== null) trees.push(["with cgroups", tree.path]);

describe.each(trees)("%s", (_name, cgroup) => {
  test("a program's status, output and use", async () => {
    const finished = await rig(cgroup).exec.run(sh("echo out; echo err >&2; exit 7"));
    expect({ ...finished, took_ms: 0, cpu_ms: 0, memory_peak_bytes: 0 }).toEqual({
      status: 7,
      signal: null,
      ended_for: null,
      stdout: Buffer.from("out\n"),
      stderr: Buffer.from("err\n"),
      stdout_dropped_bytes: 0,
      stderr_dropped_bytes: 0,
      took_ms: 0,
      cpu_ms: 0,
      memory_peak_bytes: 0,
    });
    expect(finished.cpu_ms).toBeGreaterThan(0);
    expect((await rig(cgroup).exec.run(sh("kill -SEGV $$"))).signal).toBe("SIGSEGV");
    expect((await rig(cgroup).exec.run(sh("kill -TERM $$", "none"))).signal).toBe("SIGTERM");
  });

  test("its time over, all that it started ends with it, the daemon that left its session too", async () => {
    const mark = `7${process.pid}.${cgroup === null ? 1 : 2}`;
    const script = `setsid sleep ${mark} & (sleep ${mark} &) ; sleep ${mark}`;
    const running = rig(cgroup).exec.run(sh(script, {}, { limits: { timeout_ms: 400 } }));
    await until("three sleepers", () => marked(mark).length >= 3);
    expect(await running).toMatchObject({ ended_for: "timeout", status: null, signal: "SIGKILL" });
    await until("their end", () => marked(mark).length === 0);
  });

  test("cancelled, it ends; a cancelled call starts nothing", async () => {
    const { exec, abort } = rig(cgroup);
    const mark = `8${process.pid}.${cgroup === null ? 1 : 2}`;
    const running = exec.run(sh(`sleep ${mark}`, "none"));
    await until("the sleeper", () => marked(`sleep\0${mark}`).length > 0);
    abort.abort();
    expect((await running).ended_for).toBe("cancelled");
    await until("its end", () => marked(`sleep\0${mark}`).length === 0);
    expect(await failure(exec.run(sh("true")))).toContain("the call was cancelled before");
  });

  test("what a program leaves behind in the background ends with it", async () => {
    const mark = `9${process.pid}.${cgroup === null ? 1 : 2}`;
    for (const sandbox of [{}, "none"] as const) {
      const finished = await rig(cgroup).exec.run(sh(`sleep ${mark} & exit 0`, sandbox));
      expect(finished.status).toBe(0);
      await until("its end", () => marked(mark).length === 0);
    }
  });

  test("one that goes on: found by its pid, heard, signalled, ended with all it started", async () => {
    const mark = `6${process.pid}.${cgroup === null ? 1 : 2}`;
    const script = `trap 'echo usr' USR1; setsid sleep ${mark} & echo up; while :; do sleep 0.05; done`;
    const started = await rig(cgroup).exec.start(sh(script));
    await until("its first word", () => text(started.tail().stdout) === "up\n");
    expect(cmdline(started.pid)).toContain("trap");
    expect(cmdline(started.pid)).not.toContain("bwrap");
    expect(started.running).toBe(true);
    if (cgroup !== null) expect(cgroupPids(started.cgroup ?? "")).toContain(started.pid);
    started.kill("SIGUSR1");
    await until("its answer", () => text(started.tail().stdout).includes("usr"));
    started.end();
    expect((await started.ended).signal).toBe("SIGKILL");
    await until("the end of all", () => marked(mark).length === 0);
    expect(existsSync(`${started.kept.pipes}.stdout`)).toBe(false);
    if (started.cgroup !== null) expect(existsSync(started.cgroup)).toBe(false);
  });
});

describe("the sandbox", () => {
  const status = async (sandbox: Sandbox): Promise<string> => text((await rig().exec.ok(sh("cat /proc/self/status", sandbox))).stdout);
  const field = (of: string, name: string): string => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(of)?.[1]?.replace(/\s+/g, " ") ?? "";

  test("unless asked otherwise: tools' own uid, no capability, no way to get one, the filter", async () => {
    const said = await status({});
    expect(field(said, "Uid")).toBe(`${tools_uid} ${tools_uid} ${tools_uid} ${tools_uid}`);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(field(said, set)).toBe("0000000000000000");
    expect([field(said, "NoNewPrivs"), field(said, "Seccomp")]).toEqual(["1", "2"]);
    expect(field(await status({ uid: 1234 }), "Uid")).toBe("1234 1234 1234 1234");
    expect(field(await status({ uid: 0 }), "CapEff")).toBe("0000000000000000");
  });

  test("the capabilities that are named, and no other", async () => {
    const said = await status({ capabilities: ["cap_net_admin"] });
    expect([field(said, "Uid"), field(said, "CapEff")]).toEqual(["0 0 0 0", "0000000000001000"]);
  });

  test("no network, no processes, no data of the system unless asked for", async () => {
    const { exec, places } = rig();
    writeFileSync(join(places.data, "secret"), "1");
    const script = `ls /sys/class/net >/dev/null; cat /proc/net/dev | grep -c :; ls -d /proc/[0-9]* | wc -l; ls ${places.data} 2>&1; touch /x 2>&1`;
    const [interfaces, processes, data, root] = text((await exec.run(sh(script))).stdout).split("\n");
    expect(Number(interfaces)).toBe(1);
    expect(Number(processes)).toBeLessThan(8);
    expect(data).toContain("No such file");
    expect(root).toContain("Read-only file system");
    const shared = await exec.run(sh("ls -d /proc/[0-9]* | wc -l", { processes: true }));
    expect(Number(text(shared.stdout))).toBeGreaterThan(Number(processes));
  });

  test("an empty /tmp that everybody may write", async () => {
    expect(text((await rig().exec.ok(sh("ls -A /tmp; echo x > /tmp/x; cat /tmp/x"))).stdout)).toBe("x\n");
  });

  test("folders to read and to write, by the rights of its uid", async () => {
    const { exec } = rig();
    const shared = join(folder, "shared");
    mkdirSync(shared, { mode: 0o777 });
    writeFileSync(join(shared, "in"), "hello");
    Bun.spawnSync(["chmod", "777", shared]);
    const written = await exec.ok(sh("cat /mnt/in > /mnt/out; cat /mnt/out", { writes: [[shared, "/mnt"]] }));
    expect(text(written.stdout)).toBe("hello");
    expect(statSync(join(shared, "out")).uid).toBe(tools_uid);
    expect(text((await exec.run(sh("touch /mnt/no", { reads: [[shared, "/mnt"]] }))).stderr)).toContain("Read-only file system");
    expect(await failure(exec.run(sh("true", { reads: [["/nowhere/at/all", "/mnt"]] })))).toContain("its sandbox could not be made");
  });

  test("variables reach the program alone: not bwrap, not an argument vector", async () => {
    const { exec } = rig();
    const env = { LD_PRELOAD: "/nowhere/evil.so", SECRET: "hidden-value-1" };
    const script = "echo $SECRET $LD_PRELOAD; tr '\\0' ' ' < /proc/1/cmdline; tr '\\0' ' ' < /proc/$$/cmdline; exec /bin/true";
    const finished = await exec.ok(sh(script, {}, { env }));
    const said = text(finished.stdout);
    expect(said.startsWith("hidden-value-1 /nowhere/evil.so\n")).toBe(true);
    expect(said.split("hidden-value-1").length).toBe(2);
    expect(
      text((await exec.ok({ argv: ["/usr/bin/env"], sandbox: {} })).stdout)
        .split("\n")
        .sort()
        .filter(Boolean),
    ).toEqual(["HOME=/", "LANG=C.UTF-8", "PATH=/usr/bin:/usr/sbin:/bin:/sbin"]);
  });

  test("no namespaces, no mounts, no devices, no setuid", async () => {
    const { exec } = rig();
    for (const script of ["unshare -Ur true", "unshare -m true", "mount -t tmpfs none /tmp", "mknod /tmp/sda b 8 0"])
      expect((await exec.run(sh(script))).status, script).not.toBe(0);
    expect(text((await exec.run(sh("su root -c id 2>&1; id -u"))).stdout)).toContain(`${tools_uid}`);
  });
});

test("a descriptor shows the very thing, whatever its path means by then; nothing stays mounted", async () => {
  const { exec, execution, places } = rig();
  const [shown, swapped] = [join(folder, "shown"), join(folder, "swapped")];
  for (const [path, mode] of [
    [shown, "right"],
    [swapped, "wrong"],
  ] as const) {
    mkdirSync(path);
    writeFileSync(join(path, "what"), mode);
  }
  const [fd, file] = [openSync(shown, "r"), openSync(join(shown, "what"), "r")];
  renameSync(shown, join(folder, "away"));
  symlinkSync(swapped, shown);
  const reads = [
    [fd, "/mnt"],
    [file, "/run/what"],
  ] as const;
  expect(text((await exec.ok(sh("cat /mnt/what /run/what", { reads }))).stdout)).toBe("rightright");
  const started = await exec.start(sh("cat /mnt/what; exec sleep 60", { reads }));
  await until("its word", () => text(started.tail().stdout) === "right");
  started.end();
  await started.ended;
  await execution.sweep([]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(places.run);
  expect(readdirSync(join(places.run, "broker/exec"))).toEqual([]);
  for (const one of [fd, file]) closeSync(one);
});

/** Mounts and unmounts below a shared mount that every sandbox takes over, in a process of its own; a folder goes with it. */
const coming_and_going = `
  import { mkdirSync, rmdirSync } from "node:fs";
  import { linuxSystem } from "${join(import.meta.dir, "../../sys/linux.ts")}";
  const { mount } = linuxSystem();
  const [, target, what] = process.argv;
  process.stdout.write("begun\\n");
  for (;;) {
    mount.mount({ source: "comes", target, type: "tmpfs" });
    Bun.sleepSync(1);
    mount.unmount(target, ["detach"]);
    if (what === "folder") rmdirSync(target);
    Bun.sleepSync(1);
    if (what === "folder") mkdirSync(target);
  }`;

test.each(["mount", "folder"])("a %s that goes while a sandbox is being made is no failure", async (what) => {
  const target = mkdtempSync("/var/tmp/aios-exec-"); // below /tmp there is nothing to take over
  const { exec } = rig();
  Bun.spawnSync(["mount", "--types", "tmpfs", "--make-shared", "here", target]);
  mkdirSync(join(target, "comes"));
  const others = Bun.spawn([process.execPath, "-e", coming_and_going, join(target, "comes"), what], { stdout: "pipe" });
  try {
    await others.stdout.getReader().read();
    const ends = await Promise.all(Array.from({ length: 64 }, () => failure(exec.ok({ argv: ["/bin/true"], sandbox: {} }))));
    expect(new Set(ends)).toEqual(new Set(["it did not fail"]));
  } finally {
    others.kill("SIGKILL");
    await others.exited;
    Bun.spawnSync(["umount", "--recursive", "--lazy", target]);
    rmdirSync(target);
  }
});

test("the programs of one call end, and no other's", async () => {
  const [one, other] = [rig(), rig()];
  const [first, second] = [await one.exec.start(sh("sleep 100")), await other.exec.start(sh("sleep 100"))];
  await other.exec.endCall(one.call);
  await first.ended;
  expect([first.running, second.running]).toEqual([false, true]);
  await one.exec.endCall(other.call);
  expect((await second.ended).signal).toBe("SIGKILL");
});

test("once a call's programs are ended none of them is there any more, not even while the kernel takes back its memory", async () => {
  const { exec, call } = rig(null);
  const bytes = 200_000_000 + calls;
  const started = await exec.start(sh(`head -c ${bytes} /dev/zero | tail -c ${bytes} | sleep 100`));
  const holder = () => allStats().find(({ pid, rss_pages }) => rss_pages * 4096 > bytes && isOf(pid, `tail\0-c\0${bytes}\0`));
  while (holder() === undefined) await Bun.sleep(5);
  const { pid = 0, started: started_ticks = 0 } = holder() ?? {};
  await exec.endCall(call);
  expect(isRunning(pid, started_ticks)).toBe(false);
  await started.ended;
});

function isOf(pid: number, words: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").endsWith(words);
  } catch {
    return false;
  }
}

describe("output", () => {
  test("is kept up to its bound, and the rest counted", async () => {
    const script = "head -c 300000 /dev/zero; head -c 10 /dev/zero >&2";
    const finished = await rig().exec.run(sh(script, {}, { limits: { output_bytes_max: 1000 } }));
    expect([finished.stdout.length, finished.stdout_dropped_bytes]).toEqual([1000, 299_000]);
    expect([finished.stderr.length, finished.stderr_dropped_bytes]).toEqual([10, 0]);
  });

  test("is streamed in whole characters, and stdin arrives", async () => {
    const { exec, said } = rig();
    await exec.ok({ argv: ["/bin/cat"], sandbox: {}, stdin: "grüße\n".repeat(30_000), stream: true });
    expect(said.join("").replaceAll("stdout: ", "")).toBe("grüße\n".repeat(30_000));
  });

  test("of one that goes on: the newest, and it never blocks while somebody reads", async () => {
    const script = "i=0; while [ $i -lt 3000 ]; do echo line-$i-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done";
    const started = await rig().exec.start(sh(script, {}, { limits: { output_bytes_max: 1000 } }));
    const finished = await started.ended;
    expect(finished.status).toBe(0);
    expect(finished.stdout.length).toBe(1000);
    expect(text(finished.stdout)).toContain("line-2999-");
  });
});

describe("what cannot be started", () => {
  test("is said with its cause, and leaves nothing", async () => {
    const { exec, places, call } = rig();
    expect(await failure(exec.run({ argv: ["/no/such"], sandbox: {} }))).toBe(
      "starting \"/no/such\" failed: starting '/no/such': No such file or directory",
    );
    expect(await failure(exec.run({ argv: ["/no/such"], sandbox: "none" }))).toContain("No such file or directory");
    expect(await failure(exec.start({ argv: ["/etc/passwd"], sandbox: {} }))).toContain("Permission denied");
    expect(await failure(exec.run(sh("true", {}, { cwd: "/no/such" })))).toContain("changing directory to '/no/such'");
    expect(await failure(exec.ok(sh("echo because >&2; exit 3")))).toContain('it ended with status 3; it last said "because"');
    if (places.cgroup !== null) expect(readdirSync(places.cgroup).filter((name) => name.startsWith(call))).toEqual([]);
  });
});

test("one that goes on is taken up by the next broker, which hears what it wrote meanwhile", async () => {
  const first = join(folder, "first.ts");
  const { places } = rig();
  writeFileSync(
    first,
    `import { linuxSystem } from ${JSON.stringify(join(import.meta.dir, "../../sys/linux.ts"))};
import { linuxExecution } from ${JSON.stringify(join(import.meta.dir, "linux.ts"))};
const execution = linuxExecution({ sys: linuxSystem(), programs: ${JSON.stringify(programs)}, places: ${JSON.stringify(places)} });
const exec = execution.forCall({ call: "00000001-call-1", signal: new AbortController().signal, output() {} });
const script = "i=0; while :; do echo tick-$i; i=$((i+1)); sleep 0.02; done";
const started = await exec.start({ argv: ["/bin/sh", "-c", script], sandbox: {} });
process.stdout.write(JSON.stringify(started.kept));
process.exit(0);`,
  );
  const broker = Bun.spawnSync([process.execPath, first], { stderr: "inherit" });
  const kept = KeptProgram.parse(JSON.parse(broker.stdout.toString()));
  expect(isRunning(kept.pid, kept.started_ticks)).toBe(true);
  const { exec, execution } = rig();
  await execution.sweep([kept]);
  const adopted = exec.adopt(kept);
  if (adopted === null) throw new Error("it was not found again");
  await until("what it says", () => text(adopted.tail().stdout).split("\n").length > 5);
  expect(text(adopted.tail().stdout)).toMatch(/tick-\d+\ntick-\d+\n/);
  expect(exec.adopt(kept)).toBe(adopted);
  adopted.end();
  await adopted.ended;
  expect(isRunning(kept.pid, kept.started_ticks)).toBe(false);
  expect(exec.adopt(kept)?.running).toBe(false);
  expect(rig().exec.adopt(kept)).toBeNull();
});

test.if(tree !== null)("what an earlier broker's calls left behind is ended at the start, but not what goes on", async () => {
  const { exec, execution } = rig();
  const [left, kept] = [await exec.start(sh("sleep 100")), await exec.start(sh("sleep 100"))];
  expect(await execution.sweep([kept.kept])).toBe(1);
  await left.ended;
  expect([left.running, kept.running]).toEqual([false, true]);
  kept.end();
  await kept.ended;
});
