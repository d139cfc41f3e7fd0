/** memory.store */

import { z } from "zod";
import { Severity } from "../../../contracts/event.ts";
import { Link, MemoryOutcome } from "../../../contracts/memory/record.ts";
import { withoutSecrets } from "../../../wire/secrets-in-text.ts";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { IdField, idOfCall, recalled, touches } from "./shared/memory.ts";

const Input = z.lazy(() =>
  z.strictObject({
    kind: z
      .enum(["note", "lesson"])
      .default("note")
      .describe("a note: something worth knowing; a lesson: what was learned from what happened"),
    text: z
      .string()
      .min(1)
      .max(8192)
      .describe(
        "in words that a later question would use; no secrets: those are for sec.secret_put, and what has the form of one is taken out",
      ),
    severity: Severity.default("info").describe("how much it matters"),
    service: z.string().min(1).max(100).nullable().default(null).describe("the service (unit) that it is about"),
    tool: z.string().min(1).max(100).nullable().default(null).describe("the tool that it is about"),
    outcome: MemoryOutcome.nullable().default(null).describe("what came of what it tells of"),
    links: z.array(Link).max(64).default([]).describe("what it is to other memories: learned-from, about, based-on …"),
  }),
);
type Input = z.infer<typeof Input>;
const Output = z.lazy(() => z.strictObject({ id: IdField }));
const Image = z.lazy(() => z.strictObject({ id: z.string() }));

export const memoryStore = defineTool<Input, z.infer<typeof Output>, Target, z.infer<typeof Image>>({
  name: "memory.store",
  title: "Remember something",
  description:
    "Remembers a note or a lesson, to be found from then on. What happens and what is done is remembered by itself: store what cannot be seen from that. Text that derives from outside stays marked whenever it comes back. Taken back, it is in quarantine, not deleted. How to do something belongs into a playbook: knowledge.add.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 60_000,
  idempotent: false,
  tainted: false,
  image: Image,
  resolve: (_input, { call }) => touches(idOfCall(call), "write"),
  preview: (_target, { kind, text }) => ({ changes: [`a ${kind} is remembered: ${text.slice(0, 300)}`], final: [] }),
  snapshot: (_target, _input, { call }) => ({ id: idOfCall(call) }),
  async run(_target, input, context) {
    const id = idOfCall(context.call);
    const { clock } = context;
    const { text, redacted } = withoutSecrets(input.text);
    const body = { call: context.call, by: context.principal, ...(redacted.length === 0 ? {} : { redacted: [...redacted] }) };
    const memory = {
      ...{ id, time_ms: clock.now_ms(), boot_ms: clock.boot_ms(), source: "broker", body },
      ...{ ...input, text, tier: tierOf(context), taint: taintOf(context) },
    };
    await asked(memoryOf(context, "remembering").call("append", { memories: [memory] }));
    return { id };
  },
  async verify(_target, { text }, { id }, context) {
    if ((await recalled(id, context)).text !== withoutSecrets(text).text)
      throw new ToolError(`verifying the memory "${id}" failed: it is not what was stored`);
  },
  settled: async ({ id }, _past, context) => (await found(id, context)) !== null,
  async undo({ id }, { call }, context) {
    if ((await found(id, context)) === null) return;
    const reason = `taken back: undo of ${call}`;
    await asked(memoryOf(context, `taking back "${id}"`).call("quarantine", { id, reason, influenced: false }));
  },
  async verifyUndone({ id }, _past, context) {
    const held = await found(id, context);
    if (held !== null && held.quarantined === null) throw new ToolError(`verifying failed: "${id}" is still relied on`);
  },
});

async function found(id: string, context: Context) {
  return (await asked(memoryOf(context, `looking for "${id}"`).call("recall", { ids: [id] })))[0] ?? null;
}

function tierOf({ principal, owner }: Pick<Context, "principal" | "owner">) {
  const name = (owner ?? principal).split(":")[1];
  return (["reactive", "operational", "tactical", "strategic"] as const).find((tier) => tier === name) ?? null;
}

/** Where from is in the audit, under the call. */
const taintOf = ({ tainted, call }: Pick<Context, "tainted" | "call">): string[] => (tainted.length > 0 ? [`call:${call}`] : []);
