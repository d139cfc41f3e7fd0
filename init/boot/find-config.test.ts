/** Where the config comes from and what becomes of it, on a /sys of its own in a mount namespace. */

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { fakeSystem } from "../../sys/fake.ts";
import { valueInNamespaces } from "../../sys/testing.ts";
import { use } from "./find-config.ts";
import { testBoot } from "./testing.ts";

const here = (name: string): string => JSON.stringify(join(import.meta.dir, name));

/** What the phase makes of this text, handed over by QEMU's fw_cfg; null: there is none. */
function taken(text: string | null): Promise<unknown> {
  const source = `
    sys.mount.mount({ source: "sys", target: "/sys", type: "tmpfs" });
    const text = ${JSON.stringify(text)};
    const folder = "/sys/firmware/qemu_fw_cfg/by_name/opt/aios/aios.yaml";
    if (text !== null) { mkdirSync(folder, { recursive: true }); writeFileSync(folder + "/raw", text); }
    const boot = testBoot(sys);
    const { outcome, detail, degradation } = await machineConfig.run(boot);
    console.log(JSON.stringify({ outcome, detail, todo: degradation?.todo, hostname: boot.state.config.hostname }));
  `;
  return valueInNamespaces(source, {
    imports: `
import { mkdirSync, writeFileSync } from "node:fs";
import { machineConfig } from ${here("find-config.ts")};
import { testBoot } from ${here("testing.ts")};
`,
  });
}

describe("the machine config", () => {
  test("a good one by fw_cfg holds", async () => {
    expect(await taken("hostname: lighthouse\n")).toEqual({
      outcome: "done",
      detail: 'from QEMU fw_cfg "opt/aios/aios.yaml"',
      hostname: "lighthouse",
    });
  });

  test("a bad one is not used, and is said with line, key and what to do", async () => {
    expect(await taken("hostname: lighthouse\nwatchdog:\n  timeout_s: soon\n")).toEqual({
      outcome: "degraded",
      detail: expect.stringMatching(/^QEMU fw_cfg .* is not used, the defaults hold: line 3, key "watchdog\.timeout_s": /),
      todo: "correct aios.yaml and reboot",
      hostname: "aios",
    });
  });

  test("a stick that cannot be read is said, although another config is found behind it, which holds", async () => {
    const boot = testBoot(fakeSystem([]));
    const found = { where: '"aios.yaml" on "/dev/vda1"', bytes: new TextEncoder().encode("hostname: lighthouse\n") };
    const problem = '"/dev/sda1" is labelled "AIOS-CONFIG" but holds exfat; use vfat, ext4, erofs';
    expect(await use(boot, found, [problem])).toEqual({
      outcome: "degraded",
      detail: `"aios.yaml" on "/dev/vda1" holds, for what comes before it could not be read: ${problem}`,
      degradation: expect.objectContaining({ what: "machine config", todo: expect.stringContaining("pull the stick out") }),
    });
    expect(boot.state.config.hostname).toBe("lighthouse");
  });

  test("none anywhere is no trouble", async () => {
    expect(await taken(null)).toEqual({ outcome: "done", detail: "no aios.yaml anywhere: the defaults hold", hostname: "aios" });
  });
});
