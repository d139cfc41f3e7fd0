/** install, remove and update are one tool with three wishes: this is what they have in common as tools. */

import type { Context } from "../../../context.ts";
import { defineTool, type Target, type Tool } from "../../../tool.ts";
import { ChangeOutput, type Image, imageFor, make, previewLines, timeout_ms_max, verifyChange, type Wanted, way_back } from "./change.ts";

type Own<I, T extends Target> = Pick<
  Tool<I, ChangeOutput, T, Image>,
  "name" | "title" | "description" | "input" | "idempotent" | "open_world"
> & {
  /** @throws {ToolError} when what it names is not there, or makes no sense */
  resolve(input: I, context: Context): Promise<T>;
  wanted(target: T, input: I): Wanted;
};

export function changeTool<I, T extends Target>({ wanted, ...own }: Own<I, T>): Tool<I, ChangeOutput, T, Image> {
  return defineTool<I, ChangeOutput, T, Image>({
    ...own,
    output: ChangeOutput,
    risk: "reversible",
    timeout_ms: timeout_ms_max,
    tainted: false,
    ...way_back,
    preview: async (target, input, context) => ({ changes: await previewLines(wanted(target, input), context), final: [] }),
    snapshot: (target, input, context) => imageFor(wanted(target, input).request, context),
    run: (target, input, context) => make(wanted(target, input), own.name, context),
    verify: (_target, _input, output, context) => verifyChange(output, context),
  });
}
