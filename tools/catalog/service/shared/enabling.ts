/** What enable and disable have in common: whether a defined service starts at boot. */

import { z } from "zod";
import { defineTool, ToolError } from "../../../tool.ts";
import { demandStored } from "./before.ts";
import { existing, name_input } from "./resource.ts";
import { keepStored, readStored } from "./store.ts";

interface Words {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly enabled: boolean;
}

export function enabling({ name: tool, title, description, enabled }: Words) {
  const verb = enabled ? "enabling" : "disabling";
  return defineTool({
    ...{ name: tool, title, description },
    input: z.strictObject({ name: name_input }),
    output: z.strictObject({ name: z.string(), enabled: z.boolean() }),
    risk: "reversible",
    timeout_ms: 15_000,
    idempotent: true,
    tainted: false,
    image: z.strictObject({ name: z.string(), enabled: z.boolean() }),
    resolve: ({ name }, context) => {
      demandStored(verb, name, context);
      return existing(name, "write", context);
    },
    snapshot: (_target, { name }, context) => ({ name, enabled: demandStored(verb, name, context).enabled }),
    run(_target, { name }, context) {
      keepStored(name, { ...demandStored(verb, name, context), enabled }, context);
      return { name, enabled };
    },
    settled: ({ name }, _past, context) => readStored(name, context)?.enabled === enabled,
    undo(image, _past, context) {
      const stored = readStored(image.name, context);
      if (stored !== null) keepStored(image.name, { ...stored, enabled: image.enabled }, context);
    },
    verifyUndone(image, _past, context) {
      const is = readStored(image.name, context)?.enabled;
      if (is !== undefined && is !== image.enabled)
        throw new ToolError(`verifying the service "${image.name}" failed: it is ${is ? "enabled" : "disabled"}, as it was not before`);
    },
  });
}
