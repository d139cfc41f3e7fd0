/** What a model answered, held against what was asked: JSON by its schema, calls by the schemas of the tools that were offered. */

import Ajv, { type ValidateFunction } from "ajv/dist/2020.js";
import { type ChatRequest, Json, type JsonSchema, type Message, type Reply, type ToolUsePart } from "../../../contracts/model/chat.ts";

/** contracts/model/chat.ts */
const text_max = 200_000;
const kept_max = 256;

const kept = new Map<string, ValidateFunction>();

/** What is wrong, in words for the model; with `call`, that one call of it. */
export interface Problem {
  readonly text: string;
  readonly call: string | null;
}

export interface Checked {
  readonly text: string;
  readonly tool_uses: readonly ToolUsePart[];
  readonly json: Json | null;
  /** Empty: all is as it was asked for. */
  readonly problems: readonly Problem[];
}

export function check(request: ChatRequest, { parts, stop }: Reply): Checked {
  const text = parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
  const tool_uses = parts.flatMap((part) => (part.type === "tool-use" ? [part] : []));
  const problems = [...sizeOf(text), ...tool_uses.flatMap((use) => callProblems(request, use))];
  if (stop === "refused") return { text, tool_uses: [], json: null, problems: [] };
  if (request.tool_choice === "required" && tool_uses.length === 0) problems.push(general("a tool has to be called, and none was"));
  if (request.answer === null) return { text, tool_uses, json: null, problems };
  if (stop === "length") return { text, tool_uses, json: null, problems: [general("the answer was cut off: it has to be shorter")] };
  const json = parsed(text);
  const wrong = json === undefined ? "it is no JSON" : mismatch(request.answer.schema, json);
  return {
    text,
    tool_uses,
    json: json ?? null,
    problems: wrong === null ? problems : [...problems, general(`the answer does not fit: ${wrong}`)],
  };
}

function general(text: string): Problem {
  return { text, call: null };
}

function sizeOf(text: string): Problem[] {
  return text.length > text_max ? [general(`the answer has ${text.length} characters, more than ${text_max}`)] : [];
}

function callProblems({ tools }: ChatRequest, { id, name, input }: ToolUsePart): Problem[] {
  const offered = tools.find((tool) => tool.name === name);
  if (offered === undefined)
    return [{ text: `there is no tool "${name}"; there are: ${tools.map((tool) => tool.name).join(", ")}`, call: id }];
  const wrong = mismatch(offered.input, input);
  return wrong === null ? [] : [{ text: `the input of "${name}" does not fit: ${wrong}`, call: id }];
}

/** @returns where and what, or null */
export function mismatch(schema: JsonSchema, value: unknown): string | null {
  try {
    const validate = validatorOf(schema);
    if (validate(value)) return null;
    const [error] = validate.errors ?? [];
    return error === undefined
      ? "it does not fit the schema"
      : `at "${error.instancePath === "" ? "/" : error.instancePath}" it ${error.message ?? "is wrong"}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error); // nested too deep
  }
}

/** Compiled once for each schema. Each by a validator of its own: Ajv keeps all that one was ever given. */
function validatorOf(schema: JsonSchema): ValidateFunction {
  const name = JSON.stringify(schema);
  const found = kept.get(name);
  if (found !== undefined) return found;
  const validate = new Ajv({ strict: false, validateFormats: false, logger: false }).compile(schema);
  const [oldest] = kept.keys();
  if (kept.size >= kept_max && oldest !== undefined) kept.delete(oldest);
  kept.set(name, validate);
  return validate;
}

function parsed(text: string): Json | undefined {
  try {
    return Json.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The conversation, with the answer and what is wrong with it; no call of such an answer is made. */
export function repaired({ messages }: ChatRequest, { parts }: Pick<Reply, "parts">, problems: readonly Problem[]): Message[] {
  const calls = parts.flatMap((part) => (part.type === "tool-use" ? [part.id] : []));
  const results = calls.map((id) => {
    const own = problems.filter(({ call }) => call === id).map(({ text }) => text);
    const text = own.length > 0 ? own.join("; ") : "not made, because another call of this answer was wrong; call it again";
    return { type: "tool-result" as const, id, text, is_error: true };
  });
  const words = problems.filter(({ call }) => call === null).map(({ text }) => text);
  const told =
    words.length === 0 && results.length > 0
      ? []
      : [{ type: "text" as const, text: `${words.join("; ")}. Answer again, as it was asked for.` }];
  if (parts.length > 0) return [...messages, { role: "assistant", parts: [...parts] }, { role: "user", parts: [...results, ...told] }];
  const last = messages.at(-1);
  return last?.role === "user"
    ? [...messages.slice(0, -1), { role: "user", parts: [...last.parts, ...told] }]
    : [...messages, { role: "user", parts: told }];
}
