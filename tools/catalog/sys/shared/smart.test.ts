import { expect, test } from "bun:test";
import { readSmart } from "./smart.ts";

const base = { smartctl: { exit_status: 0 }, model_name: "M", serial_number: "S" };
const read = (told: object) => readSmart(JSON.stringify({ ...base, ...told }));
const attribute = (id: number, raw: number, rest: object = {}) => ({
  ...{ id, name: "n", value: 100, worst: 100, thresh: 10, when_failed: "", flags: { prefailure: true } },
  raw: { value: raw, string: String(raw) },
  ...rest,
});

test("every warning of an NVMe drive has its words, and one is enough to fail", () => {
  for (let bit = 0; bit < 6; bit += 1) {
    const { health, findings } = read({
      smart_status: { passed: true },
      nvme_smart_health_information_log: { critical_warning: 1 << bit, percentage_used: 3, media_errors: 0 },
    });
    expect([health, findings.length]).toEqual(["failing", 1]);
  }
  const well = { critical_warning: 0, percentage_used: 103, media_errors: 7 };
  expect(
    read({
      smart_status: { passed: true },
      nvme_smart_health_information_log: well,
      temperature: { current: 41 },
      power_on_time: { hours: 9 },
    }),
  ).toEqual({
    ...{ model: "M", serial: "S", health: "good", findings: [] },
    ...{ temperature_c: 41, worn_ratio: 1.03, power_on_hours: 9, bad_sectors: 7 },
  });
});

test("an ATA disk fails by its own word, or by an attribute that announces it; one of age does not count, bad sectors are added up", () => {
  const table = [attribute(5, 3), attribute(197, 2), attribute(198, 0), attribute(9, 12_000)];
  expect(read({ smart_status: { passed: true }, ata_smart_attributes: { table } })).toMatchObject({ health: "good", bad_sectors: 5 });
  const at_its_end = { value: 5, when_failed: "now" };
  expect(read({ smart_status: { passed: true }, ata_smart_attributes: { table: [attribute(5, 900, at_its_end)] } })).toMatchObject({
    health: "failing",
    findings: ["its attribute 5 is at 5, and 10 means failure"],
  });
  const of_age = { ...at_its_end, flags: { prefailure: false } };
  expect(read({ smart_status: { passed: true }, ata_smart_attributes: { table: [attribute(9, 1, of_age)] } }).health).toBe("good");
  expect(read({ smart_status: { passed: false } })).toMatchObject({ health: "failing", findings: ["it says of itself that it fails"] });
});

test("a drive that does not tell is not called well, and why is said", () => {
  const messages = [{ string: "/dev/sdb: Unknown USB bridge [0x46f4:0x0001]", severity: "error" }];
  expect(read({ smartctl: { exit_status: 1, messages } })).toMatchObject({ health: "unknown", findings: [messages[0]?.string] });
  expect(read({ smartctl: { exit_status: 2 } }).findings).toEqual(["it sleeps, or could not be opened"]);
  expect(read({}).findings).toEqual(["it tells nothing of its health"]);
});

test("what is no output of smartctl is refused", () => {
  expect(() => readSmart("")).toThrow();
  expect(() => readSmart('{"smartctl": {}}')).toThrow("smartctl said what cannot be understood");
});
