/** The stream of chat completions: chunks, the usage in one of its own, then `[DONE]`. */

import { type Counted, type Protocol, pieces, theirs, type Wrong } from "./asked.ts";
import { checkOpenai } from "./check-openai.ts";
import type { Say, Turn } from "./script.ts";

/** The second of 2026 at which all of its answers were made. */
const created = 1_767_225_600;

export const openai: Protocol = {
  path: "/v1/chat/completions",
  check: checkOpenai,
  events(turn, { model }, tokens, id) {
    const data = (rest: object): string =>
      `data: ${JSON.stringify({ id: `chatcmpl-${id}`, object: "chat.completion.chunk", created, model, ...rest })}\n\n`;
    const delta = (one: object, finish_reason: string | null = null): string =>
      data({ choices: [{ index: 0, delta: one, logprobs: null, finish_reason }], usage: null });
    let calls = 0;
    const said = turn.say.flatMap((say) => ("tool" in say ? toolDeltas(say, calls++, id) : textDeltas(say, turn)));
    return [
      delta({ role: "assistant", content: "", refusal: null }),
      ...said.map((one) => delta(one)),
      delta({}, finishOf(turn, calls)),
      ...(turn.no_usage ? [] : [data({ choices: [], usage: usageOf(tokens) })]),
      "data: [DONE]\n\n",
    ];
  },
  error: (wrong) => JSON.stringify(errorOf(wrong)),
  errorEvent: (wrong) => `data: ${JSON.stringify(errorOf(wrong))}\n\n`,
};

function errorOf({ type, message }: Wrong): object {
  return { error: { message, type, param: null, code: type } };
}

function finishOf({ stop }: Turn, calls: number): string {
  if (stop === "length") return "length";
  if (stop === "refusal") return "stop";
  return calls > 0 ? "tool_calls" : "stop";
}

function textDeltas(say: Say, { stop }: Turn): object[] {
  const text = "text" in say ? say.text : "json" in say ? JSON.stringify(say.json) : "";
  return pieces(text).map((piece) => (stop === "refusal" ? { refusal: piece } : { content: piece }));
}

function toolDeltas(say: Extract<Say, { tool: unknown }>, index: number, id: string): object[] {
  const { tool } = say;
  const input = "raw" in tool ? tool.raw : JSON.stringify(tool.input);
  const first = { index, id: `call_${id.slice(-8)}_${index}`, type: "function", function: { name: theirs(tool.name), arguments: "" } };
  return [{ tool_calls: [first] }, ...pieces(input).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }))];
}

function usageOf({ input, cache_read, cache_write, output }: Counted): object {
  const prompt_tokens = input + cache_read + cache_write;
  return {
    prompt_tokens,
    completion_tokens: output,
    total_tokens: prompt_tokens + output,
    prompt_tokens_details: { cached_tokens: cache_read, cache_write_tokens: cache_write },
  };
}
