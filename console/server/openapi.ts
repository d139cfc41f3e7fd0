/** The OpenAPI 3.1 document, made from the route table when first asked for. */

import { z } from "zod";
import { AuditEntry, AuditVerdict } from "../../contracts/audit.ts";
import { CallRecord, UndoPlan } from "../../contracts/broker.ts";
import { Metrics, Problem, type Route, routes } from "../../contracts/console.ts";
import { Decision } from "../../contracts/decision.ts";
import { Event, LogRecord } from "../../contracts/event.ts";
import { BootTimeline, Hardware, ProcessInfo, SystemStatus } from "../../contracts/init.ts";
import { Agent, Approval, Grant, PolicyInfo } from "../../contracts/permission.ts";
import { Health, ServiceStatus } from "../../contracts/service.ts";
import { CallOutcome, CallResult, Reason, Resource, ToolDescription } from "../../contracts/tool.ts";
import { Why } from "../../contracts/why.ts";

const named = {
  Problem,
  Metrics,
  Decision,
  Why,
  Event,
  LogRecord,
  BootTimeline,
  Hardware,
  ProcessInfo,
  SystemStatus,
  Health,
  ServiceStatus,
  ToolDescription,
  CallResult,
  CallOutcome,
  CallRecord,
  Reason,
  Resource,
  UndoPlan,
  AuditEntry,
  AuditVerdict,
  Approval,
  Grant,
  Agent,
  PolicyInfo,
};

type Json = Record<string, unknown>;
let text: string | null = null;

export function openapiText(): string {
  text ??= JSON.stringify(openapiDocument());
  return text;
}

function openapiDocument(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  for (const [name, route] of Object.entries(routes) as [string, Route][])
    if (!registry.has(route.response)) registry.add(route.response, { id: `${name}_response` });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: "output" });
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(routes) as [string, Route][]) {
    paths[route.path] ??= {};
    const operations = paths[route.path] as Json;
    operations[route.method.toLowerCase()] = operation(name, route, registry.get(route.response)?.id ?? name);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "aiOS console",
      version: "1",
      description: "HTTP over a unix socket. Streams are newline-delimited JSON; an empty line says that the stream lives.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://aios", description: "any host name: the socket is the address" }],
    paths,
    components: { schemas: Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)])) },
  };
}

function operation(name: string, route: Route, response_id: string): Json {
  const parameters = [...parametersOf(route.path_params, "path"), ...parametersOf(route.query, "query")];
  const type = route.stream ? "application/x-ndjson" : "application/json";
  return {
    operationId: name,
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === null
      ? {}
      : {
          requestBody: { required: true, content: { "application/json": { schema: bare(z.toJSONSchema(route.body, { io: "input" })) } } },
        }),
    responses: {
      "200": {
        description: route.stream ? "One such object a line" : "As asked",
        headers: { "aios-source": { description: "Where the answer comes from", schema: { type: "string" } } },
        content: { [type]: { schema: { $ref: `#/components/schemas/${response_id}` } } },
      },
      default: {
        description: "Refused or failed: what was wrong and what to do (RFC 9457)",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function parametersOf(schema: z.ZodObject, where: "path" | "query"): Json[] {
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: where,
    required: where === "path",
    schema: bare(z.toJSONSchema(field, { io: "input" })),
  }));
}

/** Without the keys that only a document of its own has. */
function bare(schema: object): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id" && key !== "id"));
}
