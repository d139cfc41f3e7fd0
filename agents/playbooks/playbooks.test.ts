import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Playbook } from "../../contracts/playbook.ts";
import { bundled_playbooks } from "./index.ts";
import { fitting, loadPlaybooks } from "./playbooks.ts";

const one = Playbook.parse({
  name: "one",
  alarms: ["runaway-process"],
  subject: "^pid:(?<pid>[0-9]+)@",
  does: "something",
  steps: [
    {
      tool: "process.priority",
      arguments: { process: "{pid|number}", tags: ["{subject}", { "{pid}": "is {pid}" }], nice: 19 },
      why: "because",
    },
  ],
  watch_ms: 1000,
});

test("parameters are filled into values, as numbers where that is asked for, and never into names", () => {
  const [found] = fitting([one], "runaway-process", "pid:12@34");
  expect(found?.calls[0]?.arguments).toEqual({ process: 12, tags: ["pid:12@34", { "{pid}": "is 12" }], nice: 19 });
  expect(fitting([one], "runaway-process", "12")).toEqual([]);
  expect(fitting([one], "disk-full", "pid:12@34")).toEqual([]);
});

test("what a subject is called stays what it is called", () => {
  const any = { ...one, subject: undefined };
  const named = '"}, {pid|number} {subject} ../../etc';
  const [found] = fitting(
    [Playbook.parse({ ...JSON.parse(JSON.stringify(any)), steps: [{ ...one.steps[0], arguments: { a: "{subject}" } }] })],
    "runaway-process",
    named,
  );
  expect(found?.calls[0]?.arguments).toEqual({ a: named });
});

test("a parameter that there is not is refused when it is loaded", () => {
  const wrong = { ...one, steps: [{ tool: "fs.read", arguments: { path: "{folder}" }, why: "because" }] };
  expect(loadPlaybooks({ wrong }).refused[0]).toContain('there is no parameter "folder"; there are subject, pid');
});

test("every playbook in the folder is in the image", () => {
  const files = readdirSync(join(import.meta.dir, "list")).filter((name) => name.endsWith(".yaml"));
  expect(Object.keys(bundled_playbooks).sort()).toEqual(files.sort());
});

test("a service's data are exchanged for their backup after everything else that fits", () => {
  const { loaded } = loadPlaybooks(bundled_playbooks);
  const restore = loaded.find(({ name }) => name === "service-data-restore");
  const ranks = (restore?.alarms ?? []).flatMap((alarm) =>
    fitting(loaded, alarm, "shop").map(({ playbook: { name, rank } }) => ({ name, rank })),
  );
  expect(ranks.map(({ name }) => name)).toContain("package-rollback");
  for (const { name, rank } of ranks) if (name !== restore?.name) expect(rank).toBeLessThan(restore?.rank ?? 0);
  expect(restore?.does).toContain("for its backup");
});

test("who listens on the port of another one is started anew when it is a service, and ended when it is of none", () => {
  const { loaded } = loadPlaybooks(bundled_playbooks);
  const calls = (subject: string) =>
    fitting(loaded, "wrong-listener", subject).flatMap((one) => one.calls.map(({ tool, arguments: given }) => ({ tool, given })));
  expect(calls("tcp:8080 of clerk")).toEqual([{ tool: "service.restart", given: { name: "clerk" } }]);
  expect(calls("tcp:8080 pid:4711")).toEqual([{ tool: "process.kill", given: { process: 4711 } }]);
});
