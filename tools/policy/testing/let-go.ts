/**
 * A process that asks Cedar, waits until it has been let go and its memory collected, and asks again: by itself, since
 * whoever else loaded Cedar in the same process would hold it. Prints the answers of both times.
 */

import { lazyCedar, ParsedSets } from "../cedar.ts";

const idle_ms = 20;
const cedar = lazyCedar(idle_ms);
const sets = new ParsedSets(cedar);

const allowed = (id: string): boolean => {
  const action = { type: "Action", id };
  const scope = {
    principal: { op: "All" },
    action: { op: "==", entity: { type: "Action", id: "fs.read" } },
    resource: { op: "All" },
  } as const;
  const question = {
    principal: { type: "Tier", id: "tactical" },
    action,
    resource: { type: "Path", id: "/srv" },
    context: {},
    entities: [],
  };
  return sets.ask("key", () => ({ one: { effect: "permit", ...scope, conditions: [] } }), question).allowed;
};

const before = [allowed("fs.read"), allowed("fs.write")];
const held = new WeakRef(cedar());
while (held.deref() !== undefined) {
  await Bun.sleep(idle_ms);
  Bun.gc(true);
}
process.stdout.write(JSON.stringify([before, [allowed("fs.read"), allowed("fs.write"), allowed("fs.list")]]));
