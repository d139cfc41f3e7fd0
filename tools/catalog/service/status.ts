/** service.status */

import { z } from "zod";
import { ServiceStatus } from "../../../contracts/service.ts";
import { defineTool } from "../../tool.ts";
import { Definition, serviceFolder } from "./shared/definition.ts";
import { existing, lineOf, name_input, ServiceLine } from "./shared/resource.ts";

export const serviceStatus = defineTool({
  name: "service.status",
  title: "Status of a service",
  description:
    "Everything about one service: state with its reason, process, restarts, how it last ended, health, and its definition when service.define made it. For all services at once use service.list, for what it wrote service.logs.",
  input: z.lazy(() => z.strictObject({ name: name_input })),
  output: z.lazy(() =>
    z.strictObject({
      service: ServiceLine,
      status: ServiceStatus.nullable().describe("as PID 1 says; null: it does not have it"),
      definition: Definition.nullable(),
      uid: z.number().int().nullable(),
      folder: z.string().nullable().describe("where a defined service may write"),
    }),
  ),
  risk: "observe",
  timeout_ms: 15_000,
  idempotent: true,
  tainted: true,
  // what the service says of itself; the rest is PID 1's, and the definition that was authorised
  taintedAnswer: ({ status }) => status !== null && (status.status_text !== null || status.health !== null),
  image: null,
  resolve: ({ name }, context) => existing(name, "read", context),
  run: ({ status, stored }, { name }, context) => ({
    service: lineOf(name, status, stored),
    status,
    definition: stored?.definition ?? null,
    uid: stored?.uid ?? null,
    folder: stored === null ? null : serviceFolder(name, context),
  }),
});
