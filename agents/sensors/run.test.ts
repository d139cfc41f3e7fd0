import { expect, test } from "bun:test";
import { Ids } from "../shared/ids.ts";
import { runSensors } from "./run.ts";

test("a disk that cannot be asked about is said, not passed over", async () => {
  const sensing = runSensors({
    ids: new Ids("reactive", "0badcafe-0000-4000-8000-000000000000", 0),
    boot_ms: () => 1,
    status: () => Promise.reject(new Error("PID 1 does not answer")),
    services: () => Promise.reject(new Error("PID 1 does not answer")),
    ask: () => Promise.reject(new Error("the broker is away")),
    alarms: [],
    pace: 1,
    emit: () => {},
    measured: () => {},
  });
  const blind = ["disk", "services", "system"].map((name) => `the ${name} sensor is blind: PID 1 does not answer`);
  while (sensing.blind().length < blind.length) await Bun.sleep(1);
  expect([...sensing.blind()].sort()).toEqual(blind);
});
