import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool, ToolError } from "../../tool.ts";

export const power = defineTool({
  name: "sys.power",
  title: "Reboot or power off",
  description:
    "Stops everything in order and reboots or powers off the machine. Nothing takes it back: after `poweroff` somebody has to switch the machine on. To restart one service use service.restart.",
  input: z.lazy(() =>
    z.strictObject({ action: z.enum(["reboot", "poweroff"]).describe("`reboot` comes back by itself, `poweroff` does not") }),
  ),
  output: z.lazy(() => z.strictObject({ accepted: z.literal(true) })),
  risk: "irreversible",
  timeout_ms: 10_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: (_, { init }) => {
    if (init === null) throw new ToolError("asking for it failed: PID 1 is not connected");
    return { resources: [{ kind: "system", id: "power", access: "write", attributes: {} }] satisfies Resource[] };
  },
  preview: (_, { action }) => ({
    changes: ["all services stop"],
    final: [
      action === "reboot" ? "what is under way is interrupted, for about a minute" : "the machine is off until somebody switches it on",
    ],
  }),
  run: async (_, { action }, { init, call, principal }) => {
    if (init === null) throw new ToolError("asking for it failed: PID 1 is not connected");
    return await init.call("system.shutdown", { action, why: { who: principal, reason: `call ${call}` } });
  },
});
