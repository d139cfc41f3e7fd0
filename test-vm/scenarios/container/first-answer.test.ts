/** first-answer, by what it really does: on its socket, and as the guest's end of the serial line. */

import { afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startHostLink } from "../../../console/link/host.ts";
import { Problem } from "../../../contracts/console.ts";
import { SystemStatus } from "../../../contracts/init.ts";
import { console_socket } from "../../../contracts/paths.ts";
import { uids } from "../../../init/supervise/table.ts";
import { processStatus } from "../../host-processes.ts";
import { waitFor } from "../../wait.ts";

const program = resolve(import.meta.dir, "../../../build/bin/first-answer");
const uid = process.getuid?.() ?? 0;
let folder = "";
let path = "";
const closers: (() => void)[] = [];

beforeAll(() => {
  if (!existsSync(program)) throw new Error(`looking for "${program}" failed: it has not been built; run "bun image/build.ts root" first`);
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "first-answer-"));
  path = join(folder, "console/http/sock");
});
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(line: "none" | "pipe" = "none") {
  const argv = [program, path, String(uid), String(uid), ...(line === "pipe" ? ["3"] : ["/dev/null"])];
  const child = Bun.spawn(argv, { stdio: ["ignore", "inherit", "inherit", ...(line === "pipe" ? (["pipe"] as const) : [])] });
  closers.push(() => child.kill("SIGKILL"));
  while (!existsSync(path)) await Bun.sleep(2);
  return child;
}

const get = (url: string, socket = path): Promise<Response> => fetch(`http://aios${url}`, { unix: socket });

/** What comes back for these bytes, until the other side closes. */
function raw(bytes: string): Promise<string> {
  const { promise, resolve: done } = Promise.withResolvers<string>();
  let heard = "";
  const socket = connect(path, () => socket.write(bytes));
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("close", () => done(heard));
  return promise;
}

test("the status is one by the contract, and says that the system boots; all else has to wait", async () => {
  await start();
  const response = await get("/v1/status");
  expect(response.status).toBe(200);
  const status = SystemStatus.parse(await response.json());
  expect(status).toMatchObject({
    state: "booting",
    mode: "machine",
    degradations: [],
    data: { persistent: false, detail: "not looked for yet" },
  });
  expect(status.boot_id).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  expect(Math.abs(status.time_ms - Date.now())).toBeLessThan(60_000);
  for (const url of ["/v1/services", "/v1/statuses", "/"]) {
    const refused = await get(url);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(Problem.parse(await refused.json()).detail).toContain("the console is starting");
  }
  const posted = await fetch("http://aios/v1/poweroff", { unix: path, method: "POST", body: "{}" });
  expect(posted.status).toBe(503);
});

test("only the console's group may connect, and the folders are the console's", async () => {
  await start();
  expect([statSync(path).mode & 0o777, statSync(path).uid]).toEqual([0o660, uid]);
  expect([statSync(join(folder, "console")).mode & 0o777, statSync(join(folder, "console/http")).mode & 0o777]).toEqual([0o755, 0o755]);
});

test("while it answers it is the console's user, with no way back", async () => {
  chmodSync(folder, 0o755);
  const child = Bun.spawn([program, path, "806", "806", "/dev/null"], { stdio: ["ignore", "inherit", "inherit"] });
  closers.push(() => child.kill("SIGKILL"));
  await waitFor("its answer", async () => (await get("/v1/status")).ok, { limit_ms: 120_000 });
  const status = processStatus(child.pid);
  for (const field of ["Uid", "Gid"]) expect(status?.get(field)?.split(/\s+/)).toEqual(Array(4).fill("806"));
  expect([status?.get("NoNewPrivs"), status?.get("Groups")]).toEqual(["1", ""]);
});

test("no client stops it: silence, noise, a header without an end, one that leaves", async () => {
  const child = await start();
  const silent = raw("GET /v1/status");
  const answers = await Promise.all([raw("\0".repeat(4000)), raw(`GET /v1/status HTTP/1.1\r\n${"x: y\r\n".repeat(3000)}`)]);
  expect([await silent, ...answers]).toEqual(["", "", ""]);
  const leaving = connect(path, () => leaving.destroy());
  leaving.on("error", () => {});
  expect((await get("/v1/status")).status).toBe(200);
  expect(child.exitCode).toBeNull();
});

test("it ends when the console's own socket is in the place of its", async () => {
  const child = await start();
  const server = Bun.serve({ unix: join(folder, "own"), fetch: () => new Response("the console") });
  closers.push(() => void server.stop(true));
  renameSync(join(folder, "own"), path);
  expect(await Promise.race([child.exited, Bun.sleep(60_000).then(() => "still there")])).toBe(0);
  expect(await (await get("/v1/status")).text()).toBe("the console");
});

/** What comes after the program has ended is nobody's. */
function toPort(port: number, chunk: Buffer): void {
  try {
    writeSync(port, chunk);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}

test("through the serial line: many at once, after noise, and when the host begins anew", async () => {
  const child = await start("pipe");
  const port = Number(child.stdio[3]);
  const hosts: Socket[] = [];
  const chardev = createServer((connected) => {
    hosts.push(connected);
    connected.on("data", (chunk: Buffer) => toPort(port, chunk));
    connected.on("error", () => {});
  });
  void (async () => {
    for await (const chunk of Bun.file(port).stream()) hosts.at(-1)?.write(chunk);
  })().catch(() => {});
  mkdirSync(join(folder, "host"));
  await new Promise<void>((done) => void chardev.listen(join(folder, "host/chardev"), done));
  closers.push(() => void chardev.close());
  const listen = join(folder, "host/listen");
  const look = async (): Promise<void> => {
    const link = await startHostLink({ chardev_path: join(folder, "host/chardev"), listen_path: listen });
    while (!link.up) await Bun.sleep(5);
    const answers = await Promise.all(Array.from({ length: 20 }, () => get("/v1/status", listen)));
    for (const answer of answers) expect(SystemStatus.parse(await answer.json()).state).toBe("booting");
    expect((await get("/v1/boot", listen)).status).toBe(503);
    link.close();
  };
  await look();
  writeSync(port, Buffer.from([0xa1, 0x05, 5, 0, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, ...new Array<number>(100).fill(0xa1)]));
  await look();
  expect(child.exitCode).toBeNull();
});

test("stage0 starts it where the console will listen, as the console's user", () => {
  const stage0 = readFileSync(resolve(import.meta.dir, "../../../init/stage0.c"), "utf8");
  expect(stage0).toContain(`#define CONSOLE_SOCKET "${console_socket}"`);
  expect(stage0).toContain(`#define CONSOLE_ID "${uids.get("console")}"`);
});
