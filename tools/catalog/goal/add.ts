/** goal.add */

import { z } from "zod";
import { GoalChanged } from "../../../contracts/goal.ts";
import { withoutSecrets } from "../../../wire/secrets-in-text.ts";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { type Goal, goalOf, moveGoal, onBehalf, touches } from "./shared/goal.ts";

const Input = z.lazy(() =>
  z.strictObject({
    text: z.string().trim().min(1).max(2000).describe("what is to be so, in words: serve /srv/www on port 8080 and keep it up"),
    keep: z.boolean().default(false).describe("to be kept true from then on, even if the plan would only reach it once"),
  }),
);
type Input = z.infer<typeof Input>;
const Image = z.lazy(() => z.strictObject({ text: z.string() }));

export const goalAdd = defineTool<Input, z.infer<typeof GoalChanged>, Target, z.infer<typeof Image>>({
  name: "goal.add",
  title: "Add a goal",
  description:
    "Gives the system a goal in words: it plans, asks for what it may not do, does it, and keeps it true where it is to be kept. How far it is: goal.show. Taken back, it is cancelled; what was done for it stays.",
  input: Input,
  output: GoalChanged,
  risk: "compensable",
  timeout_ms: 60_000,
  idempotent: false,
  tainted: false,
  image: Image,
  resolve: () => touches("*", "write"),
  preview: (_target, { text }) => ({ changes: [`the system pursues "${text}"`], final: ["what it does for it until it is cancelled"] }),
  snapshot: (_target, { text }) => ({ text }),
  async run(_target, input, context) {
    return { goal: await made(input, context.call, context) };
  },
  async verify(_target, { text }, { goal }, context) {
    // memory takes secrets out of what it is told
    const { text: kept } = withoutSecrets(text);
    if ((await goalOf(goal.id, context)).body.text !== kept) throw new ToolError(`verifying failed: the goal "${goal.id}" is another`);
  },
  async undo(_image, { call, input, output }, context) {
    const goal = output?.goal.kind === "goal" ? await goalOf(output.goal.id, context) : await made(input, call, context);
    if (goal.state !== "cancelled" && goal.state !== "done") await moveGoal(goal.id, "cancelled", "cancelled", context);
  },
  async verifyUndone(_image, { call, input, output }, context) {
    const { id } = output?.goal ?? (await made(input, call, context));
    const { state } = await goalOf(id, context);
    if (state !== "cancelled" && state !== "done") throw new ToolError(`verifying failed: the goal "${id}" is ${state}`);
  },
});

/** Once for each call: memory answers the second time as it did the first. */
async function made({ text, keep }: Input, call: string, context: Context): Promise<Goal> {
  // the arguments of a call that was killed are as they came: what was left out has no default
  const body = { text, keep: keep === true, check: null, taint: context.tainted.length > 0 ? [`call:${call}`] : [] };
  const changes = [{ do: "goal" as const, body }];
  const { done } = await asked(
    memoryOf(context, "adding a goal").call("work.change", { changes, ...onBehalf(context), request: `goal.add ${call}`.slice(0, 64) }),
  );
  return await goalOf(done[0]?.id ?? "", context);
}
