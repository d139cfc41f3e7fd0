/** Cases of what is remembered: searched, written, linked, taken out. */

import type { ToolCase } from "../../../testing/case.ts";
import { access_key, looks, nginx, observe, stored, unknown_id } from "./world.ts";

export const remember_cases: readonly ToolCase[] = [
  looks("memory.search", "by words", () => ({ query: "why did nginx not answer?" }), nginx),
  looks("memory.recall", "one", (id) => ({ ids: [id] }), nginx),
  looks("memory.timeline", "around one", (id) => ({ around: id }), nginx),
  looks("memory.trace", "of one without links", (id) => ({ id }), `"reached":[]`),
  looks("memory.stats", "all", () => ({}), `"memories":1`),
  {
    tool: "memory.store",
    name: "a lesson",
    prepare: async (world) => ({
      kind: "lesson",
      text: nginx,
      service: "nginx",
      links: [{ relation: "about", to: await stored(world, "x") }],
    }),
    observe,
    bad: () => [{ text: "" }, { text: nginx, kind: "event" }, { text: nginx, links: [{ relation: "like", to: unknown_id }] }],
  },
  {
    tool: "memory.store",
    name: "a note with a secret in it",
    prepare: () => ({ text: `the key of the bucket is ${access_key}` }),
    observe,
    check(_answer, world) {
      const kept = JSON.stringify(observe(world));
      if (kept.includes(access_key) || !kept.includes("the key of the bucket is [redacted]"))
        throw new Error(`the secret was not taken out: ${kept}`);
    },
  },
  {
    tool: "memory.link",
    name: "a lesson to what it is learned from",
    prepare: async (world) => ({ from: await stored(world, "lesson"), relation: "learned-from", to: await stored(world, nginx) }),
    observe,
    bad: () => [
      { from: unknown_id, relation: "about", to: unknown_id },
      { from: "x", relation: "about", to: "y" },
    ],
  },
  {
    tool: "memory.pin",
    name: "one",
    prepare: async (world) => ({ id: await stored(world, nginx) }),
    observe,
    bad: () => [{ id: unknown_id }, { id: "../../x" }],
  },
  {
    tool: "memory.quarantine",
    name: "one, and what was learned from it",
    async prepare(world) {
      const id = await stored(world, "poisoned");
      await stored(world, "learned from it", { links: [{ relation: "learned-from", to: id }] });
      await stored(world, "another");
      return { id, reason: "what it says is not so" };
    },
    observe,
    bad: () => [
      { id: unknown_id, reason: "x" },
      { id: unknown_id, reason: "" },
    ],
    check({ changed }) {
      if (changed !== 2) throw new Error(`${String(changed)} memories went into quarantine, not 2`);
    },
  },
];
