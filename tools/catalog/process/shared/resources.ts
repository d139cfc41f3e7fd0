/** Resources that are not one process. */

import type { Resource } from "../../../../contracts/tool.ts";

export const all_processes: Resource = { kind: "process", id: "*", access: "read", attributes: {} };
