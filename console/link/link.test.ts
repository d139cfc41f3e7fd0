import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import { type GuestLink, type Line, openFreePort, serveLine } from "./guest.ts";
import { startHostLink } from "./host.ts";

const folder = mkdtempSync(join(tmpdir(), "link-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** QEMU's chardev: a unix socket whose other side is the guest's port. The host connects here. */
function fakePort(path: string) {
  let host: Socket<null> | null = null;
  let chunks: Uint8Array[] = [];
  let wake = (): void => {};
  const listener = Bun.listen<null>({
    unix: path,
    data: null,
    socket: {
      open: (socket) => {
        host = socket;
      },
      data: (_, chunk) => {
        chunks.push(Buffer.from(chunk));
        wake();
      },
      close: () => {
        host = null;
        wake();
      },
    },
  });
  const line: Line = {
    async *read() {
      while (host !== null || chunks.length > 0) {
        const now = chunks;
        chunks = [];
        yield* now;
        if (chunks.length === 0 && host !== null) await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    write: (bytes) => host?.write(bytes) ?? 0,
  };
  return { line, cut: () => host?.end(), garbage: (bytes: Uint8Array) => host?.write(bytes), close: () => listener.stop(true) };
}

test("HTTP through the line: many at once, large both ways; the guest restarts, the host reconnects", async () => {
  const paths = { console: join(folder, "console"), chardev: join(folder, "chardev"), listen: join(folder, "listen") };
  const large = "x".repeat(1_000_000);
  const server = Bun.serve({
    unix: paths.console,
    fetch: async (request) => (request.method === "POST" ? new Response(String((await request.text()).length)) : new Response(large)),
  });
  const port = fakePort(paths.chardev);
  let guest: GuestLink = serveLine(port.line, paths.console);
  const host = await startHostLink({ chardev_path: paths.chardev, listen_path: paths.listen });
  const up = async (): Promise<void> => {
    const end_ms = Date.now() + 5000;
    while (!(host.up && guest.mux.up)) {
      if (Date.now() > end_ms) throw new Error("the link does not come up");
      await Bun.sleep(10);
    }
  };
  const get = async (): Promise<number> => (await (await fetch("http://aios/", { unix: paths.listen })).text()).length;
  await up();
  expect(await Promise.all(Array.from({ length: 20 }, get))).toEqual(Array(20).fill(large.length));
  const posted = await fetch("http://aios/", { unix: paths.listen, method: "POST", body: large });
  expect(await posted.text()).toBe(String(large.length));

  guest.stop();
  guest = serveLine(port.line, paths.console);
  await up();
  expect(await get()).toBe(large.length);

  port.cut();
  await Bun.sleep(50);
  await up();
  expect(await get()).toBe(large.length);

  port.garbage(Buffer.alloc(500, 7));
  await Bun.sleep(50);
  await up();
  expect(await get()).toBe(large.length);
  host.close();
  guest.stop();
  port.close();
  await server.stop(true);
}, 20_000);

test("a port that another process still has is opened when that lets go of it; any other failure is one at once", async () => {
  const tried: string[] = [];
  const opening =
    (...answers: (number | string)[]) =>
    (): number => {
      const answer = answers[Math.min(tried.length, answers.length - 1)] ?? 0;
      tried.push(String(answer));
      if (typeof answer === "number") return answer;
      throw Object.assign(new Error(answer), { code: answer });
    };
  expect(await openFreePort(opening("EBUSY", "EBUSY", 7))).toBe(7);
  expect(tried.splice(0)).toEqual(["EBUSY", "EBUSY", "7"]);
  await expect(openFreePort(opening("EBUSY"), 30)).rejects.toThrow("EBUSY");
  tried.splice(0);
  await expect(openFreePort(opening("EACCES"))).rejects.toThrow("EACCES");
  expect(tried).toEqual(["EACCES"]);
});
