/** The broker's own configuration as entries of a baseline: the policies, and what tools have declared. */

import { createHash } from "node:crypto";
import type { PolicyInfo } from "../../../../../contracts/permission.ts";
import type { State } from "../../../../context.ts";
import { Task } from "../../../task/shared/task.ts";
import { compareKeys, type Entry } from "./entry.ts";

/** What the integrity tools need to see of the rest of the broker. */
export interface ConfigurationPorts {
  policies(): readonly PolicyInfo[];
  /** What tools of a family have declared. */
  declared(family: string): Pick<State, "list">;
}

/** Whose values say how the system is set up, and do not change by themselves. */
const families = ["net", "service", "sys", "task"];

/** @param root the index that stands for configuration */
export function configurationEntries({ policies, declared }: ConfigurationPorts, root: number): Entry[] {
  const settings = families.flatMap((family) =>
    declared(family)
      .list()
      .map(({ key, value }) => settingEntry(root, `${family}/${key}`, family === "task" ? withoutRuns(value) : value)),
  );
  const rules = policies().map(({ name, effect, text }) => settingEntry(root, `policy/${name}`, { effect, text }));
  return [...settings, ...rules].sort(compareKeys);
}

function settingEntry(root: number, name: string, value: unknown): Entry {
  const sha256 = createHash("sha256").update(JSON.stringify(value)).digest("hex");
  const none = { mode: 0, uid: 0, gid: 0, size_bytes: null, link: null, extended: {}, closed: null };
  return { root, names: [name], type: "setting", sha256, ...none };
}

/** When it ran and runs next is no configuration. */
function withoutRuns(value: unknown): unknown {
  const task = Task.safeParse(value);
  if (!task.success) return value;
  const { next_ms: _, running_due_ms: __, runs: ___, last: ____, ...kept } = task.data;
  return kept;
}
