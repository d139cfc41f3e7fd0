import { expect, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../sys/testing.ts";
import { freeBytes } from "./reclaim.ts";

test("the kernel is asked to drop what is clean, and the gain is told", async () => {
  const value = await valueInNamespaces(
    `
    sys.mount.mount({ source: "run", target: "/run", type: "tmpfs" });
    writeFileSync("/run/drop_caches", "");
    sys.mount.mount({ source: "/run/drop_caches", target: "/proc/sys/vm/drop_caches", flags: ["bind"], type: "none" });
    const freed = await reclaim();
    console.log(JSON.stringify([freed >= 0, readFileSync("/run/drop_caches", "utf8")]));
    `,
    {
      imports: `
import { readFileSync, writeFileSync } from "node:fs";
import { reclaim } from ${JSON.stringify(join(import.meta.dir, "reclaim.ts"))};
`,
    },
  );
  expect(value).toEqual([true, "3"]);
});

test("free memory is read from /proc/meminfo", () => {
  expect(freeBytes("MemTotal:  9 kB\nMemFree:  4 kB\n")).toBe(4096);
  expect(freeBytes("nonsense")).toBe(0);
});
