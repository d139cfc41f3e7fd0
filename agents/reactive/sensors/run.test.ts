import { expect, test } from "bun:test";
import { Ids } from "../ids.ts";
import { runSensors } from "./run.ts";

test("a disk that cannot be asked about is said, not passed over", async () => {
  const blind = runSensors({
    ids: new Ids("0badcafe-0000-4000-8000-000000000000", 0),
    boot_ms: () => 1,
    status: () => Promise.reject(new Error("PID 1 does not answer")),
    emit: () => {},
    measured: () => {},
  });
  await Bun.sleep(1);
  expect(blind()).toEqual(["the disk sensor is blind: PID 1 does not answer"]);
});
