/** Services: what PID 1 supervises, and how it speaks of them. */

import { z } from "zod";

/** The roles of the `aios` executable that run as services. */
export const core_services = ["console", "memory", "broker", "reactive", "operational", "tactical", "strategic"] as const;
export type CoreService = (typeof core_services)[number];

export const ServiceName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "a service name is a lower-case letter, then up to 30 of a-z 0-9 -");
export type ServiceName = z.infer<typeof ServiceName>;

/** The essay of these states stands above `init/supervise/machine.ts`. */
export const ServiceState = z.enum(["stopped", "waiting", "starting", "ready", "stopping", "backoff", "crash-loop"]);
export type ServiceState = z.infer<typeof ServiceState>;

/** What one process uses, as it reads it from its own /proc. */
export const ResourceUse = z.lazy(() =>
  z.strictObject({
    /** Resident set, bytes. */
    rss_bytes: z.int().min(0),
    /** User and system time since the process began, milliseconds. */
    cpu_ms: z.number().min(0),
    /** Open file descriptors. */
    fds: z.int().min(0),
  }),
);
export type ResourceUse = z.infer<typeof ResourceUse>;

export const Health = z.lazy(() =>
  z.strictObject({
    status: z.enum(["ok", "degraded", "failed"]),
    /** One line for people: `memory is away`. */
    detail: z.string().max(500),
    /** Facts by name: `{ "tools": 0 }`. */
    facts: z.record(z.string().max(40), z.union([z.string().max(500), z.number(), z.boolean()])),
    resources: ResourceUse,
  }),
);
export type Health = z.infer<typeof Health>;

/** How a process ended. */
export const ExitReason = z.lazy(() =>
  z.strictObject({
    /** Exit status, when it exited by itself. */
    status: z.int().nullable(),
    /** Signal name, when a signal ended it. */
    signal: z.string().nullable(),
    /** Why PID 1 ended it, when it did: `hang`, `stop requested`, `start timeout`, `reload timeout`, `shutdown`; or `stopping by itself`. */
    cause: z.string().nullable(),
  }),
);
export type ExitReason = z.infer<typeof ExitReason>;

export const ServiceStatus = z.lazy(() =>
  z.strictObject({
    name: ServiceName,
    state: ServiceState,
    pid: z.int().nullable(),
    /** Milliseconds on the boot clock when the state was entered. */
    since_ms: z.number(),
    /** Restarts since boot. */
    restarts: z.int().min(0),
    /** Milliseconds from spawn to ready at the last start. */
    ready_after_ms: z.number().nullable(),
    last_exit: ExitReason.nullable(),
    /** What the service last said of itself. */
    status_text: z.string().nullable(),
    health: Health.nullable(),
    /** Why it is in this state, for people. */
    reason: z.string(),
  }),
);
export type ServiceStatus = z.infer<typeof ServiceStatus>;
