/**
 * A request as the model reads it: parts that are written by the model's template, in which special tokens count, and parts
 * that somebody wrote, in which they are text like any other. The template never sees the latter: it is rendered with a
 * placeholder for each, and cut there.
 */

import { randomBytes } from "node:crypto";
import type { ChatRequest, ChoiceRequest, Message } from "../../../contracts/model/chat.ts";
import type { LlamaJinja } from "../../../wire/llama.ts";
import { ChatError } from "../port.ts";
import { answerRule, callText, toolRules } from "./wording.ts";

/** `special`: as the template has it. */
export interface PromptPart {
  readonly text: string;
  readonly special: boolean;
}

/** One turn, in texts of which none may be missing in the prompt. */
export interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly texts: readonly string[];
}

/** How a model wants its chats written. */
export interface PromptWriter {
  write(turns: readonly Turn[]): PromptPart[];
  /** What stands between the prompt and the first word of an answer. */
  readonly lead: string;
}

export function turnsOf({ system, messages, tools, tool_choice, answer }: ChatRequest): Turn[] {
  const offered = tool_choice === "none" ? [] : tools;
  const rules = [
    ...(offered.length > 0 ? [toolRules(offered, tool_choice === "required")] : []),
    ...(answer === null ? [] : [answerRule(answer)]),
  ];
  const head = [...system.map((part) => part.text), ...rules].filter((text) => text !== "");
  return joined([...(head.length > 0 ? [{ role: "system", texts: head } as const] : []), ...messages.map(turnOf)]);
}

export function choiceTurns({ system, question }: ChoiceRequest): Turn[] {
  const head = system.map((part) => part.text).filter((text) => text !== "");
  return [...(head.length > 0 ? [{ role: "system", texts: head } as const] : []), { role: "user", texts: [question] }];
}

function turnOf(message: Message): Turn {
  if (message.role === "assistant") {
    const texts = message.parts.flatMap((part) => (part.type === "text" ? [part.text] : part.type === "tool-use" ? [callText(part)] : []));
    return { role: "assistant", texts };
  }
  const texts = message.parts.map((part) => {
    if (part.type === "text") return part.text;
    return `${part.is_error ? "The call failed" : "The call answered"}: ${part.text}`;
  });
  return { role: "user", texts };
}

/** Templates want turns to alternate. */
function joined(turns: readonly Turn[]): Turn[] {
  const result: Turn[] = [];
  for (const turn of turns) {
    const last = result.at(-1);
    if (last?.role !== turn.role) result.push(turn);
    else result[result.length - 1] = { role: last.role, texts: [...last.texts, ...turn.texts] };
  }
  return result;
}

const between = "\n\n";

/** With the template of the model's own file. */
export class TemplateWriter implements PromptWriter {
  readonly lead = "";
  readonly #template: LlamaJinja;
  readonly #variables: Readonly<Record<string, unknown>>;

  /** @param tokens by their names in templates: `bos_token`, `eos_token` */
  constructor(template: LlamaJinja, tokens: Readonly<Record<string, string>>) {
    this.#template = template;
    // thinking aloud costs more tokens than small models on small machines have time for
    this.#variables = { ...tokens, add_generation_prompt: true, enable_thinking: false };
  }

  /** @throws {ChatError} `rejected` when the template refuses the turns or leaves one out */
  write(turns: readonly Turn[]): PromptPart[] {
    const nonce = randomBytes(8).toString("hex");
    const texts = turns.flatMap((turn) => turn.texts);
    let next = 0;
    const messages = turns.map(({ role, texts: own }) => ({ role, content: own.map(() => ` ${nonce}-${next++}; `).join(between) }));
    return this.#cut(this.#render(messages), nonce, texts);
  }

  #render(messages: readonly { role: string; content: string }[]): string {
    try {
      return this.#template.render({ ...this.#variables, messages });
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new ChatError("rejected", `writing the prompt failed: the model's template refuses it: ${cause.slice(0, 500)}`);
    }
  }

  /** A template that trims what it is given takes the blanks around the placeholder away, and so the text's own go too. */
  #cut(rendered: string, nonce: string, texts: readonly string[]): PromptPart[] {
    const parts: PromptPart[] = [];
    let at = 0;
    let found = 0;
    for (const match of rendered.matchAll(new RegExp(`( ?)${nonce}-(\\d+);( ?)`, "g"))) {
      const [all, before, number, after] = match;
      const text = texts[Number(number)];
      if (text === undefined || Number(number) !== found)
        throw new ChatError("rejected", "writing the prompt failed: the model's template changes the order of what was said");
      parts.push({ text: rendered.slice(at, match.index), special: true });
      parts.push({ text: trimmed(text, before === "", after === ""), special: false });
      at = match.index + all.length;
      found += 1;
    }
    if (found !== texts.length)
      throw new ChatError("rejected", `writing the prompt failed: the model's template has ${found} of ${texts.length} texts`);
    parts.push({ text: rendered.slice(at), special: true });
    return parts.filter((part) => part.text !== "");
  }
}

function trimmed(text: string, begin: boolean, end: boolean): string {
  const from_begin = begin ? text.trimStart() : text;
  return end ? from_begin.trimEnd() : from_begin;
}

const names: Readonly<Record<Turn["role"], string>> = { system: "", user: "Question: ", assistant: "Answer: " };

/** For a model that was never taught to chat: questions and answers, one after the other. */
export const plainWriter: PromptWriter = {
  lead: " ",
  write: (turns) => [
    ...turns.map(({ role, texts }) => ({ text: `${names[role]}${texts.join(between)}${between}`, special: false })),
    { text: "Answer:", special: false },
  ],
};
