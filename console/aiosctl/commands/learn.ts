/** Commands for what was learned: each is a call of a tool, authorised and on record like any other. */

import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import type { Command } from "commander";
import { LearnedAnswer } from "../../../contracts/learning.ts";
import { classifier_methods } from "../../../contracts/memory/classifier.ts";
import { Shown } from "../../../contracts/memory/knowledge.ts";
import { learning_methods } from "../../../contracts/memory/learning.ts";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { show } from "../output.ts";
import { documentView } from "../views/knowledge.ts";
import { learnView, playbookView } from "../views/learn.ts";
import type { Run } from "./look.ts";
import { call, look } from "./of-tool.ts";
import { showCall, usage } from "./tools.ts";

const Trained = classifier_methods["classifier.train"].result;
const Cases = learning_methods["learning.cases"].result;
const page = 200;

export function addLearnCommands(program: Command, run: Run): void {
  const learn = program
    .command("learn")
    .description(
      "how the system became faster and cheaper: alarms by how they were solved first and last, playbooks by stage (memory.learned)",
    );
  learn.action(
    run(async (context) => await look(context, "memory.learned", {}, (answer) => learnView(LearnedAnswer.parse(answer), context.view))),
  );
  const one = learn
    .command("show")
    .description("one playbook: its record, every change of its stage, its document")
    .argument("<name>", "the playbook");
  one.action(run(async (context, name = "") => await showOne(context, name)));
  const train = learn
    .command("train")
    .description(
      "train the classifier of triage on what came of decisions; it is switched on when it is better on held-back ones (memory.train)",
    );
  train.action(run(async (context) => await trainNow(context)));
  const use = learn
    .command("use")
    .description("ask this version of the classifier from now on (memory.classifier)")
    .argument("<version>", 'its number, or "none"');
  use.action(run(async (context, version = "") => await useVersion(context, version)));
  const all = learn
    .command("export")
    .description(
      "cases to train a model with, one JSON object a line; secrets are taken out, text from outside is marked (memory.examples)",
    )
    .argument("<file>", "where to, on this machine");
  all.action(run(async (context, file = "") => await exportTo(context, file)));
}

/** A call of its own, on record: what it does is said by its answer. */
async function trainNow(context: Context): Promise<number> {
  const result = await call(context, "memory.train", {}, "training the classifier of triage");
  if (result.structuredContent === null) return showCall(context, result);
  const { version, in_use, report } = Trained.parse(result.structuredContent);
  show(context, { version, in_use, report }, () => [
    version === null ? `not switched on: ${report.said}` : `version ${version} is in use: ${report.said}`,
  ]);
  return exit.ok;
}

async function useVersion(context: Context, text: string): Promise<number> {
  if (!/^([1-9][0-9]{0,8}|none)$/.test(text)) throw usage(`"${text}" is no version; \`aiosctl learn\` lists them, and "none" is one`);
  const version = text === "none" ? null : Number(text);
  const result = await call(context, "memory.classifier", { version }, "choosing the classifier of triage");
  if (result.structuredContent === null) return showCall(context, result);
  show(context, result.structuredContent, () => [`classifier ${text} is in use`]);
  return exit.ok;
}

async function showOne(context: Context, name: string): Promise<number> {
  const result = await call(context, "memory.learned", {}, `looking at the playbook ${name}`);
  if (result.structuredContent === null) return showCall(context, result);
  const found = LearnedAnswer.parse(result.structuredContent).playbooks.find((playbook) => playbook.name === name);
  if (found === undefined) throw usage(`there is no playbook "${name}" that was tried or learned; \`aiosctl learn\` lists them`);
  const shown = found.document === null ? null : await call(context, "knowledge.show", { id: found.document }, `reading ${found.document}`);
  const document = shown?.structuredContent ?? null;
  show(context, { ...found, text: document === null ? null : Shown.parse(document).text }, () => [
    ...playbookView(found, context.view),
    ...(document === null ? [] : ["", ...documentView(Shown.parse(document), context.view)]),
  ]);
  return exit.ok;
}

/** The file is there when it is whole, and not before. */
async function exportTo(context: Context, file: string): Promise<number> {
  const partial = `${file}.partial`;
  const out = openSync(partial, "wx", 0o600);
  let count = 0;
  try {
    for (let after: string | null = null; ; ) {
      const result = await call(context, "memory.examples", { after, limit: page }, "exporting cases to learn from");
      if (result.structuredContent === null) return showCall(context, result);
      const { cases, more } = Cases.parse(result.structuredContent);
      for (const one of cases) writeSync(out, `${JSON.stringify(one)}\n`);
      count += cases.length;
      after = cases.at(-1)?.decision ?? null;
      if (!more || after === null) break;
    }
    renameSync(partial, file);
  } finally {
    closeSync(out);
    rmSync(partial, { force: true });
  }
  show(context, { file, cases: count }, () => [`${count} cases in ${file}`]);
  return exit.ok;
}
