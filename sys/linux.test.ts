/** The real system calls: each family does what it says, and each error carries the errno that the kernel gave. */

import { afterAll, describe, expect, spyOn, test } from "bun:test";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeRtcTime, encodeRtcTime } from "./clock.ts";
import { datagramCalls } from "./datagram.ts";
import { openLibc } from "./libc.ts";
import { linuxSystem } from "./linux.ts";
import { readStat } from "./procfs.ts";
import { code_of_source, codeOfFailure, valueInNamespaces } from "./testing.ts";

const sys = linuxSystem();
const folder = mkdtempSync(join(tmpdir(), "aios-sys-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("process", () => {
  test("a call that succeeds after one that failed is no failure: errno is stale then", () => {
    expect(codeOfFailure(() => sys.process.kill(4_000_000, 9))).toBe("ESRCH");
    expect(sys.clock.nowMs("boottime")).toBeGreaterThan(0);
  });

  test("errors: no such process, not our child", () => {
    expect(() => sys.process.kill(4_000_000, 15)).toThrow("kill process 4000000 with SIGTERM failed: ESRCH (No such process)");
    expect(codeOfFailure(() => sys.process.collect(1))).toBe("ECHILD");
    expect(codeOfFailure(() => sys.process.kill(1, 999))).toBe("EINVAL");
  });

  test("an orphan that nobody waits for is seen and collected, with its status", async () => {
    const value = await valueInNamespaces(
      `
      import { spawnSync } from "node:child_process";
      import { dlopen } from "bun:ffi";
      const { symbols } = dlopen("libc.so.6", { prctl: { args: ["int", "u64"], returns: "int" } });
      symbols.prctl(36, 1); // PR_SET_CHILD_SUBREAPER: orphans come to us
      spawnSync("/bin/sh", ["-c", "(sleep 0.2; exit 3) & (sleep 0.2; kill -9 $(cut -d' ' -f4 /proc/self/stat)) & exit 0"], { stdio: "ignore" });
      const nothing_yet = sys.process.peekDead();
      const found = [];
      for (let round = 0; round < 200 && found.length < 2; round++) {
        await Bun.sleep(10);
        for (let pid = sys.process.peekDead(); pid !== null; pid = sys.process.peekDead()) {
          found.push(sys.process.collect(pid));
        }
      }
      console.log(JSON.stringify({ nothing_yet, found: found.sort((a, b) => (b.status ?? 0) - (a.status ?? 0)) }));
      `,
      { namespaces: ["--mount"] },
    );
    expect(value).toEqual({
      nothing_yet: null,
      found: [
        { status: 3, signal: null },
        { status: null, signal: 9 },
      ],
    });
  });
});

describe("mount", () => {
  test("mount, use, remount, unmount; and what the kernel says when it cannot", async () => {
    const value = await valueInNamespaces(`
      ${code_of_source}
      import { mkdirSync, writeFileSync, rmSync, openSync } from "node:fs";
      const at = ${JSON.stringify(join(folder, "mnt"))};
      mkdirSync(at, { recursive: true });
      sys.mount.mount({ source: "t", target: at, type: "tmpfs", flags: ["nosuid", "nodev"], data: "size=1m" });
      const size = sys.mount.use(at).size_bytes;
      openSync(at + "/held", "w");
      const codes = {
        busy: codeOf(() => sys.mount.unmount(at)),
        type: codeOf(() => sys.mount.mount({ source: "x", target: at, type: "nofs" })),
        options: codeOf(() => sys.mount.mount({ source: "x", target: at, type: "tmpfs", data: "nonsense=1" })),
        missing: codeOf(() => sys.mount.mount({ source: "x", target: at + "/no", type: "tmpfs" })),
        not_mounted: codeOf(() => sys.mount.unmount("/usr/bin")),
        no_swap: codeOf(() => sys.mount.swapOn(at + "/held")),
        swap: await sys.mount.swapOffAside(at + "/held").then(() => "ended"),
        synced: await sys.mount.syncAside(at).then(() => "ended"),
        zero: codeOf(() => sys.mount.unmount("a\\0b")),
      };
      sys.mount.unmount(at, ["detach"]);
      console.log(JSON.stringify({ size, codes }));
    `);
    expect(value).toEqual({
      size: 1024 * 1024,
      codes: {
        busy: "EBUSY",
        type: "ENODEV",
        options: "EINVAL",
        missing: "ENOENT",
        not_mounted: "EINVAL",
        no_swap: "EINVAL",
        swap: "ended",
        synced: "ended",
        zero: "EINVAL",
      },
    });
    expect(() => sys.mount.use("/nowhere")).toThrow('statvfs "/nowhere" failed: ENOENT (No such file or directory)');
  });
});

describe("clock", () => {
  test("the three clocks agree with the runtime's", () => {
    const before = Date.now();
    const real = Math.floor(sys.clock.nowMs("realtime"));
    expect(real).toBeGreaterThanOrEqual(before);
    expect(real).toBeLessThanOrEqual(Date.now());
    const { synchronised, error_ms } = sys.clock.synchronisation();
    expect(typeof synchronised).toBe("boolean");
    expect(error_ms).toBeGreaterThanOrEqual(0);
    expect(error_ms).toBeLessThan(synchronised ? 16_000.001 : 1e9);
    const monotonic = sys.clock.nowMs("monotonic");
    expect(sys.clock.nowMs("monotonic")).toBeGreaterThanOrEqual(monotonic);
    expect(sys.clock.nowMs("boottime")).toBeGreaterThanOrEqual(monotonic);
  });

  test("the RTC's broken-down time goes there and back, at its borders too", () => {
    for (const time_s of [0, 951_782_399, 951_782_400, 1_790_000_000, 4_102_444_799]) {
      expect(decodeRtcTime(encodeRtcTime(time_s))).toBe(time_s);
    }
    expect(codeOfFailure(() => sys.clock.readRtc("/dev/null"))).toBe("ENOTTY");
    expect(codeOfFailure(() => sys.clock.writeRtc("/dev/norTC", 0))).toBe("ENOENT");
  });

  test("setting the clock without the right is EPERM", async () => {
    const value = await valueInNamespaces(`${code_of_source} console.log(JSON.stringify(codeOf(() => sys.clock.set(Date.now()))));`, {
      namespaces: ["--user", "--map-root-user"],
    });
    expect(value).toBe("EPERM");
  });
});

describe("host", () => {
  test("host name, domain name and limits are set; too long and too much are refused", async () => {
    const value = await valueInNamespaces(`
      ${code_of_source}
      import { hostname } from "node:os";
      import { readFileSync } from "node:fs";
      sys.host.setHostname("stone");
      sys.host.setDomainname("example.org");
      const before = sys.host.limit("nofile");
      sys.host.setLimit("nofile", { soft: 100, hard: 200 });
      console.log(JSON.stringify({
        name: hostname(), domain: readFileSync("/proc/sys/kernel/domainname", "utf8").trim(),
        limit: sys.host.limit("nofile"), sane: before.hard !== 0,
        long: codeOf(() => sys.host.setHostname("x".repeat(65))),
        reversed: codeOf(() => sys.host.setLimit("nofile", { soft: 300, hard: 200 })),
        core: (sys.host.setLimit("core", { soft: 0, hard: "infinity" }), sys.host.limit("core")),
      }));
    `);
    expect(value).toEqual({
      name: "stone",
      domain: "example.org",
      limit: { soft: 100, hard: 200 },
      sane: true,
      long: "EINVAL",
      reversed: "EINVAL",
      core: { soft: 0, hard: "infinity" },
    });
  });
});

describe("entropy", () => {
  test("crediting needs the right to", async () => {
    const source = `${code_of_source} console.log(JSON.stringify(codeOf(() => sys.entropy.credit(new Uint8Array(64)))));`;
    expect(await valueInNamespaces(source, { namespaces: ["--user", "--map-root-user"] })).toBe("EPERM");
  });
});

describe("device", () => {
  test("what is no watchdog and no disk says so", () => {
    const fd = openSync("/dev/null", "r+");
    expect(codeOfFailure(() => sys.device.watchdogPet(fd))).toBe("ENOTTY");
    expect(codeOfFailure(() => sys.device.watchdogIdentity(fd))).toBe("ENOTTY");
    expect(codeOfFailure(() => sys.device.watchdogSetTimeout(fd, 5))).toBe("ENOTTY");
    closeSync(fd);
    expect(codeOfFailure(() => sys.device.blockSize("/dev/null"))).toBe("ENOTTY");
    expect(codeOfFailure(() => sys.device.watchdogPet(9999))).toBe("EBADF");
  });

  test("a disk tells its size", () => {
    const image = join(folder, "disk");
    writeFileSync(image, "");
    Bun.spawnSync(["truncate", "-s", "3M", image]);
    const made = Bun.spawnSync(["losetup", "--find", "--show", image]);
    const device = made.stdout.toString().trim();
    try {
      expect(sys.device.blockSize(device)).toBe(3 * 1024 * 1024);
    } finally {
      Bun.spawnSync(["losetup", "--detach", device]);
    }
  });
});

describe("descriptor", () => {
  test("open, write, read, end, nothing yet, and errors", () => {
    const path = join(folder, "file");
    const fd = sys.descriptor.open(path, ["read-write", "create"], 0o640);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(sys.descriptor.write(fd, Buffer.from("four"))).toBe(4);
    expect(sys.descriptor.read(fd, new Uint8Array(8))).toBe(0);
    sys.descriptor.close(fd);
    expect(codeOfFailure(() => sys.descriptor.close(fd))).toBe("EBADF");
    expect(codeOfFailure(() => sys.descriptor.read(fd, new Uint8Array(8)))).toBe("EBADF");
    expect(codeOfFailure(() => sys.descriptor.open(join(folder, "none"), ["read"]))).toBe("ENOENT");
    mkdirSync(join(folder, "dir"));
    expect(codeOfFailure(() => sys.descriptor.open(join(folder, "dir"), ["write"]))).toBe("EISDIR");
  });

  test("what becomes readable wakes its reader", async () => {
    const path = join(folder, "fifo");
    Bun.spawnSync(["mkfifo", path]);
    const fd = sys.descriptor.open(path, ["read-write"]);
    const buffer = Buffer.alloc(16);
    expect(sys.descriptor.read(fd, buffer)).toBeNull();
    const heard = Promise.withResolvers<string>();
    const no_sweep = spyOn(globalThis, "setInterval").mockImplementation(() => setTimeout(() => {}, 0));
    const watch = sys.descriptor.onReadable(fd, () => {
      const length = sys.descriptor.read(fd, buffer);
      if (length !== null) heard.resolve(buffer.toString("utf8", 0, length));
    });
    await Bun.sleep(20);
    sys.descriptor.write(fd, Buffer.from("hello"));
    expect(await heard.promise).toBe("hello"); // by the signal: there is no sweep
    no_sweep.mockRestore();
    watch.close();
    watch.close();
    sys.descriptor.close(fd);
  });

  test("what becomes readable when nobody watches it any more does not end the process", () => {
    const path = join(folder, "unwatched");
    Bun.spawnSync(["mkfifo", path]);
    const script = `
      const { descriptor } = (await import(${JSON.stringify(join(import.meta.dir, "linux.ts"))})).linuxSystem();
      const fd = descriptor.open(${JSON.stringify(path)}, ["read-write"]);
      descriptor.onReadable(fd, () => {}).close();
      descriptor.write(fd, Buffer.from("hello"));
      await Bun.sleep(20);
      console.log("alive");`;
    const { stdout, signalCode } = Bun.spawnSync([process.execPath, "-e", script]);
    expect([stdout.toString(), signalCode]).toEqual(["alive\n", undefined]);
  });
});

describe("datagram", () => {
  test("messages arrive one by one, in order, none lost in a burst; the file has its owner and goes away", async () => {
    const path = join(folder, "notify.sock");
    const heard: string[] = [];
    const watch = sys.datagram.listen(path, { uid: 806, gid: 806, mode: 0o600 }, (text) => heard.push(text));
    const { uid, gid, mode } = statSync(path);
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 806, gid: 806, mode: 0o600 });
    const sender = Bun.spawn([
      "python3",
      "-c",
      `import socket
s=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for i in range(500): s.sendto(f"STATUS={i}\\nREADY=1".encode(), ${JSON.stringify(path)})`,
    ]);
    expect(await sender.exited).toBe(0);
    for (let round = 0; round < 100 && heard.length < 500; round++) await Bun.sleep(10);
    expect(heard).toEqual(Array.from({ length: 500 }, (_, index) => `STATUS=${index}\nREADY=1`));
    watch.close();
    expect(codeOfFailure(() => statSync(path))).toBe("ENOENT");
  });

  test("closed in the midst of a flood it is over: nothing goes on turning", async () => {
    const real = openLibc();
    const flood: typeof real = {
      ...real,
      attempt: (name, args) => (name === "recv" ? { value: 1, errno: null } : real.attempt(name, args)),
    };
    const pending: (() => void)[] = [];
    const later = spyOn(globalThis, "setImmediate").mockImplementation(((work: () => void) => void pending.push(work)) as never);
    try {
      let taken = 0;
      const owner = { uid: 0, gid: 0, mode: 0o600 };
      const watch = datagramCalls(flood).listen(join(folder, "flood.sock"), owner, () => {
        taken += 1;
      });
      await Promise.resolve();
      expect([taken, pending.length]).toEqual([64, 1]);
      watch.close();
      pending.shift()?.();
      expect([taken, pending.length]).toEqual([64, 0]);
    } finally {
      later.mockRestore();
    }
  });

  test("errors: no folder, too long a path", () => {
    const owner = { uid: 0, gid: 0, mode: 0o600 };
    expect(codeOfFailure(() => sys.datagram.listen(join(folder, "no/where"), owner, () => {}))).toBe("ENOENT");
    expect(codeOfFailure(() => sys.datagram.listen(`/${"x".repeat(108)}`, owner, () => {}))).toBe("EINVAL");
  });
});

describe("one process by its descriptor", () => {
  const start = () => Bun.spawn(["sleep", "60"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });

  test("a signal reaches it; after its end it is gone, whoever has its pid", async () => {
    const child = start();
    const pidfd = sys.process.openPid(child.pid);
    sys.process.signal(pidfd, 0);
    sys.process.signal(pidfd, 15);
    await child.exited;
    expect(child.signalCode).toBe("SIGTERM");
    expect(codeOfFailure(() => sys.process.signal(pidfd, 0))).toBe("ESRCH");
    sys.descriptor.close(pidfd);
    expect(codeOfFailure(() => sys.process.openPid(child.pid))).toBe("ESRCH");
  });

  test("nice value, I/O priority and limits are set and read", async () => {
    const child = start();
    sys.process.setNice(child.pid, 7);
    expect(readStat(child.pid)?.nice).toBe(7);
    sys.process.setIoPriority(child.pid, { class: "best-effort", level: 6 });
    expect(sys.process.ioPriority(child.pid)).toEqual({ class: "best-effort", level: 6 });
    sys.process.setLimit(child.pid, "nofile", { soft: 50, hard: 60 });
    sys.process.setLimit(child.pid, "core", { soft: 0, hard: null });
    expect(sys.process.limit(child.pid, "nofile")).toEqual({ soft: 50, hard: 60 });
    expect(codeOfFailure(() => sys.process.setLimit(child.pid, "nofile", { soft: 70, hard: 60 }))).toBe("EINVAL");
    child.kill("SIGKILL");
    await child.exited;
    expect(codeOfFailure(() => sys.process.setNice(child.pid, 7))).toBe("ESRCH");
    expect(codeOfFailure(() => sys.process.limit(child.pid, "core"))).toBe("ESRCH");
  });
});
