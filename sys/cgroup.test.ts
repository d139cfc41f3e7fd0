import { expect, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "./testing.ts";

test("a cgroup has its limits, and what the kernel lacks is named", async () => {
  const value = await valueInNamespaces(
    `
    sys.mount.mount({ source: "test", target: cgroup_root, type: "tmpfs" });
    const without = makeCgroup(cgroup_root + "/tiers/a", {});
    mkdirSync(cgroup_root + "/tiers/a", { recursive: true });
    writeFileSync(cgroup_root + "/tiers/a/cgroup.procs", "");
    for (const file of ["memory.max", "pids.max", "memory.oom.group"]) writeFileSync(cgroup_root + "/tiers/a/" + file, "max");
    const made = makeCgroup(cgroup_root + "/tiers/a", { memory_max_bytes: 4096, pids_max: 9, cpu_weight: 50 });
    const text = (file) => readFileSync(cgroup_root + "/tiers/a/" + file, "utf8");
    const told = { without, ...made, memory: text("memory.max"), pids: text("pids.max"), group: text("memory.oom.group") };
    const again = makeCgroup(cgroup_root + "/tiers/a", { pids_max: 10 }).missing;
    console.log(JSON.stringify({ ...told, again: [again, text("memory.max"), text("pids.max")] }));
    `,
    {
      imports: `
const cgroup_root = "/sys/fs/cgroup";
import { makeCgroup } from ${JSON.stringify(join(import.meta.dir, "cgroup.ts"))};
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
`,
    },
  );
  expect(value).toEqual({
    without: null,
    path: "/sys/fs/cgroup/tiers/a",
    missing: ["cpu.weight"],
    memory: "4096",
    pids: "9",
    group: "1",
    // what a definition does not limit any more is not limited
    again: [[], "max", "10"],
  });
});
