/** From method and path to a route of the table, with its path parameters still unread. */

import { type RouteName, routes } from "../../contracts/console.ts";
import { ProblemError } from "./problem.ts";

export interface Match {
  readonly name: RouteName;
  readonly path_params: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly name: RouteName;
  readonly method: string;
  readonly segments: readonly string[];
}

const patterns: readonly Pattern[] = (Object.keys(routes) as RouteName[]).map((name) => ({
  name,
  method: routes[name].method,
  segments: routes[name].path.split("/"),
}));

/** @throws {ProblemError} 404 when no route has the path, 405 when none with it has the method */
export function matchRoute(method: string, path: string): Match {
  const segments = path.split("/");
  const allowed: string[] = [];
  for (const pattern of patterns) {
    const path_params = matchSegments(pattern.segments, segments);
    if (path_params === null) continue;
    if (pattern.method === method) return { name: pattern.name, path_params };
    allowed.push(pattern.method);
  }
  if (allowed.length > 0) throw notAllowed(method, path, allowed);
  throw new ProblemError(404, `there is nothing at "${path.slice(0, 200)}"`, "GET /v1/openapi.json lists all routes");
}

export function notAllowed(method: string, path: string, allowed: readonly string[]): ProblemError {
  const use = allowed.join(", ");
  return new ProblemError(405, `"${path.slice(0, 200)}" does not take ${method.slice(0, 20)}`, `use ${use}`, { allow: use });
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const found: Record<string, string> = {};
  for (const [index, want] of pattern.entries()) {
    const have = segments[index] ?? "";
    if (want.startsWith("{")) found[want.slice(1, -1)] = decode(have);
    else if (want !== have) return null;
  }
  return found;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ProblemError(400, `reading the path failed: "${segment.slice(0, 100)}" is not percent-encoded UTF-8`);
  }
}
