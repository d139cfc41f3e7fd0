/** fs.mount and fs.unmount, in mount namespaces of their own. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../../sys/testing.ts";
import { testPlaces } from "../../testing/context.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
afterAll(() => tests.remove());
const limit_ms = 60_000;

const head = `
  import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
  import { testPlaces, callTool } from ${JSON.stringify(join(import.meta.dir, "../../testing/context.ts"))};
  import { undoneFromEverywhere } from ${JSON.stringify(join(import.meta.dir, "../../testing/undo.ts"))};
  import { readMounts } from ${JSON.stringify(join(import.meta.dir, "../../paths/mounts.ts"))};
  import { mount } from ${JSON.stringify(join(import.meta.dir, "mount.ts"))};
  import { unmount } from ${JSON.stringify(join(import.meta.dir, "unmount.ts"))};
  const tests = testPlaces();
  const root = tests.work;
  const at = (name) => root + "/" + name;
  for (const name of ["target", "source/inner", "second"]) mkdirSync(at(name), { recursive: true });
  writeFileSync(at("source/file"), "content");
  const point = (path) => readMounts().filter((one) => one.point === path);
  const say = (tool, input) => callTool(tool, input, tests.context()).then(() => "done", (error) => error.message.replaceAll(root, "ROOT"));
  const end = (value) => { tests.remove(); console.log(JSON.stringify(value)); };
`;

test(
  "tmpfs and bind mounts, without setuid, devices and programs; back from everywhere",
  async () => {
    const value = await valueInNamespaces(`${head}
    const points = [
      await undoneFromEverywhere(tests, mount, { type: "tmpfs", target: at("target"), size_bytes: 1048576 }, root),
      await undoneFromEverywhere(tests, mount, { type: "bind", source: at("source"), target: at("target"), read_only: true }, root),
    ];
    const bound = await callTool(mount, { type: "bind", source: at("source"), target: at("target"), read_only: true }, tests.context());
    const seen = readFileSync(at("target/file"), "utf8");
    let written = "yes"; try { writeFileSync(at("target/x"), ""); } catch (error) { written = error.code; }
    const options = point(at("target"))[0].options;
    const source = [];
    const target = await unmount.resolve(unmount.input.parse({ path: at("target") }), tests.context());
    source.push(target.resources.map(({ id }) => id.slice(root.length)), unmount.riskOf({}, target));
    target.close();
    const unpoints = await undoneFromEverywhere(tests, unmount, { path: at("target") }, at("source"));
    const again = [point(at("target"))[0].options, readFileSync(at("target/file"), "utf8")];
    await bound.undo();
    end({ points, seen, written, options, source, unpoints, again, left: point(at("target")).length });
  `);
    expect(value).toMatchObject({
      ...{ seen: "content", written: "EROFS", left: 0, unpoints: 1 },
      options: expect.arrayContaining(["ro", "nosuid", "nodev", "noexec"]),
      source: [["/target", "/source"], "reversible"],
      again: [expect.arrayContaining(["ro", "nosuid", "nodev", "noexec"]), "content"],
    });
  },
  limit_ms,
);

test(
  "a device with a file system; unmounted and mounted again with its options",
  async () => {
    const value = await valueInNamespaces(`${head}
    const image = at("image");
    Bun.spawnSync(["truncate", "-s", "8M", image]);
    Bun.spawnSync(["mke2fs", "-q", "-t", "ext4", image]);
    const device = Bun.spawnSync(["losetup", "--find", "--show", image]).stdout.toString().trim();
    try {
      const made = await callTool(mount, { type: "ext4", source: device, target: at("target"), allow_exec: true }, tests.context());
      writeFileSync(at("target/kept"), "kept");
      const away = await callTool(unmount, { path: at("target") }, tests.context());
      const gone = existsSync(at("target/kept"));
      await away.undo();
      const back = readFileSync(at("target/kept"), "utf8");
      const options = point(at("target"))[0].options;
      const hold = sys.descriptor.open(at("target/kept"), ["read"]);
      const busy = await say(unmount, { path: at("target") });
      sys.descriptor.close(hold);
      await made.undo();
      end({ gone, back, options, busy, left: point(at("target")).length });
    } finally {
      Bun.spawnSync(["losetup", "--detach", device]);
    }
  `);
    expect(value).toEqual({
      ...{ gone: false, back: "kept", left: 0 },
      options: ["rw", "nosuid", "nodev", "relatime"],
      busy: expect.stringContaining("it is in use"),
    });
  },
  limit_ms,
);

test(
  "a memory file system: unmounting it is final, and a full one is not taken back by the undo of its mount",
  async () => {
    const value = await valueInNamespaces(`${head}
    const made = await callTool(mount, { type: "tmpfs", target: at("target"), size_bytes: 1048576 }, tests.context());
    writeFileSync(at("target/only"), "here");
    const undone = await made.undo().then(() => "done", (error) => error.message);
    const target = await unmount.resolve(unmount.input.parse({ path: at("target") }), tests.context());
    const risk = unmount.riskOf({}, target);
    const { final } = unmount.preview(target);
    target.close();
    const still = existsSync(at("target/only"));
    const done = await say(unmount, { path: at("target") });
    end({ undone, risk, final: final.length, still, done });
  `);
    expect(value).toMatchObject({
      undone: expect.stringContaining('holds "only"'),
      risk: "irreversible",
      final: 1,
      still: true,
      done: "done",
    });
  },
  limit_ms,
);

test(
  "refusals, with nothing done",
  async () => {
    const value = await valueInNamespaces(`${head}
    const before = readMounts().length;
    writeFileSync(at("plain"), "");
    const { data, broker } = tests.places;
    const messages = [
      await say(mount, { type: "tmpfs", target: at("target") }),
      await say(mount, { type: "tmpfs", target: at("target"), source: "/x", size_bytes: 65536 }),
      await say(mount, { type: "ext4", target: at("target") }),
      await say(mount, { type: "ext4", source: at("plain"), target: at("target") }),
      await say(mount, { type: "ext4", source: "/dev/null", target: at("target") }),
      await say(mount, { type: "bind", source: at("source"), target: at("plain") }),
      await say(mount, { type: "bind", source: broker, target: at("target") }),
      await say(mount, { type: "tmpfs", target: data, size_bytes: 65536 }),
      await say(mount, { type: "tmpfs", target: "/", size_bytes: 65536 }),
      await say(mount, { type: "nfs", source: "host:/x", target: at("target") }),
      await say(unmount, { path: at("target") }),
      await say(unmount, { path: "/proc" }),
      await say(unmount, { path: "/" }),
    ];
    end({ messages, changed: readMounts().length - before });
  `);
    const { messages, changed } = value as { messages: string[]; changed: number };
    expect(changed).toBe(0);
    for (const [index, cause] of [
      ...["give size_bytes", "has no source", "give the source", "no block device of /dev", "no block device of /dev", "a file on a file"],
      ...[
        "belongs to the broker",
        "hide the broker's own folder",
        "over the root",
        "Invalid",
        "no mount point",
        "the system itself needs it",
      ],
      "the system itself needs it",
    ].entries())
      expect(messages[index]).toContain(cause);
  },
  limit_ms,
);
