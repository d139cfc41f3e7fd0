import { expect, test } from "bun:test";
import { Ids } from "../shared/ids.ts";
import { bundled_alarms } from "./alarms/index.ts";
import { loadAlarms } from "./alarms/load.ts";
import { runSensors, type SensorPorts } from "./run.ts";

const ports: SensorPorts = {
  ids: new Ids("reactive", "0badcafe-0000-4000-8000-000000000000", 0),
  boot_ms: () => 1,
  status: () => Promise.reject(new Error("PID 1 does not answer")),
  services: () => Promise.reject(new Error("PID 1 does not answer")),
  ask: () => Promise.reject(new Error("the broker is away")),
  alarms: [],
  pace: 1,
  emit: () => {},
  measured: () => {},
};

test("a disk that cannot be asked about is said, not passed over", async () => {
  const sensing = runSensors(ports);
  const blind = ["disk", "services", "system"].map((name) => `the ${name} sensor is blind: PID 1 does not answer`);
  while (sensing.blind().length < blind.length) await Bun.sleep(1);
  expect([...sensing.blind()].sort()).toEqual(blind);
});

test("what nobody has set up is said and is no fault, and the alarms of it stay", async () => {
  const missing = 'asking fs.stat failed: resolving "/x" failed: there is nothing (ENOENT); list the folder';
  const changes: string[] = [];
  const sensing = runSensors({
    ...ports,
    ask: () => Promise.reject(new Error(missing)),
    alarms: loadAlarms(bundled_alarms).loaded,
    pace: 60,
    emit: (event) => event.kind === "alarm.changed" && changes.push(`${event.facts.alarm} ${event.facts.raised}`),
  });
  sensing.adopt({
    ...{ id: "0badcafe-reactive-1", time_ms: 0, boot_ms: 0, source: "reactive", severity: "warning", kind: "alarm.changed" },
    facts: { alarm: "package-vulnerable", subject: "openssl", raised: true, value: 1, limit: 1, stood_ms: 0, detail: "" },
  });
  while (sensing.remarks().length === 0) await Bun.sleep(5);
  expect(sensing.remarks()).toEqual([expect.stringContaining("advisories.json is not there; the runbook fetch-advisories")]);
  expect(sensing.blind().filter((one) => one.includes("the advisories sensor"))).toEqual([]);
  expect([sensing.standing(), changes]).toEqual([["package-vulnerable of openssl"], []]);
}, 60_000);
