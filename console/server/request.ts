/** Reads a request's query and body with the schemas of its route. What does not fit is refused, never coerced. */

import type { z } from "zod";
import { issuesText } from "../../wire/issues.ts";
import { ProblemError } from "./problem.ts";

const url_bytes_max = 4096;
/** Milliseconds within which a body has to have arrived. */
const body_ms_max = 10_000;

export interface Target {
  readonly path: string;
  readonly search: string;
}

/** Path and query of the request line, without trusting the Host header to make a URL. */
export function targetOf(request: Request): Target {
  const url = request.url;
  if (url.length > url_bytes_max)
    throw new ProblemError(414, `the address has ${url.length} characters, more than ${url_bytes_max}`, "ask for less at once");
  const authority = url.indexOf("//");
  const start = url.indexOf("/", authority < 0 ? 0 : authority + 2);
  const rest = start < 0 ? "/" : url.slice(start);
  const hash = rest.indexOf("#");
  const target = hash < 0 ? rest : rest.slice(0, hash);
  const mark = target.indexOf("?");
  return mark < 0 ? { path: target, search: "" } : { path: target.slice(0, mark), search: target.slice(mark + 1) };
}

export function readQuery<Q extends z.ZodObject>(schema: Q, search: string): z.output<Q> {
  const values: Record<string, string> = Object.create(null);
  for (const [key, value] of new URLSearchParams(search)) {
    if (key in values) throw new ProblemError(400, `reading the query failed: "${key.slice(0, 40)}" is given twice`);
    values[key] = value;
  }
  return fit(schema, { ...values }, "query");
}

export function fit<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError(400, `reading the ${what} failed: ${issuesText(parsed.error)}`, "GET /v1/openapi.json has the shape");
}

/** The body as JSON, with a cap on its size and on the time it takes. */
export async function readBody(request: Request, bytes_max: number): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== undefined && type !== "application/json")
    throw new ProblemError(415, `the body is "${type.slice(0, 60)}"`, "send application/json");
  const text = await readText(request, bytes_max);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProblemError(
      400,
      `reading the body failed: ${error instanceof Error ? error.message : String(error)}`,
      "send one JSON object",
    );
  }
}

async function readText(request: Request, bytes_max: number): Promise<string> {
  const announced = Number(request.headers.get("content-length") ?? "0");
  if (announced > bytes_max) throw tooLarge(announced, bytes_max);
  if (request.body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = request.body.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), body_ms_max);
  let text = "";
  let bytes = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > bytes_max) throw tooLarge(bytes, bytes_max);
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    if (error instanceof ProblemError) throw error;
    throw new ProblemError(400, `reading the body failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(bytes: number, bytes_max: number): ProblemError {
  return new ProblemError(413, `the body has ${bytes} bytes or more, and ${bytes_max} is the most`, "send less");
}
