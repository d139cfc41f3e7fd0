/** The Messages API's stream: event names and members as the real one sends them (platform.claude.com/docs/en/build-with-claude/streaming). */

import { type Protocol, pieces, theirs, type Wrong } from "./asked.ts";
import { checkAnthropic } from "./check-anthropic.ts";
import type { Say, Turn } from "./script.ts";

const event = (type: string, rest: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;

export const anthropic: Protocol = {
  path: "/v1/messages",
  check: checkAnthropic,
  events(turn, { model }, tokens, id) {
    const message = {
      id,
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
    };
    const input = {
      input_tokens: tokens.input,
      cache_creation_input_tokens: tokens.cache_write,
      cache_read_input_tokens: tokens.cache_read,
    };
    return [
      event("message_start", { message: { ...message, usage: { ...input, output_tokens: 1, service_tier: "standard" } } }),
      event("ping", {}),
      ...turn.say.flatMap((say, index) => block(say, index, id)),
      event("message_delta", {
        delta: { ...stopOf(turn), stop_sequence: null },
        usage: { ...input, output_tokens: tokens.output },
      }),
      event("message_stop", {}),
    ];
  },
  error: (wrong, id) => JSON.stringify(errorOf(wrong, id)),
  errorEvent: (wrong, id) => `event: error\ndata: ${JSON.stringify(errorOf(wrong, id))}\n\n`,
};

function errorOf({ type, message }: Wrong, id: string): object {
  return { type: "error", error: { type, message }, request_id: id };
}

function stopOf({ stop, say }: Turn): object {
  if (stop === "refusal")
    return { stop_reason: "refusal", stop_details: { type: "refusal", category: null, explanation: "This request was declined." } };
  if (stop === "length") return { stop_reason: "max_tokens", stop_details: null };
  return { stop_reason: say.some((one) => "tool" in one) ? "tool_use" : "end_turn", stop_details: null };
}

function block(say: Say, index: number, id: string): string[] {
  const start = (content_block: object): string => event("content_block_start", { index, content_block });
  const delta = (one: object): string => event("content_block_delta", { index, delta: one });
  const stop = event("content_block_stop", { index });
  if ("tool" in say) {
    const { tool } = say;
    const input = "raw" in tool ? tool.raw : JSON.stringify(tool.input);
    return [
      start({ type: "tool_use", id: `toolu_${id.slice(-8)}_${index}`, name: theirs(tool.name), input: {} }),
      delta({ type: "input_json_delta", partial_json: "" }),
      ...pieces(input).map((partial_json) => delta({ type: "input_json_delta", partial_json })),
      stop,
    ];
  }
  if ("thinking" in say) {
    const signature = Buffer.from(say.thinking).toString("base64");
    return [
      start({ type: "thinking", thinking: "", signature: "" }),
      ...pieces(say.thinking).map((thinking) => delta({ type: "thinking_delta", thinking })),
      delta({ type: "signature_delta", signature }),
      stop,
    ];
  }
  const text = "text" in say ? say.text : JSON.stringify(say.json);
  return [start({ type: "text", text: "" }), ...pieces(text).map((piece) => delta({ type: "text_delta", text: piece })), stop];
}
