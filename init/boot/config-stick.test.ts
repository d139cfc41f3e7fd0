/** A config that is plugged in: what is said of it. And the wait for the USB bus, over trees that the test makes. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fakeSystem } from "../../sys/fake.ts";
import type { BlockDevice } from "./block.ts";
import { stickPulled, take } from "./config-stick.ts";
import { fw_cfg_where } from "./find-config.ts";
import { type TestBoot, testBoot } from "./testing.ts";
import { onTheWay } from "./usb.ts";

const device: BlockDevice = {
  path: "/dev/sdb1",
  name: "sdb1",
  disk: "sdb",
  part_number: 1,
  size_bytes: 1e9,
  read_only: false,
  part_type: null,
  part_name: null,
  table: null,
  type: "vfat",
  label: "AIOS-CONFIG",
  answers: true,
};

function boot(): TestBoot {
  return testBoot(fakeSystem([]));
}

const holding = (text: string) => async () => ({ where: '"aios.yaml" on "/dev/sdb1"', bytes: new TextEncoder().encode(text) });

function outcome(on: TestBoot): unknown {
  const last = on.told.events.at(-1);
  return last?.kind === "config.found" && "outcome" in last.facts ? last.facts.outcome : null;
}

describe("a config stick", () => {
  test("that is right takes effect at the next boot, and is forgotten when it is pulled out", async () => {
    const on = boot();
    await take(on, device, holding("hostname: other\n"));
    expect(outcome(on)).toBe("next-boot");
    expect(on.state.config.hostname).toBe("aios");
    expect(on.state.config_source.next?.detail).toContain("takes effect at the next boot");
    expect(on.told.degradations.size).toBe(0);
    stickPulled(on, "sdc");
    expect(on.state.config_source.next).not.toBeNull();
    stickPulled(on, "sdb1");
    expect(on.state.config_source.next).toBeNull();
  });

  test("that is wrong is named with line, key and reason; a right one takes that back", async () => {
    const on = boot();
    await take(on, device, holding("hostname: x\nnetwork:\n  dsn: []\n"));
    expect(outcome(on)).toBe("refused");
    expect(on.told.degradations.get("config stick")).toContain('line 3, key "network.dsn": there is no such key');
    await take(on, device, holding("hostname: y\n"));
    expect(on.told.degradations.size).toBe(0);
    await take(on, device, holding("hostname: [\n"));
    stickPulled(on, "sdb1");
    expect(on.told.degradations.size).toBe(0);
  });

  test("without the file says so", async () => {
    const on = boot();
    await take(on, device, async () => null);
    expect(on.told.degradations.get("config stick")).toContain("there is no aios.yaml on it");
  });

  test("that says what holds, or that comes second to fw_cfg, changes nothing", async () => {
    const on = boot();
    await take(on, device, holding("hostname: aios # as ever\n"));
    expect(outcome(on)).toBe("same");
    on.state.config_source.found = { where: fw_cfg_where, bytes: new Uint8Array() };
    await take(on, device, holding("hostname: other\n"));
    expect(outcome(on)).toBe("unused");
  });
});

describe("the USB bus", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "aios-usb-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function lay(files: Readonly<Record<string, string>>): string[] {
    for (const [path, text] of Object.entries(files)) {
      const file = join(root, "sys/bus/usb/devices", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${text}\n`);
    }
    return onTheWay(root);
  }

  test("is quiet when ports are empty or their devices are there", () => {
    expect(onTheWay(root)).toEqual([]);
    expect(lay({ "1-0:1.0/usb1-port1/state": "not attached", "1-0:1.0/usb1-port2/state": "configured" })).toEqual([]);
    expect(lay({ "1-2:1.0/bInterfaceClass": "03" })).toEqual([]);
  });

  test("is busy while a port finds a device, and while a stick has no disk yet", () => {
    expect(lay({ "1-0:1.0/usb1-port1/state": "default" })).toEqual(["usb1-port1"]);
    expect(lay({ "1-0:1.0/usb1-port1/state": "configured", "1-1:1.0/bInterfaceClass": "08" })).toEqual(["1-1:1.0"]);
    expect(lay({ "1-1:1.0/host2/target2:0:0/2:0:0:0/block/sda/size": "0" })).toEqual([]);
  });
});
