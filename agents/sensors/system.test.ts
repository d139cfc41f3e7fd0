import { expect, test } from "bun:test";
import type { SystemStatus } from "../../contracts/init.ts";
import { systemFigures } from "./system.ts";

type Told = Parameters<typeof systemFigures>[0];
const well: Told = {
  mode: "machine",
  data: { persistent: true, mount: "/var/lib/aios", detail: "on /dev/vda4", used_bytes: 1, size_bytes: 2, inodes_used: 1, inodes: 2 },
  clock: { from: "battery clock", servers: ["192.0.2.1", "192.0.2.2"], synchronised: true, error_ms: 3 },
};
const values = (told: Told): Record<string, number> =>
  Object.fromEntries(systemFigures(told).map(({ figure, subject, value }) => [`${figure} of ${subject}`, value]));
const clock = (more: Partial<SystemStatus["clock"]>): Told => ({ ...well, clock: { ...well.clock, ...more } });

test("data that are not kept are told of a machine; in a container they are where whoever started it wants them", () => {
  const lost: Told = { ...well, data: { ...well.data, persistent: false, detail: "in memory: no data partition was found" } };
  expect(values(well)).toMatchObject({ "data.temporary of /var/lib/aios": 0 });
  expect(values(lost)).toMatchObject({ "data.temporary of /var/lib/aios": 1 });
  expect(systemFigures(lost)[0]?.detail).toBe("in memory: no data partition was found");
  expect(Object.keys(values({ ...lost, mode: "container" }))).toEqual(["clock.unsynchronised of clock"]);
});

test("a clock that no time server keeps, where there are such; offline is normal", () => {
  expect(values(well)).toMatchObject({ "clock.unsynchronised of clock": 0 });
  expect(values(clock({ synchronised: false, error_ms: null }))).toMatchObject({ "clock.unsynchronised of clock": 1 });
  expect(systemFigures(well).at(-1)?.detail).toBe("2 time servers are known");
  for (const synchronised of [true, false])
    expect(Object.keys(values(clock({ servers: [], synchronised })))).toEqual(["data.temporary of /var/lib/aios"]);
});
