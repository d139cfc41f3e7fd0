/** Events, decisions and their why: from memory, and from what this process has seen itself while memory is away. */

import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { CallId } from "../../contracts/tool.ts";
import type { Why } from "../../contracts/why.ts";
import { RpcError } from "../../wire/peer.ts";
import type { Answer } from "../server/handlers.ts";
import { ProblemError } from "../server/problem.ts";
import type { EventFilter, EventLog } from "./events.ts";
import type { MemoryPort } from "./memory.ts";

const away = "memory is away: only what PID 1 has noticed since this boot is known";
const around_each_side = 10;

export async function listEvents(memory: MemoryPort | null, log: EventLog, lines: number, filter: EventFilter): Promise<Answer<Event[]>> {
  const kind = filter.kind ?? null;
  const service = filter.service ?? null;
  const stored = await orAway(memory, (port) => fitting(lines, (limit) => port.call("events.list", { limit, kind, service })));
  if (stored === null) return ring(log.newest(lines, filter));
  return { value: withUnwritten(stored, log.newest(lines, filter)).slice(-lines), source: "memory" };
}

export async function listDecisions(memory: MemoryPort | null, lines: number): Promise<Answer<Decision[]>> {
  const stored = await orAway(memory, (port) => fitting(lines, (limit) => port.call("decisions.list", { limit })));
  if (stored === null) throw memoryAway("decisions are kept there");
  return { value: stored, source: "memory" };
}

export async function explain(memory: MemoryPort | null, log: EventLog, id: string): Promise<Answer<Why>> {
  const asked = await orAway(memory, async (port) => ({ why: await port.call("why", { id }) }));
  if (asked !== null && asked.why !== null) return { value: asked.why, source: "memory" };
  const event = log.get(id);
  if (event !== undefined) {
    const why: Why = { id, goal: null, event, incidents: [], memories: [], decisions: [], around: log.around(id, around_each_side) };
    return asked === null ? ring(why) : { value: why, source: "init-ring", note: "memory has not written this event yet" };
  }
  if (asked === null) throw memoryAway(`"${id}" is not among the events that PID 1 still holds`);
  const todo = CallId.safeParse(id).success
    ? `a call is in the audit: \`aiosctl audit show ${id}\``
    : "take an id from GET /v1/events, GET /v1/decisions or the tools memory.incidents and goal.list";
  throw new ProblemError(404, `there is no event, decision, incident or goal "${id}"`, todo);
}

/** What memory has, then what was seen after its newest: memory writes a moment later. */
function withUnwritten(stored: Event[], seen: Event[]): Event[] {
  const known = new Set(stored.map((event) => event.id));
  const newest = stored.at(-1);
  const boot = seen.at(-1)?.id.slice(0, 8);
  const from_ms = newest?.id.startsWith(boot ?? "-") ? newest.boot_ms : -1;
  return [...stored, ...seen.filter((event) => !known.has(event.id) && event.boot_ms >= from_ms)];
}

/** Asks for less when the answer does not fit into one frame. */
async function fitting<T>(lines: number, ask: (limit: number) => Promise<T>): Promise<T> {
  for (let limit = lines; ; limit = Math.ceil(limit / 2)) {
    try {
      return await ask(limit);
    } catch (error) {
      if (limit <= 1 || !(error instanceof RpcError) || error.code !== rpc_error.internal) throw error;
    }
  }
}

/** Null when memory is not there or goes away meanwhile. */
async function orAway<T>(memory: MemoryPort | null, ask: (port: MemoryPort) => Promise<T>): Promise<T | null> {
  if (memory === null) return null;
  try {
    return await ask(memory);
  } catch (error) {
    if (error instanceof RpcError && (error.code === rpc_error.unavailable || error.code === rpc_error.timeout)) return null;
    throw error;
  }
}

function ring<T>(value: T): Answer<T> {
  return { value, source: "init-ring", note: away };
}

function memoryAway(what: string): ProblemError {
  return new ProblemError(503, `memory is away: ${what}`, "look at it with `aiosctl services`, then ask again", { "retry-after": "2" });
}
