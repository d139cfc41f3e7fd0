/**
 * The console API: HTTP over a unix socket. One table of routes is the server's dispatch, its validation in both
 * directions, its OpenAPI document and the client's types.
 */

import { z } from "zod";
import { broker_routes } from "./console-broker.ts";
import { Count, Flag, none, route } from "./console-route.ts";
import { Decision } from "./decision.ts";
import { Event, LogRecord } from "./event.ts";
import { BootTimeline, Hardware, ProcessInfo, SystemStatus } from "./init.ts";
import { ServiceName, ServiceStatus } from "./service.ts";
import { Why } from "./why.ts";

/** A problem in the form of RFC 9457 (application/problem+json). */
export const Problem = z.lazy(() =>
  z.strictObject({
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    /** What to do next, where there is something. */
    todo: z.string().optional(),
  }),
);
export type Problem = z.infer<typeof Problem>;

const Reason = z.lazy(() => z.strictObject({ reason: z.string().min(1).max(500) }));

export const ProcessMetrics = z.lazy(() =>
  z.strictObject({
    service: z.string(),
    rss_bytes: z.number(),
    pss_bytes: z.number().nullable(),
    cpu_ms: z.number(),
  }),
);
export const Metrics = z.lazy(() =>
  z.strictObject({
    time_ms: z.number(),
    load: z.tuple([z.number(), z.number(), z.number()]),
    memory: z.strictObject({ total_bytes: z.number(), available_bytes: z.number(), used_bytes: z.number() }),
    /** PSI, avg10 in percent (Documentation/accounting/psi.rst). */
    pressure: z
      .strictObject({ cpu_some: z.number(), memory_some: z.number(), memory_full: z.number(), io_some: z.number(), io_full: z.number() })
      .nullable(),
    processes: z.array(ProcessMetrics),
  }),
);

export type { Route } from "./console-route.ts";

export const routes = {
  status: route({
    method: "GET",
    path: "/v1/status",
    summary: "State of the whole system, worst first",
    path_params: none,
    query: none,
    body: null,
    response: SystemStatus,
    stream: false,
  }),
  boot: route({
    method: "GET",
    path: "/v1/boot",
    summary: "Boot timeline: marks and phases",
    path_params: none,
    query: none,
    body: null,
    response: BootTimeline,
    stream: false,
  }),
  services: route({
    method: "GET",
    path: "/v1/services",
    summary: "All services with state, reason and health",
    path_params: none,
    query: none,
    body: null,
    response: z.array(ServiceStatus),
    stream: false,
  }),
  service_start: route({
    method: "POST",
    path: "/v1/services/{name}/start",
    summary: "Start a service",
    path_params: z.strictObject({ name: ServiceName }),
    query: none,
    body: Reason,
    response: ServiceStatus,
    stream: false,
  }),
  service_stop: route({
    method: "POST",
    path: "/v1/services/{name}/stop",
    summary: "Stop a service",
    path_params: z.strictObject({ name: ServiceName }),
    query: none,
    body: Reason,
    response: ServiceStatus,
    stream: false,
  }),
  service_restart: route({
    method: "POST",
    path: "/v1/services/{name}/restart",
    summary: "Restart a service and wait until it is ready",
    path_params: z.strictObject({ name: ServiceName }),
    query: none,
    body: Reason,
    response: ServiceStatus,
    stream: false,
  }),
  processes: route({
    method: "GET",
    path: "/v1/processes",
    summary: "Processes with their services",
    path_params: none,
    query: none,
    body: null,
    response: z.array(ProcessInfo),
    stream: false,
  }),
  hardware: route({
    method: "GET",
    path: "/v1/hardware",
    summary: "Hardware inventory",
    path_params: none,
    query: none,
    body: null,
    response: Hardware,
    stream: false,
  }),
  metrics: route({
    method: "GET",
    path: "/v1/metrics",
    summary: "Load, memory, pressure and each service's use",
    path_params: none,
    query: none,
    body: null,
    response: Metrics,
    stream: false,
  }),
  metrics_stream: route({
    method: "GET",
    path: "/v1/metrics/stream",
    summary: "Metrics, one sample each `interval_ms`",
    path_params: none,
    query: z.strictObject({ interval_ms: Count(1000, 60_000) }),
    body: null,
    response: Metrics,
    stream: true,
  }),
  logs: route({
    method: "GET",
    path: "/v1/logs",
    summary: "Held log records; with `follow` the stream stays open",
    path_params: none,
    query: z.strictObject({ service: ServiceName.optional(), lines: Count(200, 5000), follow: Flag }),
    body: null,
    response: LogRecord,
    stream: true,
  }),
  events: route({
    method: "GET",
    path: "/v1/events",
    summary: "Events; with `follow` the stream stays open",
    path_params: none,
    query: z.strictObject({ service: ServiceName.optional(), kind: z.string().max(40).optional(), lines: Count(200, 1000), follow: Flag }),
    body: null,
    response: Event,
    stream: true,
  }),
  decisions: route({
    method: "GET",
    path: "/v1/decisions",
    summary: "Decisions; with `follow` the stream stays open",
    path_params: none,
    query: z.strictObject({ lines: Count(100, 1000), follow: Flag }),
    body: null,
    response: Decision,
    stream: true,
  }),
  why: route({
    method: "GET",
    path: "/v1/why/{id}",
    summary:
      "What happened and why, for an event, a decision or an incident: which incident it became, what was known and decided, what came of it; for a goal, a plan or a step: what was wanted, how it went, what served it",
    path_params: z.strictObject({ id: z.string().min(1).max(100) }),
    query: none,
    body: null,
    response: Why,
    stream: false,
  }),
  reboot: route({
    method: "POST",
    path: "/v1/system/reboot",
    summary: "Stop everything in order and reboot",
    path_params: none,
    query: none,
    body: Reason,
    response: z.strictObject({ accepted: z.literal(true) }),
    stream: false,
  }),
  kexec: route({
    method: "POST",
    path: "/v1/system/kexec",
    summary: "Stop everything in order and start the kernel on the ESP directly, without the firmware",
    path_params: none,
    query: none,
    body: Reason,
    response: z.strictObject({ accepted: z.literal(true) }),
    stream: false,
  }),
  poweroff: route({
    method: "POST",
    path: "/v1/system/poweroff",
    summary: "Stop everything in order and power off",
    path_params: none,
    query: none,
    body: Reason,
    response: z.strictObject({ accepted: z.literal(true) }),
    stream: false,
  }),
  ...broker_routes,
} as const;

export type RouteName = keyof typeof routes;

/** Where the server serves its own OpenAPI 3.1 document. */
export const openapi_path = "/v1/openapi.json";

/** Largest request body, bytes. */
export const body_bytes_max = 64 * 1024;
