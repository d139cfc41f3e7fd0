/** memory.import */

import { z } from "zod";
import { type RefusedLine, UpkeepName } from "../../../contracts/memory/upkeep.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { asked, memoryOf } from "../shared/ask-memory.ts";
import { touches } from "./shared/memory.ts";

const long_ms = 3_600_000;

export const memoryImport = defineTool({
  name: "memory.import",
  title: "Import memories",
  description:
    "Takes in a file of imports/ in memory's folder as memory.export writes it: all of it or, when a line is wrong, nothing, with the numbers of such lines. What is known by id stays as it is. All that comes in is marked `import:<name>` for good, so that it can be searched for, traced and put in quarantine.",
  input: z.lazy(() => z.strictObject({ name: UpkeepName.describe("of the file in imports/") })),
  output: z.lazy(() =>
    z.strictObject({
      read: z.number().int().describe("memories in the file"),
      written: z.number().int().describe("those that were new"),
    }),
  ),
  risk: "compensable",
  timeout_ms: long_ms,
  concurrency_max: 1,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: () => touches("*", "write"),
  preview: (_target, { name }) => ({ changes: [`memories of the file "${name}" are taken in, marked import:${name}`], final: [] }),
  async run(_target, { name }, context) {
    const answer = await asked(memoryOf(context, "importing memories").call("import", { name }, long_ms));
    if (answer.refused_lines > 0) throw new ToolError(refusal(name, answer.refused_lines, answer.refused));
    return { read: answer.read, written: answer.written };
  },
});

function refusal(name: string, lines: number, refused: readonly z.infer<typeof RefusedLine>[]): string {
  const first = refused.slice(0, 5).map(({ line, reason }) => `line ${line}: ${reason}`);
  return `importing "${name}" failed: ${lines} lines are wrong, and nothing was taken in: ${first.join("; ")}`;
}
