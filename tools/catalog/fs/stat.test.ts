/** Looking at a file: everything, to the nanosecond. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callTool, testPlaces } from "../../testing/context.ts";
import { decorate } from "../../testing/decorate.ts";
import { stat } from "./stat.ts";

setDefaultTimeout(60_000); // a machine may be busy

const tests = testPlaces();
const { sys, work } = tests;
afterAll(() => tests.remove());

test("tells everything, of links themselves too", async () => {
  const at = join(work, "decorated");
  writeFileSync(at, "12345");
  decorate(sys, at);
  symlinkSync("decorated", join(work, "link"));
  const { output } = await callTool(stat, { path: join(work, "link") }, tests.context());
  expect(output).toMatchObject({ path: at, type: "file", mode: "4774", uid: 12, gid: 34, links: 1, size_bytes: 5, link_to: null });
  expect(output).toMatchObject({ mtime: "2001-09-09T01:46:39.000000001Z", atime: "2005-03-18T01:58:31.111111111Z" });
  expect(Object.keys(output.extended).sort()).toEqual(["security.capability", "system.posix_acl_access", "user.note"]);
  const link = await callTool(stat, { path: join(work, "link"), follow: false }, tests.context());
  expect(link.output).toMatchObject({ path: join(work, "link"), type: "symlink", link_to: "decorated" });
  const device = await callTool(stat, { path: "/dev/null" }, tests.context());
  expect(device.output).toMatchObject({ type: "character-device", node: "1:3" });
  expect((await callTool(stat, { path: "/proc" }, tests.context())).output).toMatchObject({
    attributes: ["mount-root"],
    mount: { type: "proc" },
  });
});
