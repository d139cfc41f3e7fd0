/** The words by which a local model is told what its answer has to look like; the grammar sees to it that it does. */

import type { ChatRequest, OfferedTool, ToolUsePart } from "../../../contracts/model/chat.ts";

/** A call as the model writes it, and reads it of itself. */
export function callText({ name, input }: Pick<ToolUsePart, "name" | "input">): string {
  return `{"name": ${JSON.stringify(name)}, "input": ${JSON.stringify(input)}}`;
}

export function toolRules(tools: readonly OfferedTool[], required: boolean): string {
  const listed = tools.map(({ name, description, input }) => `${name}: ${description}\ninput: ${schemaText(input)}`);
  const how = `{"name": "the tool's name", "input": {…}}`;
  const when = required
    ? `Answer with the call of one of these tools, as ${how}.`
    : `To call one of these tools, answer with ${how} alone.`;
  return `${when}\n\n${listed.join("\n\n")}`;
}

export function answerRule({ schema }: NonNullable<ChatRequest["answer"]>): string {
  return `Answer with JSON of this schema: ${schemaText(schema)}`;
}

function schemaText(schema: ChatRequest["tools"][number]["input"]): string {
  const { $schema: _, ...rest } = schema;
  return JSON.stringify(rest);
}
