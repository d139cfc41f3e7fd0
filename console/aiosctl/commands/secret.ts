/** Commands for secrets: a value goes in by stdin or a prompt, never by an argument that others can read; none comes out. */

import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Run } from "./look.ts";
import { showCall, usage } from "./tools.ts";

const value_bytes_max = 16_384;

export function addSecretCommands(program: Command, run: Run): void {
  const secret = program.command("secret").description("secrets that the system keeps: put one, give one a new value, list their names");
  const list = secret.command("list").description("names, owners, versions and users; never values (sec.secret_list)");
  list.action(
    run(async (context) => {
      const body = { name: "sec.secret_list", arguments: {}, _meta: { reason: { text: "looking at the names of secrets" } } };
      return showCall(context, await context.client.call("call_make", { body }));
    }),
  );
  const put = secret
    .command("put")
    .description("keep a value that is read from the standard input, or asked for without echo (sec.secret_put)")
    .argument("<name>", "what it is called")
    .option("--uses <array>", 'to whom it may be handed, a JSON array as sec.secret_put takes it: [{"to":"host","host":"api.example.org"}]')
    .option("--keep-newline", "a line break at the end of the input belongs to the value")
    .requiredOption("--why <text>", "the reason, for the record");
  put.action(
    run(async (context, name = "") => {
      const { uses, why, keepNewline } = put.opts<{ uses?: string; why: string; keepNewline?: boolean }>();
      const given = await readValue(`value of "${name}"`, keepNewline === true);
      const args = { name, ...given, ...(uses === undefined ? {} : { uses: usesOf(uses) }) };
      const body = { name: "sec.secret_put", arguments: args, _meta: { reason: { text: why } } };
      return showCall(context, await context.client.call("call_make", { body }));
    }),
  );
  const rotate = secret
    .command("rotate")
    .description("give a secret a new value: one that is made, or with --given one that is read as put does (sec.secret_rotate)")
    .argument("<name>", "what it is called")
    .option("--given", "read the value from the standard input, or ask for it")
    .option("--restart", "start the services that get it again")
    .requiredOption("--why <text>", "the reason, for the record");
  rotate.action(
    run(async (context, name = "") => {
      const { given, restart, why } = rotate.opts<{ given?: boolean; restart?: boolean; why: string }>();
      const value = given === true ? await readValue(`new value of "${name}"`, false) : {};
      const body = {
        name: "sec.secret_rotate",
        arguments: { name, restart: restart === true, ...value },
        _meta: { reason: { text: why } },
      };
      return showCall(context, await context.client.call("call_make", { body }));
    }),
  );
}

function usesOf(text: string): unknown[] {
  try {
    const uses: unknown = JSON.parse(text);
    if (Array.isArray(uses)) return uses;
  } catch {
    // said below
  }
  throw usage("--uses is not a JSON array; `aiosctl tools sec.secret_put` shows what it takes");
}

interface Given {
  readonly value: string;
  readonly encoding: "utf8" | "base64";
}

async function readValue(what: string, keep_newline: boolean): Promise<Given> {
  const bytes = process.stdin.isTTY ? Buffer.from(await askTwice(what)) : readAll(keep_newline);
  if (bytes.length === 0 || bytes.length > value_bytes_max)
    throw usage(`the ${what} is ${bytes.length} bytes, and may be 1 to ${value_bytes_max}`);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? { value: text, encoding: "utf8" } : { value: bytes.toString("base64"), encoding: "base64" };
}

/** The line break that `echo` and editors leave is no part of it. */
function readAll(keep_newline: boolean): Buffer {
  const bytes = readFileSync(0);
  const end = keep_newline || bytes.at(-1) !== 0x0a ? bytes.length : bytes.length - (bytes.at(-2) === 0x0d ? 2 : 1);
  return bytes.subarray(0, end);
}

async function askTwice(what: string): Promise<string> {
  const first = await askUnseen(`${what}: `);
  if (first !== (await askUnseen("once more: "))) throw usage("the two are different; nothing was sent");
  return first;
}

const keys = { interrupt: "\u0003", end: "\u0004", backspace: ["\u007f", "\b"], enter: ["\r", "\n"] } as const;

/** Reads a line from the terminal, which does not show it. */
function askUnseen(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stdin.setRawMode(true); // before it is asked: who answers at once is not shown either
  stdin.resume();
  stderr.write(question);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const typed: string[] = [];
  const take = (chunk: Buffer): void => {
    for (const key of chunk.toString("utf8")) {
      if (key === keys.interrupt || key === keys.end) reject(usage("it was broken off; nothing was sent"));
      else if (keys.enter.some((one) => one === key)) resolve(typed.join(""));
      else if (keys.backspace.some((one) => one === key)) typed.pop();
      else typed.push(key);
    }
  };
  stdin.on("data", take);
  return promise.finally(() => {
    stdin.off("data", take);
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  });
}
