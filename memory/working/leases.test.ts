import { expect, test } from "bun:test";
import { openInRam } from "../../wire/database.ts";
import { seeded } from "../../wire/seeded.ts";
import { memory_file } from "../store/migrations.ts";
import { Leases, type Moment } from "./leases.ts";

const at = (boot_ms: number, boot = "0badcafe"): Moment => ({ boot, boot_ms, time_ms: 0 });
const root = "0badcafe-incident-1";

test("one holds it until it is over, released, or the boot is another", () => {
  const leases = new Leases(openInRam(memory_file));
  expect(leases.acquire(root, "tactical/1", 1000, at(0))).toEqual({
    granted: true,
    lease: { root, holder: "tactical/1", fence: 1, left_ms: 1000 },
  });
  expect(leases.acquire(root, "strategic/1", 1000, at(999))).toEqual({
    granted: false,
    lease: { root, holder: "tactical/1", fence: 1, left_ms: 1 },
  });
  expect(leases.renew(root, "tactical", 1, 1000, at(999))).toBe(true);
  expect(leases.acquire(root, "strategic/1", 1000, at(1998)).granted).toBe(false);
  expect(leases.acquire(root, "strategic/1", 1000, at(1999))).toMatchObject({ granted: true, lease: { fence: 2 } });
  expect(leases.renew(root, "tactical", 1, 1000, at(2000))).toBe(false);
  expect(leases.release(root, "tactical", 2, at(2000))).toBe(false);
  expect(leases.release(root, "strategic", 2, at(2000))).toBe(true);
  expect(leases.acquire(root, "tactical/2", 500_000, at(2000))).toMatchObject({ granted: true, lease: { fence: 3 } });
  expect(leases.all(at(2001))).toHaveLength(1);
  // a new boot: its clock begins below the old expiry
  expect(leases.of(root, at(10, "deadbeef"))).toBeNull();
  expect(leases.acquire(root, "tactical/1", 1000, at(10, "deadbeef"))).toMatchObject({ granted: true, lease: { fence: 4 } });
});

test("a process that was started again gets its own lease anew, and what the one before did under it is refused", () => {
  const leases = new Leases(openInRam(memory_file));
  leases.acquire(root, "tactical/1", 1000, at(0));
  expect(leases.acquire(root, "tactical/2", 1000, at(1)).granted).toBe(false);
  expect(leases.acquire(root, "tactical/1", 1000, at(2))).toMatchObject({ granted: true, lease: { fence: 2 } });
  expect(leases.renew(root, "tactical", 1, 1000, at(3))).toBe(false);
});

test.each([1, 2, 3])("never two at once, fences only grow: random holders on a random clock, seed %d", (seed) => {
  const random = seeded(seed);
  const leases = new Leases(openInRam(memory_file));
  let now = at(0);
  let boots = 0;
  let model: { holder: string; fence: number; until: number; boot: string } | null = null;
  let largest = 0;
  for (let n = 0; n < 3000; n += 1) {
    // no boot id comes twice
    if (random() < 0.01) now = at(random() * 100, String(++boots).padStart(8, "0"));
    else now = at(now.boot_ms + random() * 300, now.boot);
    if (model !== null && (model.boot !== now.boot || model.until <= now.boot_ms)) model = null;
    const service = ["tactical", "strategic", "operational"][Math.floor(random() * 3)] ?? "";
    const ttl = 100 + random() * 900;
    const action = random();
    if (action < 0.6) {
      const holder = `${service}/${Math.floor(random() * 2)}`;
      const { granted, lease } = leases.acquire(root, holder, ttl, now);
      expect(granted).toBe(model === null || model.holder === holder);
      if (!granted) continue;
      expect(lease.fence).toBeGreaterThan(largest);
      largest = lease.fence;
      model = { holder, fence: lease.fence, until: now.boot_ms + ttl, boot: now.boot };
    } else {
      const fence = Math.max(1, largest - Math.floor(random() * 2));
      const valid: boolean = model !== null && model.fence === fence && model.holder.startsWith(`${service}/`);
      if (action < 0.8) {
        expect(leases.renew(root, service, fence, ttl, now)).toBe(valid);
        if (valid && model !== null) model.until = now.boot_ms + ttl;
      } else {
        expect(leases.release(root, service, fence, now)).toBe(valid);
        if (valid) model = null;
      }
    }
    expect(leases.of(root, now)?.fence ?? null).toBe(model?.fence ?? null);
  }
});
