import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { InterfaceName } from "./shared/fields.ts";
import {
  Declared,
  declaredPorts,
  declaredWall,
  kernelWall,
  OpenPort,
  put,
  Rule,
  wall_key,
  wallDifference,
  wallNotBack,
} from "./shared/wall.ts";

const Image = z.lazy(() => z.strictObject({ declared: Declared.nullable(), kernel: z.array(z.unknown()).nullable() }));

export const firewall = defineTool({
  name: "net.firewall",
  title: "Firewall",
  description:
    "Reads the firewall, or replaces all of its rules at once when `set` is given. `closed` drops what comes in unless it answers something, a rule accepts it, or it goes to a port declared with net.listen. Rules are tried in order, the first that fits decides. To open a port for a service use net.listen instead. Unless it is confirmed in time the change is taken back by itself, so that nobody is locked out.",
  input: z.lazy(() =>
    z.strictObject({
      set: z
        .strictObject({
          default: z.enum(["closed", "open"]).describe("what happens to what comes in and no rule fits"),
          rules: z.array(Rule).max(256).default([]).describe("all rules, in order"),
          masquerade: z
            .array(InterfaceName)
            .max(16)
            .default([])
            .describe("interfaces through which others are routed out with our address (NAT)"),
        })
        .optional()
        .describe("the whole new firewall; left out: only read"),
    }),
  ),
  output: z.lazy(() =>
    z.strictObject({
      declared: Declared.nullable(),
      ports: z.array(OpenPort),
      /** nftables' own JSON of the table as the kernel has it. */
      kernel: z.array(z.unknown()).nullable(),
    }),
  ),
  risk: "reversible",
  riskOf: ({ set }) => (set === undefined ? "observe" : "reversible"),
  timeout_ms: 40_000,
  idempotent: true,
  tainted: false,
  confirm_within_s: 120,
  image: Image,
  resolve: ({ set }) => ({
    resources: [{ kind: "firewall", id: "inet/aios", access: set === undefined ? "read" : "write", attributes: {} }] satisfies Resource[],
  }),
  preview: (_, { set }, { state }) => {
    const before = declaredWall(state);
    if (set === undefined) return { changes: [], final: [] };
    return {
      changes: [
        `${before?.default ?? "no firewall"} with ${before?.rules.length ?? 0} rules becomes ${set.default} with ${set.rules.length} rules`,
      ],
      final: [],
    };
  },
  snapshot: async (_, __, context) => ({ declared: declaredWall(context.state), kernel: await kernelWall(context) }),
  run: async (_, { set }, context) => {
    if (set !== undefined) {
      await put(context, set, declaredPorts(context.state));
      context.state.put(wall_key, set);
    }
    return { declared: declaredWall(context.state), ports: declaredPorts(context.state), kernel: await kernelWall(context) };
  },
  verify: async (_, { set }, __, context) => {
    const wrong = set === undefined ? null : await wallDifference(context);
    if (wrong !== null) throw new ToolError(`changing the firewall failed: ${wrong}`);
  },
  undo: async ({ declared, kernel }, _, context) => {
    await put(context, kernel === null ? null : (declared ?? { default: "open", rules: [], masquerade: [] }), declaredPorts(context.state));
    if (declared === null) context.state.delete(wall_key);
    else context.state.put(wall_key, declared);
  },
  verifyUndone: async ({ kernel }, _, context) => {
    const wrong = await wallNotBack(context, kernel);
    if (wrong !== null) throw new ToolError(`restoring the firewall failed: ${wrong}`);
  },
});
