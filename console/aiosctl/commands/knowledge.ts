/** Commands for the knowledge base: each is a call of its tool, authorised and on record like any other. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { knowledge_methods, Shown, Version } from "../../../contracts/memory/knowledge.ts";
import type { CallResult } from "../../../contracts/tool.ts";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { show } from "../output.ts";
import { documentsView, documentView, foundView, historyView } from "../views/knowledge.ts";
import { count } from "./follow.ts";
import type { Run } from "./look.ts";
import { call, look, noteOf } from "./of-tool.ts";
import { showCall, usage } from "./tools.ts";

const page_documents = 100;
const Found = knowledge_methods["knowledge.search"].result.shape.found;
const Documents = knowledge_methods["knowledge.list"].result.shape.documents;
const Versions = knowledge_methods["knowledge.history"].result.shape.versions;
const folders = ["playbooks", "runbooks", "system", "hardware", "tools"];

export function addKnowledgeCommands(program: Command, run: Run): void {
  const knowledge = program
    .command("knowledge")
    .description("what the system knows: runbooks, pages of tools, playbooks; find, read and write them");
  addLooking(knowledge, run);
  addWriting(knowledge, run);
}

function addLooking(knowledge: Command, run: Run): void {
  const search = knowledge
    .command("search")
    .description("sections that fit, and why (knowledge.search)")
    .argument("<words...>", "what is looked for");
  search.option("--kind <kind>", "only system, tool, runbook, hardware or playbook").option("--limit <n>", "sections", count(20), "5");
  search.action(
    run(async (context) => {
      const { kind, limit } = search.opts<{ kind?: string; limit: string }>();
      const args = { query: search.args.join(" "), limit: Number(limit), ...(kind === undefined ? {} : { kinds: [kind] }) };
      return await look(context, "knowledge.search", args, (answer) =>
        foundView(Found.parse(answer["found"]), noteOf(answer), context.view),
      );
    }),
  );
  const list = knowledge
    .command("list")
    .description("all documents that count (knowledge.list)")
    .argument("[prefix]", "ids that begin so: runbooks/service");
  list.action(run(async (context, prefix = "") => await listAll(context, prefix)));
  const one = knowledge.command("show").description("a document (knowledge.show)").argument("<id>", "runbooks/disk-full");
  one.option("--section <heading>", "only this section").option("--version <n>", "an earlier version", count(9_999_999));
  one.action(
    run(async (context, id = "") => {
      const { section = null, version } = one.opts<{ section?: string; version?: string }>();
      const args = { id, section, version: version === undefined ? null : Number(version) };
      return await look(context, "knowledge.show", args, (answer) => documentView(Shown.parse(answer), context.view));
    }),
  );
  const history = knowledge.command("history").description("its versions, newest first (knowledge.history)").argument("<id>", "a document");
  history.action(
    run(async (context, id = "") =>
      look(context, "knowledge.history", { id, limit: 100 }, (answer) => historyView(Versions.parse(answer["versions"]), context.view)),
    ),
  );
}

function addWriting(knowledge: Command, run: Run): void {
  const add = knowledge
    .command("add")
    .description("add a document: Markdown with front matter (knowledge.add)")
    .argument("<file>", "the file; - is the standard input")
    .option("--id <id>", "its id; left out: playbooks/ and the file's name, or the folder that it lies in")
    .requiredOption("--why <text>", "the reason, for the record");
  add.action(
    run(async (context, file = "") => {
      const { id = idOf(file), why } = add.opts<{ id?: string; why: string }>();
      return showCall(context, await write(context, "knowledge.add", { id, text: readText(file) }, why));
    }),
  );
  const edit = knowledge
    .command("edit")
    .description("make a new version: in your editor, or as the options say (knowledge.edit)")
    .argument("<id>", "the document")
    .option("--file <path>", "the new text from a file; - is the standard input")
    .option("--version <n>", "bring an earlier version back", count(9_999_999))
    .option("--reset", "bring back what the image has")
    .option("--withdraw", "it does not count any more; its versions are kept")
    .requiredOption("--why <text>", "the reason, for the record");
  edit.action(run(async (context, id = "") => await editOne(context, id, edit.opts<EditOptions>())));
}

interface EditOptions {
  readonly file?: string;
  readonly version?: string;
  readonly reset?: boolean;
  readonly withdraw?: boolean;
  readonly why: string;
}

async function editOne(context: Context, id: string, { file, version, reset, withdraw, why }: EditOptions): Promise<number> {
  const changes = [
    ...(file === undefined ? [] : [{ text: readText(file) }]),
    ...(version === undefined ? [] : [{ version: Number(version) }]),
    ...(reset === true ? [{ reset: true }] : []),
    ...(withdraw === true ? [{ withdraw: true }] : []),
  ];
  if (changes.length > 1) throw usage("--file, --version, --reset and --withdraw: give one of them");
  const [change] = changes;
  if (change !== undefined) return showCall(context, await write(context, "knowledge.edit", { id, change }, why));
  const now = await call(context, "knowledge.show", { id }, "looking at what is to be edited");
  if (now.structuredContent === null) return showCall(context, now);
  const { document, text } = Shown.parse(now.structuredContent);
  const edited = inEditor(context, text);
  if (edited === text) throw usage("the text was not changed; nothing was sent");
  const result = await write(context, "knowledge.edit", { id, change: { text: edited }, expected: document.version }, why);
  if (result.structuredContent === null || !Version.safeParse(result.structuredContent).success) keepFor(edited);
  return showCall(context, result);
}

function inEditor({ editor, is_terminal }: Context, text: string): string {
  if (editor === undefined || !is_terminal) throw usage("there is no editor here: set EDITOR, or give --file");
  const folder = mkdtempSync(join(tmpdir(), "aiosctl-"));
  const file = join(folder, "document.md");
  try {
    writeFileSync(file, text, { mode: 0o600 });
    const { exitCode } = Bun.spawnSync([...editor.split(" "), file], { stdin: "inherit", stdout: "inherit", stderr: "inherit" });
    if (exitCode !== 0) throw usage(`the editor "${editor}" ended with status ${exitCode}; nothing was sent`);
    return readFileSync(file, "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was refused is not lost to whoever typed it. */
function keepFor(text: string): void {
  const kept = join(mkdtempSync(join(tmpdir(), "aiosctl-")), "document.md");
  writeFileSync(kept, text, { mode: 0o600 });
  process.stderr.write(`your text is kept in ${kept}\n`);
}

async function listAll(context: Context, prefix: string): Promise<number> {
  const documents: unknown[] = [];
  for (;;) {
    const result = await call(
      context,
      "knowledge.list",
      { prefix, offset: documents.length, limit: page_documents },
      "looking at documents",
    );
    const answer = result.structuredContent;
    if (answer === null) return showCall(context, result);
    documents.push(...Documents.parse(answer["documents"]));
    if (answer["truncated"] === true) continue;
    const all = Documents.parse(documents);
    show(context, { documents: all, note: noteOf(answer) }, ({ note }) => documentsView(all, note, context.view));
    return exit.ok;
  }
}

async function write(context: Context, tool: string, args: Record<string, unknown>, why: string): Promise<CallResult> {
  return await call(context, tool, { ...args, reason: why }, why);
}

/** `…/runbooks/disk-full.md` is runbooks/disk-full; any other file is a playbook. */
function idOf(file: string): string {
  const parts = file.replace(/\.md$/, "").split("/");
  const name = parts.at(-1) ?? "";
  if (file === "-" || name === "") throw usage("--id is missing: the document's id, for example playbooks/nginx");
  const folder = parts.at(-2) ?? "";
  return `${folders.includes(folder) ? folder : "playbooks"}/${name}`;
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw usage(`reading "${file}" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
