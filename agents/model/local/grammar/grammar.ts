/** Grammars of llama.cpp (GBNF, grammars/README.md there) for what a request wants back. */

import type { JsonSchema, OfferedTool } from "../../../../contracts/model/chat.ts";
import { literal, Rules } from "./rules.ts";
import { SchemaGrammar } from "./schema.ts";

/** Grammars that are kept as text; making one takes longer than a token. */
const kept_max = 64;
const kept = new Map<string, string>();

/** JSON of a schema, and nothing around it. @throws {ChatError} `rejected` when the schema says what a grammar cannot */
export function answerGrammar(schema: JsonSchema): string {
  return cached(JSON.stringify(schema), () => {
    const rules = new Rules();
    rules.define("root", new SchemaGrammar(rules, schema, "answer").root());
    return rules.text();
  });
}

/** The call of one of the tools, with its input by that tool's schema; unless it is required, also any text that is no call. */
export function toolsGrammar(tools: readonly OfferedTool[], required: boolean): string {
  return cached(JSON.stringify([tools.map(({ name, input }) => [name, input]), required]), () => {
    const rules = new Rules();
    const calls = tools.map(({ name, input }, at) => {
      const schema = new SchemaGrammar(rules, input, `tool${at}`).root();
      return `${literal(`{"name": ${JSON.stringify(name)}, "input": `)} ${schema} ${literal("}")}`;
    });
    const others = required ? [] : [`[^{] [^\\x00]*`];
    rules.define("root", [...calls, ...others].join(" | "));
    return rules.text();
  });
}

function cached(name: string, make: () => string): string {
  const found = kept.get(name);
  if (found !== undefined) return found;
  const made = make();
  const [oldest] = kept.keys();
  if (kept.size >= kept_max && oldest !== undefined) kept.delete(oldest);
  kept.set(name, made);
  return made;
}
