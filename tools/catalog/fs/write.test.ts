/** Writing: atomic, exact in what it keeps, taken back from wherever it was cut off. */

import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { valueInNamespaces } from "../../../sys/testing.ts";
import { callTool, testPlaces } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { readTree } from "../../testing/tree.ts";
import { undoneFromEverywhere } from "../../testing/undo.ts";
import { write } from "./write.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys } = tests;
afterAll(() => tests.remove());
let root = "";
let path = "";
beforeEach(() => {
  root = mkdtempSync(join(tests.work, "w-"));
  path = join(root, "file");
});

/** An old file with everything on it that has to survive. */
function decorated(): void {
  writeFileSync(path, "old content\n");
  decorate(sys, path);
}

describe("what it does", () => {
  test("creates with the mode and owner that are asked for", async () => {
    const { output } = await callTool(write, { path, content: "ü", how: "create", mode: "0600", uid: 7, gid: 8 }, tests.context());
    expect(output).toEqual({ path, created: true, size_bytes: 2, sha256: new Bun.CryptoHasher("sha256").update("ü").digest("hex") });
    expect(statSync(path)).toMatchObject({ uid: 7, gid: 8 });
    expect(statSync(path).mode & 0o7777).toBe(0o600);
    expect(readdirSync(root)).toEqual(["file"]);
  });

  test("replaces content and keeps mode, owner, ACL and attributes, but no privileges", async () => {
    decorated();
    const before = readTree(sys, root)["file"];
    await callTool(write, { path, content: "new", how: "replace" }, tests.context());
    const after = readTree(sys, root)["file"];
    expect(readFileSync(path, "utf8")).toBe("new");
    const { "security.capability": _capability, ...attributes } = before?.attributes ?? {};
    expect(Object.keys(attributes).sort()).toEqual(["system.posix_acl_access", "user.note"]);
    expect(after).toMatchObject({ mode: "774", owner: "12:34", attributes });
    expect(after?.attributes["security.capability"]).toBeUndefined();
  });

  test("bytes by base64, through a link, and appending in place", async () => {
    writeFileSync(path, "a");
    symlinkSync("file", join(root, "link"));
    const inode = statSync(path).ino;
    await callTool(write, { path: join(root, "link"), content: "/wA=", encoding: "base64", how: "append" }, tests.context());
    expect([...readFileSync(path)]).toEqual([97, 255, 0]);
    expect(statSync(path).ino).toBe(inode);
    await callTool(write, { path: join(root, "link"), content: "whole", how: "write" }, tests.context());
    expect(readFileSync(path, "utf8")).toBe("whole");
    expect(statSync(path).ino).not.toBe(inode);
    expect(readdirSync(root).sort()).toEqual(["file", "link"]);
  });
});

describe("the way back", () => {
  test("of a new file", async () =>
    expect(await undoneFromEverywhere(tests, write, { path, content: "x", how: "create" }, root)).toBeGreaterThan(4));

  test("of a replaced one, as the very inode", async () => {
    decorated();
    const inode = statSync(path).ino;
    expect(await undoneFromEverywhere(tests, write, { path, content: "new", how: "replace" }, root)).toBeGreaterThan(6);
    expect(statSync(path).ino).toBe(inode);
  });

  test("of one that had to be copied: other links to it stay what they are", async () => {
    decorated();
    linkSync(path, join(tests.work, `elsewhere-${Date.now()}`));
    const before = readTree(sys, root);
    const { undo } = await callTool(write, { path, content: "new", how: "write", break_links: true }, tests.context());
    await undo();
    await undo();
    const file = before["file"];
    if (file === undefined) throw new Error("there is no file");
    expect(readTree(sys, root)).toEqual({ ...before, file: { ...file, links: 1 } });
  });

  test("of an appended one", async () => {
    decorated();
    expect(await undoneFromEverywhere(tests, write, { path, content: "more", how: "append" }, root)).toBe(2);
  });

  test("of any sequence of writes, newest first (property)", async () => {
    const one = fc.record({
      how: fc.constantFrom("write", "append"),
      content: fc.string({ maxLength: 40 }),
      mode: fc.constantFrom("0600", "0755"),
    });
    await fc.assert(
      fc.asyncProperty(fc.option(fc.string({ maxLength: 20 })), fc.array(one, { minLength: 1, maxLength: 5 }), async (first, writes) => {
        const folder = mkdtempSync(join(root, "p-"));
        const at = join(folder, "f");
        if (first !== null) writeFileSync(at, first);
        const undos: { readonly tree: unknown; readonly undo: () => Promise<void> }[] = [];
        for (const { how, content, mode } of writes) {
          const tree = readTree(sys, folder);
          const input = how === "append" && existsSync(at) ? { path: at, content, how } : { path: at, content, how: "write", mode };
          const { undo } = await callTool(write, input, tests.context());
          undos.push({ tree, undo });
        }
        for (const { tree, undo } of undos.reverse()) {
          await undo();
          expect(readTree(sys, folder)).toEqual(tree as ReturnType<typeof readTree>);
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test("is refused when somebody else has written since, and nothing is lost", async () => {
    writeFileSync(path, "old");
    const replaced = await callTool(write, { path, content: "new", how: "replace" }, tests.context());
    writeFileSync(path, "theirs");
    await expect(replaced.undo()).rejects.toThrow("was changed by something else since");
    const appended = await callTool(write, { path, content: "+", how: "append" }, tests.context());
    writeFileSync(path, "theirs, longer");
    await expect(appended.undo()).rejects.toThrow("written behind it since");
    expect(readFileSync(path, "utf8")).toBe("theirs, longer");
    const created = await callTool(write, { path: `${path}2`, content: "x", how: "create" }, tests.context());
    renameSync(root, `${root}-moved`);
    mkdirSync(root);
    await expect(created.undo()).rejects.toThrow("folder was replaced by another one");
  });
});

describe("refused with nothing done", () => {
  const refused = async (input: unknown, cause: string): Promise<void> => {
    const before = readTree(sys, tests.work);
    let message = "";
    try {
      await callTool(write, input, tests.context());
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(cause);
    expect(readTree(sys, tests.work)).toEqual(before);
  };

  test("what does not fit", async () => {
    writeFileSync(path, "there");
    mkdirSync(join(root, "folder"));
    Bun.spawnSync(["mkfifo", join(root, "pipe")]);
    symlinkSync("nowhere", join(root, "dangling"));
    linkSync(path, join(root, "twin"));
    await refused({ path, content: "x", how: "create" }, "there is something already");
    await refused({ path: `${path}2`, content: "x", how: "replace" }, "nothing to replace");
    await refused({ path: join(root, "folder"), content: "x", how: "write" }, "is a folder, not a file");
    await refused({ path: join(root, "pipe"), content: "x", how: "write" }, "is a named pipe");
    await refused({ path: join(root, "dangling"), content: "x", how: "write" }, "leads nowhere");
    await refused({ path: join(root, "none/x"), content: "x", how: "write" }, "does not exist");
    await refused({ path, content: "x", how: "replace" }, "2 names (hard links)");
    await refused({ path: "/dev/null", content: "x", how: "write" }, "is a character device");
    await refused({ path: "/proc/sys/kernel/hostname", content: "x", how: "write" }, "a window on the kernel");
    await refused({ path: "/proc/self/root/tmp/x", content: "x", how: "write" }, "magic link");
    await refused({ path: tests.places.broker, content: "x", how: "write" }, "belongs to the broker");
    await refused({ path: `${path}2`, content: "x!", encoding: "base64", how: "create" }, "is not base64");
    await refused({ path: `${path}2`, content: "\ud800", how: "create" }, "surrogate");
    await refused({ path: `${path}2`, content: "x", how: "create", mode: "4755" }, "setuid or setgid");
    await refused({ path: `${path}2`, content: "x", how: "create", mode: "9" }, "octal");
    await refused({ path: `${path}2`, content: "x", how: "create", more: 1 }, "more");
    await refused({ path: `${path}2`, content: "x".repeat(120_001), how: "create" }, "content");
    await refused({ path, content: "x", how: "append", mode: "0644" }, "use fs.chmod");
    await refused({ path: `${root}/${"n".repeat(256)}`, content: "x", how: "create" }, "longer than 255");
  });

  test("a full disk, a read-only mount: nothing is left", async () => {
    const value = await valueInNamespaces(`
      import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
      import { testPlaces, callTool } from ${JSON.stringify(join(import.meta.dir, "../../testing/context.ts"))};
      import { write } from ${JSON.stringify(join(import.meta.dir, "write.ts"))};
      const at = ${JSON.stringify(join(root, "mnt"))};
      mkdirSync(at);
      sys.mount.mount({ source: "t", target: at, type: "tmpfs", data: "size=64k" });
      const tests = testPlaces();
      const say = async (input) => { try { await callTool(write, input, tests.context()); return "done"; } catch (error) { return error.message; } };
      writeFileSync(at + "/small", "small");
      const full = await say({ path: at + "/small", content: "x".repeat(100000), how: "replace" });
      const left = [readdirSync(at), readFileSync(at + "/small", "utf8")];
      sys.mount.mount({ source: "t", target: at, type: "", flags: ["remount", "ro"] });
      const ro = await say({ path: at + "/small", content: "y", how: "replace" });
      tests.remove();
      console.log(JSON.stringify({ full, left, ro }));
    `);
    expect(value).toEqual({
      full: `writing "${root}/mnt/small" failed: the file system is full (ENOSPC); fs.usage shows what takes the room`,
      left: [["small"], "small"],
      ro: expect.stringContaining("is mounted read-only"),
    });
  });
});

describe("races", () => {
  test("a file that is exchanged between resolving and running is left as it is", async () => {
    writeFileSync(path, "old");
    const call = callTool(write, { path, content: "new", how: "replace" }, tests.context(), {
      before_run: () => {
        writeFileSync(`${path}2`, "intruder");
        renameSync(`${path}2`, path);
      },
    });
    await expect(call).rejects.toThrow("changed meanwhile");
    await call.catch(() => {});
    expect(readFileSync(path, "utf8")).toBe("intruder");
    expect(readdirSync(root)).toEqual(["file"]);
  });

  test("a folder swapped for a link in a loop: the secret behind the link is never written", async () => {
    const secret = join(root, "secret");
    for (const name of ["real", "secret"]) mkdirSync(join(root, name));
    writeFileSync(join(secret, "file"), "secret");
    chmodSync(secret, 0o700);
    const swapper = Bun.spawn(
      [
        "python3",
        "-c",
        `
import os
os.chdir(${JSON.stringify(root)})
print("on",flush=True)
while True:
    try:
        os.rename("real","kept"); os.symlink("secret","real"); os.unlink("real"); os.rename("kept","real")
    except OSError: pass
`,
      ],
      { stdout: "pipe" },
    );
    await swapper.stdout.getReader().read();
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const context = tests.context();
      const input = write.input.parse({ path: join(root, "real/file"), content: `round ${round}`, how: "write" });
      try {
        const target = await write.resolve(input, context);
        const allowed = target.resources.every(({ id }) => !id.startsWith(secret)); // what a policy would say
        if (allowed) {
          await write.snapshot?.(target, input, context);
          await write.run(target, input, context);
        } else refused += 1;
        target.close?.();
      } catch {
        refused += 1;
      }
    }
    swapper.kill("SIGKILL");
    await swapper.exited;
    expect(refused).toBeGreaterThan(0);
    expect(readFileSync(join(secret, "file"), "utf8")).toBe("secret");
  }, 60_000);
});
