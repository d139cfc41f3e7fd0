/** Holds the playbooks of the image against the tools' own schemas and the alarms. */

import { expect, test } from "bun:test";
import { testCatalog } from "../../../tools/testing/catalog.ts";
import { bundled_alarms } from "../../sensors/alarms/index.ts";
import { loadAlarms } from "../../sensors/alarms/load.ts";
import { bundled_playbooks } from "../index.ts";
import { fitting, loadPlaybooks } from "../playbooks.ts";

/** Each kind that there is of the alarm; the others are names. */
const subjects: Readonly<Record<string, readonly string[]>> = {
  "runaway-process": ["pid:4711@98765", "pid:4711@98765 of web"],
  "declared-port-closed": ["tcp:80 of web"],
  "undeclared-listener": ["tcp:80 of web", "udp:80 pid:4711"],
  "wrong-listener": ["tcp:80 of web", "udp:80 pid:4711"],
  "failed-logins": ["203.0.113.7"],
};

test("every playbook in the image loads, is against alarms that exist, and makes calls that fit", () => {
  const { loaded, refused } = loadPlaybooks(bundled_playbooks);
  expect(refused).toEqual([]);
  expect(loaded.map(({ name }) => name)).toEqual(Object.keys(bundled_playbooks).map((file) => file.replace(/\.yaml$/, "")));
  const alarms = new Set(loadAlarms(bundled_alarms).loaded.map(({ name }) => name));
  const tools = new Map(testCatalog().map((tool) => [tool.name, tool]));
  for (const playbook of loaded)
    for (const alarm of playbook.alarms) {
      expect(alarms.has(alarm), `${playbook.name}: ${alarm}`).toBe(true);
      const own = (subjects[alarm] ?? ["web"])
        .flatMap((subject) => fitting(loaded, alarm, subject))
        .find((one) => one.playbook === playbook);
      expect(own, `${playbook.name} fits the subject`).toBeDefined();
      for (const { tool, arguments: args } of own?.calls ?? []) {
        const parsed = tools.get(tool)?.input.safeParse(args);
        expect(parsed?.success, `${playbook.name}: ${tool} ${JSON.stringify(args)}: ${parsed?.error}`).toBe(true);
      }
    }
});
