/** service.list */

import { z } from "zod";
import { defineTool } from "../../tool.ts";
import { allStatuses } from "./shared/pid1.ts";
import { lineOf, ServiceLine } from "./shared/resource.ts";
import { allStored } from "./shared/store.ts";

export const serviceList = defineTool({
  name: "service.list",
  title: "List services",
  description:
    "Lists all services, the system's own and those that service.define made, with state, process, restarts and the reason for the state. Use it to find what does not run. For more about one use service.status.",
  input: z.lazy(() =>
    z.strictObject({
      defined: z.boolean().default(false).describe("only those that service.define made"),
      troubled: z.boolean().default(false).describe("only those that are in backoff or a crash loop"),
    }),
  ),
  output: z.lazy(() => z.strictObject({ services: z.array(ServiceLine) })),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: () => ({ resources: [{ kind: "service", id: "*", access: "read", attributes: {} }] }),
  async run(_target, { defined, troubled }, context) {
    const statuses = new Map((await allStatuses(context)).map((status) => [status.name, status]));
    const stored = allStored(context);
    const names = [...new Set([...statuses.keys(), ...stored.keys()])];
    const services = names
      .map((name) => lineOf(name, statuses.get(name) ?? null, stored.get(name) ?? null))
      .filter((line) => (!defined || line.defined) && (!troubled || line.state === "backoff" || line.state === "crash-loop"));
    return { services };
  },
});
