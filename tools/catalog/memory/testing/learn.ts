/** Cases of what is learned from what came of decisions. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { openReadOnly } from "../../../../wire/database.ts";
import type { ToolCase, World } from "../../../testing/case.ts";
import { toldBy } from "../../../testing/memory.ts";
import { access_key, folderOf, nginx, observe } from "./world.ts";

/** What a tier has tried, and what came of it. */
async function solved({ places }: World): Promise<void> {
  const facts = {
    alarm: "service-down",
    subject: "nginx",
    raised: true,
    value: 9,
    limit: 5,
    stood_ms: 0,
    detail: `it said token=${access_key}`,
  };
  const decisions = (["failed", "done"] as const).map((result, at) => ({
    ...{ id: `0badcafe-d-tactical-${at}`, time_ms: at, boot_ms: 1000, tier: "tactical", rule: "playbook service-restart", took_us: 1 },
    trigger: {
      ...{ id: `0badcafe-reactive-${at}`, time_ms: at, boot_ms: 0, source: "reactive", severity: "error", kind: "alarm.changed", facts },
    },
    reason: nginx,
    action: { do: "call", calls: [{ tool: "service.restart", arguments: { name: "nginx" } }] },
    outcome: { result, detail: "", after_ms: 500 },
  }));
  await toldBy("tactical", places, "decisions.append", { decisions });
}

/** Of two alarms one goes away by a new start and one does not: what can be learned. */
async function learnable({ places }: World): Promise<void> {
  const decisions = Array.from({ length: 100 }, (_, at) => ({
    ...{ id: `0badcafe-d-tactical-${at}`, time_ms: at, boot_ms: 1000, tier: "tactical", rule: "playbook service-restart", took_us: 1 },
    trigger: {
      ...{ id: `0badcafe-reactive-${at}`, time_ms: at, boot_ms: 0, source: "reactive", severity: "error", kind: "alarm.changed" },
      facts: {
        ...{ alarm: at % 2 === 0 ? "service-files" : "service-crash-loop", subject: "nginx", raised: true },
        ...{ value: 9, limit: 5, stood_ms: 0, detail: "" },
      },
    },
    reason: nginx,
    action: { do: "log" },
    outcome: { result: (at % 2 === 0) === (at % 10 !== 3) ? "done" : "failed", detail: "", after_ms: 500 },
  }));
  for (let at = 0; at < decisions.length; at += 20)
    await toldBy("tactical", places, "decisions.append", { decisions: decisions.slice(at, at + 20) });
}

/** Which version of the classifier is in use. */
function classifierOf(world: World): unknown {
  const file = join(folderOf(world), "memory.db");
  if (!existsSync(file)) return null;
  const db = openReadOnly(file);
  try {
    return (
      db.prepare<[], { version: number | null }>("SELECT version FROM classifier_use ORDER BY seq DESC LIMIT 1").get()?.version ?? null
    );
  } finally {
    db.close();
  }
}

export const learn_cases: readonly ToolCase[] = [
  {
    tool: "memory.learned",
    name: "one try that helped and one that did not",
    prepare: (world) => solved(world).then(() => ({})),
    observe,
    check({ alarms, playbooks }) {
      const told = JSON.stringify({ alarms, playbooks });
      for (const part of ['"alarm":"service-down","seen":2,"solved":1', '"repair_ms":1500', '"worked":1,"failed":1'])
        if (!told.includes(part)) throw new Error(`it does not tell ${part}: ${told}`);
    },
  },
  {
    tool: "memory.examples",
    name: "with the secret taken out",
    prepare: (world) => solved(world).then(() => ({})),
    observe,
    bad: () => [{ limit: 0 }, { after: 3 }],
    check(answer) {
      const told = JSON.stringify(answer);
      if (told.includes(access_key) || !told.includes("[redacted") || !told.includes('"more":false')) throw new Error(told);
    },
  },
  {
    tool: "memory.train",
    name: "on what can be learned",
    prepare: (world) => learnable(world).then(() => ({})),
    observe: classifierOf,
    bad: () => [{ now: true }],
    check({ version, in_use }) {
      if (version !== 1 || in_use !== 1) throw new Error(`version ${String(version)} was made, and ${String(in_use)} is in use`);
    },
  },
  {
    tool: "memory.classifier",
    name: "none",
    async prepare(world) {
      await learnable(world);
      await world.call("memory.train", {});
      return { version: null };
    },
    observe: classifierOf,
    bad: () => [{ version: 0 }, { version: 77 }, {}],
  },
];
