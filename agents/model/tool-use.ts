/** The call of a tool, as a provider streamed it. */

import { type Tokens, ToolUsePart } from "../../contracts/model/chat.ts";
import { fromProvider } from "./names.ts";
import { ChatError } from "./port.ts";

/** @throws {ChatError} `nonsense` when its input is no JSON object */
export function toolUse(id: string, name: string, json: string, tokens: Tokens | null): ToolUsePart {
  const ours = fromProvider(name);
  const read = ToolUsePart.safeParse({ type: "tool-use", id, name: ours, input: parsed(json === "" ? "{}" : json) });
  if (read.success) return read.data;
  throw new ChatError("nonsense", `the input of the tool "${ours.slice(0, 64)}" is no JSON object`, { spent: tokens ?? "unknown" });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
