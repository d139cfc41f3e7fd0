/** The service filter, installed by bwrap around a Bun process, as in the appliance. */

import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, node_modules } from "./places.ts";

const filter = join(build, "seccomp/service.bpf");
const launch = join(build, "bin/launch");

/** Runs a TypeScript text under bwrap with the filter. */
function underFilter(source: string): string {
  for (const file of [filter, launch])
    if (!existsSync(file)) throw new Error(`looking for "${file}" failed: it has not been built; run "bun image/build.ts root" first`);
  const folder = mkdtempSync(join(tmpdir(), "seccomp-"));
  const script = join(folder, "script.ts");
  writeFileSync(script, source);
  const bun = join(node_modules, "@oven/bun-linux-x64-baseline/bin/bun");
  const sandbox = [
    "bwrap",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "--tmpfs",
    "/tmp",
    "--ro-bind",
    script,
    "/tmp/script.ts",
    "--ro-bind", // the checkout may be below the /tmp that has just been covered
    bun,
    "/tmp/bun",
    "--ro-bind",
    node_modules,
    "/tmp/node_modules",
  ];
  const child = Bun.spawnSync([
    launch,
    "--seccomp-fd-from",
    filter,
    "9",
    "--",
    "/usr/bin/env",
    ...sandbox,
    "--unshare-pid",
    "--seccomp",
    "9",
    "/tmp/bun",
    "/tmp/script.ts",
  ]);
  rmSync(folder, { recursive: true });
  return child.stdout.toString() + child.stderr.toString();
}

test("what a service does still works: files, sockets, timers, threads, children, compiled code", () => {
  const out = underFilter(`
    import { readFileSync, writeFileSync } from "node:fs";
    import { connect, createServer } from "node:net";
    writeFileSync("/tmp/file", "file"); console.log(readFileSync("/tmp/file", "utf8"));
    await Bun.sleep(5);
    const server = createServer((peer) => peer.end("socket"));
    await new Promise<void>((done) => server.listen("/tmp/sock", done));
    await new Promise<void>((done) => { const c = connect("/tmp/sock"); c.on("data", (d) => console.log(String(d))); c.on("close", () => done()); });
    server.close();
    let sum = 0; for (let i = 0; i < 2e7; i++) sum = (sum + i * 7) % 1013; console.log("compiled", sum);
    console.log("child", await Bun.spawn(["/bin/true"]).exited);
    const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"])));
    await new Promise<void>((done) => { worker.onmessage = () => done(); }); console.log("thread"); worker.terminate();
  `);
  expect(out.trim().split("\n")).toEqual(["file", "socket", expect.stringMatching(/^compiled \d+$/), "child 0", "thread"]);
}, 20_000);

test("what a service must not do fails with EPERM", () => {
  const out = underFilter(`
    import { createRequire } from "node:module";
    const { DataType, load, open } = createRequire("/tmp/node_modules/")("ffi-rs");
    open({ library: "c", path: "libc.so.6" });
    const call = (name: string, ...numbers: number[]) => {
      const answer = load({ library: "c", funcName: name, retType: DataType.I32, errno: true, paramsType: numbers.map(() => DataType.I32), paramsValue: numbers });
      console.log(name, numbers.join(","), answer.value < 0 ? answer.errnoCode : "allowed");
    };
    call("unshare", 0x10000000);            // a user namespace
    call("syscall", 56, 0x10000011, 0, 0, 0, 0); // the same through clone
    call("ptrace", 0, 0, 0, 0);
    call("klogctl", 3, 0, 0);
    call("socket", 40, 1, 0);               // vsock
    call("socket", 1, 1, 0);                // unix
    call("ioctl", 0, 0x5412, 0);            // types into the terminal
    call("personality", 0x0040000);         // no address randomisation
    call("syscall", 321, 0, 0, 0);          // bpf
    call("syscall", 425, 1, 0);             // io_uring_setup: ENOSYS
  `);
  expect(out.trim().split("\n")).toEqual([
    "unshare 268435456 1",
    "syscall 56,268435473,0,0,0,0 1",
    "ptrace 0,0,0,0 1",
    "klogctl 3,0,0 1",
    "socket 40,1,0 1",
    "socket 1,1,0 allowed",
    "ioctl 0,21522,0 1",
    "personality 262144 1",
    "syscall 321,0,0,0 1",
    "syscall 425,1,0 38",
  ]);
});
