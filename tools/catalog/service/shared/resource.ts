/** A service as policies see it. */

import { z } from "zod";
import { ServiceName, ServiceState, type ServiceStatus } from "../../../../contracts/service.ts";
import type { Resource } from "../../../../contracts/tool.ts";
import type { Context } from "../../../context.ts";
import { type Target, ToolError } from "../../../tool.ts";
import type { Definition, Stored } from "./definition.ts";
import { isCore, statusOf } from "./pid1.ts";
import { readStored } from "./store.ts";

export const name_input = ServiceName.describe("the service's name");

interface ServiceTarget extends Target {
  readonly status: ServiceStatus | null;
  readonly stored: Stored | null;
}

export function serviceResource(name: string, access: Resource["access"], stored: Stored | null, status: ServiceStatus | null): Resource {
  const of_definition = stored === null ? {} : { ...attributesOf(stored.definition), owner: stored.owner };
  const attributes = {
    core: isCore(name),
    defined: stored !== null,
    exists: status !== null,
    state: status?.state ?? "unknown",
    ...of_definition,
  };
  return { kind: "service", id: name, access, attributes };
}

export function attributesOf({ argv, root, network, ports, writes, restart }: Definition): Resource["attributes"] {
  const [program = ""] = argv;
  return {
    program,
    root: root ?? "",
    network,
    writes: writes.length,
    restart,
    ports: ports.map(({ protocol, port }) => `${protocol}:${port}`).join(","),
  };
}

/** One that there is. @throws {ToolError} */
export async function existing(name: string, access: Resource["access"], context: Context): Promise<ServiceTarget> {
  const [status, stored] = [await statusOf(name, context), readStored(name, context)];
  if (status === null && stored === null)
    throw new ToolError(
      `looking for the service "${name}" failed: there is none; service.list shows those that there are, service.define makes one`,
    );
  return { status, stored, resources: [serviceResource(name, access, stored, status)] };
}

export const ServiceLine = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    state: ServiceState.nullable().describe(
      "stopped, waiting for others, starting, ready, stopping, backoff (failed, tried again soon) or crash-loop; null: PID 1 does not have it",
    ),
    pid: z.number().int().nullable(),
    restarts: z.number().int().describe("since boot"),
    reason: z.string().describe("why it is in this state"),
    core: z.boolean().describe("one of the system's own"),
    defined: z.boolean().describe("service.define made it"),
    enabled: z.boolean().nullable().describe("it starts at boot; null for those that were not defined"),
  }),
);

export function lineOf(name: string, status: ServiceStatus | null, stored: Stored | null): z.infer<typeof ServiceLine> {
  return {
    name,
    state: status?.state ?? null,
    pid: status?.pid ?? null,
    restarts: status?.restarts ?? 0,
    reason: (status?.reason ?? "not known to PID 1").slice(0, 500),
    core: isCore(name),
    defined: stored !== null,
    enabled: stored?.enabled ?? null,
  };
}
