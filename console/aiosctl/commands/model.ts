/** Commands for models: each is a call of its tool, authorised and on record like any other; long ones show how far they are. */

import { type Command, Option } from "commander";
import { ModelRole, ModelTier } from "../../../contracts/model/catalogue.ts";
import { ListedModels } from "../../../contracts/model/listed.ts";
import type { Context } from "../context.ts";
import { ProgressLine } from "../text/progress.ts";
import { modelsView } from "../views/models.ts";
import type { Run } from "./look.ts";
import { call, look } from "./of-tool.ts";
import { callFollowed, showCall } from "./tools.ts";

const why = ["--why <text>", "the reason, for the record"] as const;

export function addModelCommands(program: Command, run: Run): void {
  const model = program
    .command("model")
    .description("language models of this machine: which there are, which are here, which tier uses which");
  const list = model
    .command("list")
    .description("models of the catalogue, and what the tiers use (model.list)")
    .option("--here", "only those whose file is on this machine")
    .addOption(new Option("--role <role>", "only for this tier, or for embedding").choices(ModelRole.options));
  list.action(
    run(async (context) => {
      const { here, role = null } = list.opts<{ here?: boolean; role?: string }>();
      return await look(context, "model.list", { role, present: here === true }, (answer) =>
        modelsView(ListedModels.parse(answer), context.view),
      );
    }),
  );
  for (const [verb, what] of [
    ["pull", "fetch a model; goes on where an earlier try ended"],
    ["verify", "read a model's file and compare its hash"],
    ["bench", "measure how fast this machine is with it"],
  ] as const) {
    const one = model.command(verb).description(`${what} (model.${verb})`).argument("<name>", "its name, as `model list` shows it");
    if (verb !== "verify") one.requiredOption(...why);
    one.action(run(async (context, name = "") => await long(context, `model.${verb}`, { name }, one.opts<{ why?: string }>().why)));
  }
  const use = model
    .command("use")
    .description("give a tier another model while it runs; it gets back the one before when that does not load (model.use)")
    .argument("<tier>", ModelTier.options.join(" or "))
    .argument("[name]", "the model")
    .option("--none", "the tier does without one")
    .option("--auto", "the system may choose another later")
    .requiredOption(...why);
  use.action(
    run(async (context, tier = "", name) => {
      const { none, auto, why: reason } = use.opts<{ none?: boolean; auto?: boolean; why: string }>();
      if ((name === undefined) === (none !== true)) use.error("error: give the name of a model, or --none");
      return await long(context, "model.use", { tier, name: name ?? null, pin: auto !== true }, reason);
    }),
  );
  const remove = model.command("remove").description("take a fetched model off the disk (model.remove)").argument("<name>", "its name");
  remove.requiredOption(...why);
  remove.action(
    run(async (context, name = "") => showCall(context, await call(context, "model.remove", { name }, remove.opts<{ why: string }>().why))),
  );
}

async function long(
  context: Context,
  tool: string,
  args: Record<string, unknown>,
  reason = `looking, by aiosctl ${tool}`,
): Promise<number> {
  const progress = new ProgressLine(process.stderr, context.is_terminal && !context.json);
  const result = await callFollowed(context, tool, args, reason, (_stream, text) => progress.take(text));
  progress.end();
  return showCall(context, result);
}
