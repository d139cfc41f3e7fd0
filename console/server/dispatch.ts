/** One request to one response: match, read, ask the handler, check the answer. Never throws. */

import type { z } from "zod";
import { body_bytes_max, openapi_path, type Route, routes } from "../../contracts/console.ts";
import { mcp_path } from "../../contracts/console-broker.ts";
import { issuesText } from "../../wire/issues.ts";
import type { McpEndpoint } from "../mcp/http.ts";
import type { Answer, Handlers } from "./handlers.ts";
import { patient } from "./patient.ts";
import { ProblemError, problemOf, problemResponse } from "./problem.ts";
import { fit, readBody, readQuery, targetOf } from "./request.ts";
import { matchRoute, notAllowed } from "./router.ts";
import { type Feed, ndjson, type StreamEnd } from "./stream.ts";

/** Streams open at once; each holds memory for its reader. */
const streams_max = 32;

interface DispatchHooks {
  /** The request is a stream from now on: no idle limit. */
  readonly onStream: () => void;
  readonly onStreamEnd: (end: StreamEnd) => void;
  readonly streamsOpen: () => number;
  /** The Model Context Protocol's endpoint. */
  readonly mcp: McpEndpoint | null;
}

/** A handler of the table with the types of its own route forgotten: what it gets has been parsed with that route's schemas. */
type AnyHandler = (input: { path: unknown; query: unknown; body: unknown }) => Promise<Answer<unknown>>;

export async function dispatch(request: Request, handlers: Handlers, hooks: DispatchHooks): Promise<Response> {
  try {
    const target = targetOf(request);
    if (target.path === openapi_path) return await openapi(request.method);
    if (target.path === mcp_path && hooks.mcp !== null) return await hooks.mcp.fetch(request);
    const match = matchRoute(request.method, target.path);
    const route: Route = routes[match.name];
    const handler = handlers[match.name] as AnyHandler;
    const input = {
      path: fit(route.path_params, match.path_params, "path"),
      query: readQuery(route.query, target.search),
      body: route.body === null ? null : fit(route.body, await readBody(request, route.body_bytes_max ?? body_bytes_max), "body"),
    };
    if (route.stream && hooks.streamsOpen() >= streams_max)
      throw new ProblemError(503, `${streams_max} streams are open already`, "close one, then ask again", { "retry-after": "5" });
    if (route.stream) return streamed(route, await handler(input), hooks);
    return await patient(handler(input).then((answer) => whole(route, answer)));
  } catch (error) {
    return problemResponse(problemOf(error));
  }
}

function whole(route: Route, answer: Answer<unknown>): Response {
  return new Response(JSON.stringify(checked(route.response, answer.value, route.path)), {
    headers: headersOf(answer, "application/json"),
  });
}

function streamed(route: Route, answer: Answer<unknown>, hooks: DispatchHooks): Response {
  hooks.onStream();
  const line = (item: unknown): string => JSON.stringify(checked(route.response, item, route.path));
  // A handler of a stream route answers with a Feed; `Handlers` says so for each by name.
  const body = ndjson(answer.value as Feed<unknown>, line, hooks.onStreamEnd);
  return new Response(body, { headers: headersOf(answer, "application/x-ndjson") });
}

function checked(schema: z.ZodType, value: unknown, path: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError(
    500,
    `the answer of ${path} does not fit its own contract: ${issuesText(parsed.error)}`,
    "this is a defect; report it",
  );
}

function headersOf(answer: Answer<unknown>, type: string): Record<string, string> {
  return {
    "content-type": type,
    "cache-control": "no-store",
    "aios-source": answer.source,
    ...(answer.note === undefined ? {} : { "aios-note": answer.note }),
  };
}

async function openapi(method: string): Promise<Response> {
  if (method !== "GET") throw notAllowed(method, openapi_path, ["GET"]);
  const { openapiText } = await import("./openapi.ts");
  return new Response(openapiText(), { headers: { "content-type": "application/json" } });
}
