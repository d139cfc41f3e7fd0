import { expect, test } from "bun:test";
import { fakeSystem } from "../../sys/fake.ts";
import { dataWatcher } from "./data-watch.ts";
import { testBoot } from "./testing.ts";

const hour_ms = 3_600_000;
const detail = '"/dev/vdb1", 510 MiB';

/** A partition that is well at the first look and shut down at the second. */
function shutDown({ mended, uptime_ms }: { readonly mended: boolean; readonly uptime_ms: number }) {
  const boot = testBoot(fakeSystem(mended ? [{ call: "clock.nowMs", args: ["boottime"], returns: uptime_ms }] : []));
  boot.state.data = { persistent: true, mount: "/var/lib/aios", device: "/dev/vdb1", detail, mended };
  let looks = 0;
  const look = dataWatcher(
    boot,
    () => {
      looks += 1;
      return looks > 1;
    },
    (work) => work(),
  );
  expect(look()).toBe(false);
  expect([boot.told.degradations.size, boot.told.shutdowns]).toEqual([0, []]);
  expect(look()).toBe(true);
  return boot.told;
}

test("a file system that was shut down is mended by a restart, and that is said", () => {
  const { degradations, shutdowns } = shutDown({ mended: false, uptime_ms: 0 });
  expect(degradations.get("data")).toContain("was shut down by the kernel");
  expect(shutdowns).toEqual([expect.stringMatching(/^reboot: .*a start checks and mends it$/)]);
});

test("one that had been mended at this start is left to a person, but for one that was well for hours", () => {
  const soon = shutDown({ mended: true, uptime_ms: hour_ms });
  expect(soon.degradations.get("data")).toContain("it had been mended at this start");
  expect(soon.shutdowns).toEqual([]);
  expect(shutDown({ mended: true, uptime_ms: 7 * hour_ms }).shutdowns).toHaveLength(1);
});
