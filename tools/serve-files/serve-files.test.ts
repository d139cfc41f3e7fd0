import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveFiles } from "./serve-files.ts";

test("files of the folder are served, and nothing else", async () => {
  const folder = mkdtempSync(join(tmpdir(), "serve-files-"));
  const root = join(folder, "www");
  mkdirSync(join(root, "sub"), { recursive: true });
  writeFileSync(join(root, "index.html"), "<p>home</p>");
  writeFileSync(join(root, "sub/a b.txt"), "a");
  writeFileSync(join(root, ".hidden"), "no");
  writeFileSync(join(folder, "secret"), "no");
  symlinkSync(join(folder, "secret"), join(root, "link"));
  const server = serveFiles(root, 0, "127.0.0.1");
  try {
    const get = async (path: string, method = "GET") => {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      return [answer.status, await answer.text(), answer.headers.get("content-type")?.split(";")[0]];
    };
    expect(await get("/")).toEqual([200, "<p>home</p>", "text/html"]);
    expect(await get("/", "HEAD")).toEqual([200, "", "text/html"]);
    expect(await get("/sub/a%20b.txt")).toEqual([200, "a", "text/plain"]);
    for (const path of ["/sub", "/none", "/.hidden", "/link", "/%2e%2e/secret", "/..%2fsecret", "/%00", "/%zz"])
      expect([path, (await get(path))[0]]).toEqual([path, 404]);
    expect((await get("/", "POST"))[0]).toBe(405);
  } finally {
    await server.stop();
  }
});

test("without the folder it does not start", () => {
  expect(() => serveFiles("/no/such/folder", 0, "127.0.0.1")).toThrow();
});
