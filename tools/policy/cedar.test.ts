/** Cedar is there while somebody asks it, and gives its memory back after. */

import { expect, test } from "bun:test";
import { join } from "node:path";

test("who asks nothing for a while lets it go; who then asks has his answers, by a Cedar that is loaded anew", () => {
  const ran = Bun.spawnSync([process.execPath, join(import.meta.dir, "testing/let-go.ts")], { timeout: 170_000 });
  expect(ran.stderr.toString()).toBe("");
  expect(ran.stdout.toString()).toBe("[[true,false],[true,false,false]]");
}, 180_000);
