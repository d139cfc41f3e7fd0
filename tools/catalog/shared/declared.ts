/** The part that tools of declared settings have in common: what is not so, and making it so again. */

import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import type { Context } from "../../context.ts";
import { defineTool, ToolError } from "../../tool.ts";

export const Drift = z.lazy(() =>
  z.strictObject({
    what: z.string().max(200).describe("what was declared: firewall, dns, interface/eth0, hostname, sysctl/vm.swappiness"),
    detail: z.string().max(500).describe("how it is, and how it should be"),
  }),
);
export type Drift = z.infer<typeof Drift>;

interface DeclaredOptions {
  readonly name: "net.declared" | "sys.declared";
  readonly title: string;
  /** For people and models: what it looks after. */
  readonly covers: string;
  readonly resources: readonly Pick<Resource, "kind" | "id">[];
  drift(context: Context): Promise<Drift[]>;
  restore(context: Context): Promise<void>;
}

/**
 * Nothing to undo: what it makes so was meant by whoever declared it, and what it replaces was meant by nobody.
 * Whoever wants something else declares that.
 */
export function declaredTool({ name, title, covers, resources, drift, restore }: DeclaredOptions) {
  return defineTool({
    name,
    title,
    description: `Tells which of ${covers} is not as it was declared, because something else than a call changed it. With \`restore\` it is made so again. To declare something else use the tool that declared it; what neither a call nor the machine config declared is left alone.`,
    input: z.strictObject({ restore: z.boolean().default(false).describe("make all of it so again; else it is only told") }),
    output: z.strictObject({ drift: z.array(Drift).describe("what was not so when the call began"), restored: z.boolean() }),
    risk: "compensable",
    riskOf: ({ restore: change }) => (change ? "compensable" : "observe"),
    timeout_ms: 60_000,
    idempotent: true,
    tainted: false,
    restores: true,
    changedNothing: ({ drift: found }) => found.length === 0,
    image: null,
    resolve: ({ restore: change }) => ({
      resources: resources.map((one): Resource => ({ ...one, access: change ? "write" : "read", attributes: {} })),
    }),
    preview: async (_, { restore: change }, context) => ({
      changes: change ? (await drift(context)).map(({ what, detail }) => `${what}: ${detail}`) : [],
      final: [],
    }),
    async run(_, { restore: change }, context) {
      const found = await drift(context);
      if (change && found.length > 0) await restore(context);
      return { drift: found, restored: change && found.length > 0 };
    },
    async verify(_, { restore: change }, __, context) {
      const left = change ? await drift(context) : [];
      if (left.length > 0)
        throw new ToolError(`restoring ${covers} failed: ${left.map(({ what, detail }) => `${what}: ${detail}`).join("; ")}`);
    },
  });
}
