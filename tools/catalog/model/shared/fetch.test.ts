/** Fetching against a real server that drops, lies, forgets, changes its file and sends elsewhere. */

import { afterAll, afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileServer, type Manners, sha256Of } from "../testing/server.ts";
import { type FetchPorts, fetchFile } from "./fetch.ts";

setDefaultTimeout(60_000); // a machine may be busy
const folder = mkdtempSync(join(tmpdir(), "aios-fetch-"));
const servers: FileServer[] = [];
let names = 0;

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = randomBytes(300_000);
const limits = { stall_ms: 5_000, tries_max: 3, wait_first_ms: 1, wait_max_ms: 4 };

async function serve(content: Uint8Array, ...manners: Manners[]): Promise<FileServer> {
  const server = await FileServer.of(content, ...manners);
  servers.push(server);
  return server;
}

interface Try {
  readonly part: string;
  readonly path: string;
  readonly said: string[];
  readonly seen: number[];
  go(
    sources: readonly string[],
    over?: Partial<FetchPorts> & { readonly sha256?: string; readonly redirect_hosts?: string[] },
  ): Promise<string>;
}

function newTry(): Try {
  const name = join(folder, String(names++));
  const [part, path] = [`${name}.part`, name];
  const said: string[] = [];
  const seen: number[] = [];
  return {
    ...{ part, path, said, seen },
    go: (sources, { sha256, redirect_hosts = [], ...over } = {}) =>
      fetchFile(
        {
          ...{ what: 'fetching "x"', sources, redirect_hosts, part, path },
          ...{ size_bytes: file.length, sha256: sha256 ?? sha256Of(file) },
        },
        { signal: new AbortController().signal, progress: (bytes) => seen.push(bytes), say: (text) => said.push(text), limits, ...over },
      ),
  };
}

/** What an earlier try has left: a client may lose what it had not read when a connection broke, so how much is not left to that. */
function begun({ part }: Try, content: Uint8Array, url: string, etag: string | null): void {
  writeFileSync(part, content);
  writeFileSync(`${part}.origin`, JSON.stringify({ url, etag }));
}

/** What lies there of it. */
const left = ({ path }: Try): string[] =>
  readdirSync(folder).filter((name) => join(folder, name).startsWith(path) && join(folder, name) !== path);

async function whole(one: Try, server: FileServer): Promise<void> {
  expect(await one.go([server.url])).toBe(server.url);
  expect(readFileSync(one.path).equals(file)).toBe(true);
  expect(left(one)).toEqual([]);
  expect(one.seen.at(-1)).toBe(file.length);
}

test("all at once; the file is for all to read, and nothing else is left", async () => {
  const one = newTry();
  const server = await serve(file);
  await whole(one, server);
  expect(statSync(one.path).mode & 0o777).toBe(0o644);
  expect(server.asked).toMatchObject([{ range: null }]);
});

test("connections that drop: the rest is asked for, with the name of the version", async () => {
  const one = newTry();
  const server = await serve(file, { drop_after: 100_000 }, { drop_after: 100_000 });
  await whole(one, server);
  expect(server.asked.length).toBe(3);
  expect(server.asked.every(({ range, if_range }) => (range === null) === (if_range === null))).toBe(true);
});

test("a server that stands still is left, and asked again", async () => {
  const one = newTry();
  const server = await serve(file, { stalls_after: 50_000 });
  expect(await one.go([server.url], { limits: { ...limits, stall_ms: 300 } })).toBe(server.url);
  expect(one.said.join()).toContain("nothing came for 300 ms");
});

test("a server that knows no ranges: all of it again", async () => {
  const one = newTry();
  await whole(one, await serve(file, { drop_after: 100_000 }, { ignores_range: true }));
});

test("what a killed or cancelled call has left is gone on from", async () => {
  const one = newTry();
  const server = await serve(file, { stalls_after: 120_000 });
  const cancel = new AbortController();
  const going = one.go([server.url], { signal: cancel.signal, progress: (bytes) => bytes >= 120_000 && cancel.abort() });
  await expect(going).rejects.toThrow(`was ended with 120000 of ${file.length} bytes there; the next try goes on from them`);
  expect(existsSync(one.path)).toBe(false);
  await whole(one, server);
  expect(server.asked.at(-1)).toMatchObject({ range: "bytes=120000-" });
  expect(one.seen[0]).toBe(120_000);
});

test("the file is another by the second try: the server says so by its ETag, and all of it comes", async () => {
  const one = newTry();
  const server = await serve(file);
  begun(one, randomBytes(100_000), server.url, '"old"');
  await whole(one, server);
  expect(server.asked).toMatchObject([{ range: "bytes=100000-", if_range: '"old"' }]);
});

test.each<[Manners, string | null]>([
  [{ nameless: true }, null],
  [{ ignores_if_range: true }, '"old"'],
])("the file is another by the second try, and the server does not tell: the hash does, and it is fetched anew (%j)", async (how, etag) => {
  const one = newTry();
  const server = await serve(file, how);
  begun(one, randomBytes(100_000), server.url, etag);
  await whole(one, server);
  expect(one.said.join()).toContain("put together of several pieces");
  expect(server.asked.map(({ range }) => range)).toEqual(["bytes=100000-", null]);
});

test("a connection that breaks while the file changes", async () => {
  const one = newTry();
  await whole(one, await serve(randomBytes(file.length), { drop_after: 100_000, becomes: file }));
});

test("a file with another hash is not kept, and the next address is asked", async () => {
  const one = newTry();
  const [wrong, right] = [await serve(randomBytes(file.length)), await serve(file)];
  await expect(one.go([wrong.url])).rejects.toThrow(
    /^fetching "x" failed: "http.*its SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}; nothing of it is kept$/,
  );
  expect([existsSync(one.path), left(one)]).toEqual([false, []]);
  expect(await one.go([wrong.url, right.url])).toBe(right.url);
  expect(right.asked).toMatchObject([{ range: null }]);
});

test("what one address gave, another goes on with", async () => {
  const one = newTry();
  const busy: Manners[] = Array.from({ length: 4 }, () => ({ status: 503 }));
  const [first, second] = [await serve(file, ...busy), await serve(file)];
  begun(one, file.subarray(0, 200_000), first.url, '"x"');
  expect(await one.go([first.url, second.url])).toBe(second.url);
  expect(second.asked).toMatchObject([{ range: "bytes=200000-", if_range: null }]);
});

test("what is there is longer than what a server has: all of it is asked for", async () => {
  const one = newTry();
  const server = await serve(file.subarray(0, 1000), { becomes: file });
  begun(one, file.subarray(0, 2000), server.url, null);
  await whole(one, server);
  expect(one.said.join()).toContain("it has nothing behind what is there");
});

test.each<[Manners, string]>([
  [{ claims: 300_001 }, "its file has 300001 bytes, not 300000"],
  [{ adds: 1 }, "it sends more than the 300000 bytes"],
  [{ status: 404 }, "it answers with status 404"],
  [{ redirect: "http://elsewhere.example/x" }, 'it redirects to "elsewhere.example", which is not among'],
  [{ redirect: "https://127.0.0.1/x" }, "it redirects from http: to https:"],
  [{ redirect: "http://user:word@127.0.0.1/x" }, "an address with a user name"],
])("an address that is of no use is asked once (%j)", async (how, why) => {
  const one = newTry();
  const server = await serve(file, how);
  await expect(one.go([server.url])).rejects.toThrow(why);
  expect([server.asked.length, left(one)]).toEqual([1, []]);
});

test("a length that is claimed and not kept: asked again, so often and no more", async () => {
  const one = newTry();
  const server = await serve(file, ...Array.from({ length: 5 }, () => ({ drop_after: 0 })));
  await expect(one.go([server.url])).rejects.toThrow(", 3 times in a row");
  expect(server.asked.length).toBe(3);
});

test("redirects to where it may: followed, but not for ever", async () => {
  const one = newTry();
  const server = await serve(file, { redirect: "/elsewhere" });
  await whole(one, server);
  expect(server.asked.map(({ url }) => url)).toEqual(["/model.gguf", "/elsewhere"]);
  const round = await serve(file, ...Array.from({ length: 9 }, () => ({ redirect: "/again" })));
  await expect(newTry().go([round.url])).rejects.toThrow("it redirects more than 5 times");
});

test("what lies there and is longer than the file, or is not its beginning", async () => {
  for (const content of [randomBytes(file.length + 1), randomBytes(file.length), randomBytes(1000)]) {
    const one = newTry();
    writeFileSync(one.part, content);
    await whole(one, await serve(file));
  }
});

test("a server that is asked too often says when to come again", async () => {
  const one = newTry();
  const server = await serve(file, { status: 429, retry_after_s: 0 });
  await whole(one, server);
  expect(one.said.join()).toContain("it answers with status 429; asked again after 0 ms");
});

test("nobody there", async () => {
  const one = newTry();
  const server = await serve(file);
  const { url } = server;
  server.close();
  await expect(one.go([url])).rejects.toThrow(/3 times in a row$/);
  expect(left(one)).toEqual([]);
});
