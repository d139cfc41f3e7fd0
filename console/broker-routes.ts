/** The handlers of the routes behind which the broker is. */

import { type AuditEntry, AuditQuery } from "../contracts/audit.ts";
import type { broker_routes, CallNews } from "../contracts/console-broker.ts";
import { rpc_error } from "../contracts/rpc.ts";
import type { CallOutcome, ToolDescription } from "../contracts/tool.ts";
import { RpcError } from "../wire/peer.ts";
import type { Answer, Handlers } from "./server/handlers.ts";
import { ProblemError } from "./server/problem.ts";
import type { Feed } from "./server/stream.ts";
import type { BrokerLink, BrokerPort, Person } from "./sources/broker.ts";

/** Everyone who may open the console's socket is this person. Roles get sockets of their own (later). */
export const operator: Person = { name: "operator", role: "admin" };

/** Milliseconds. A call ends by its own limit; this one only notices a broker that has forgotten it. */
export const call_ms_max = 24 * 3600 * 1000;
const verify_ms_max = 3600 * 1000;
/** Entries that are asked for at once. */
const page_entries = 500;

/** @param link null while the console still starts */
export function makeBrokerHandlers(link: () => BrokerLink | null): Pick<Handlers, keyof typeof broker_routes> {
  const person = operator;
  const ask = async <T>(work: (port: BrokerPort) => Promise<T>): Promise<Answer<T>> => ({
    value: await asked(link(), work),
    source: "broker",
  });
  const change = async <T>(work: (port: BrokerPort) => Promise<T>): Promise<Answer<T>> => ({
    value: await changed(link(), work),
    source: "broker",
  });
  return {
    tools: () => ask(allTools),
    tool: ({ path }) => ask((port) => port.call("tools/get", { name: path.name })),
    call_make: ({ body }) => change((port) => port.call("tools/call", { ...body, person }, call_ms_max)),
    call: ({ path, query }) => {
      const { wait_ms } = query;
      return ask((port) => port.call("calls/get", { call: path.id, wait_ms, person }, wait_ms + 10_000));
    },
    call_confirm: ({ path }) => change((port) => port.call("calls/confirm", { call: path.id, person }, call_ms_max)),
    call_cancel: ({ path, body }) =>
      change((port) => port.call("calls/cancel", { call: path.id, reason: body.reason, person }, call_ms_max)),
    call_follow: async ({ path }) => ({ value: { backlog: [], live: await following(link(), path.id, person) }, source: "broker" }),
    undo_plan: ({ body }) => ask((port) => port.call("undo/plan", { target: body.target, person }, 60_000)),
    undo: ({ body }) => change((port) => port.call("undo/run", { ...body, person }, call_ms_max)),
    audit: async ({ query: { lines, ...filter } }) => {
      const next = auditPages(link, AuditQuery.parse({ ...filter, limit: 1 }), lines, person);
      return { value: { backlog: await next(), live: null, more: next }, source: "broker" };
    },
    audit_verify: () => ask((port) => port.call("audit/verify", { person }, verify_ms_max)),
    approvals: ({ query }) => ask(async (port) => (await port.call("approvals/list", { all: query.all, person })).approvals),
    approval_decide: ({ path, body }) => change((port) => port.call("approvals/decide", { call: path.id, ...body, person }, call_ms_max)),
    grants: ({ query }) => ask((port) => port.call("grants/list", { all: query.all, person })),
    policies: () => ask(async (port) => (await port.call("policies/list", { person })).policies),
  };
}

/** All pages of the catalogue. */
export async function allTools(port: BrokerPort): Promise<ToolDescription[]> {
  const tools: ToolDescription[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: { tools: ToolDescription[]; nextCursor: string | null } = await port.call("tools/list", { cursor });
    tools.push(...page.tools);
    if (page.nextCursor === null) return tools;
    cursor = page.nextCursor;
  }
}

/** Asks the broker for what changes nothing; when it is not there, or says no, that becomes a problem. */
export async function asked<T>(link: BrokerLink | null, work: (port: BrokerPort) => Promise<T>): Promise<T> {
  try {
    return await work(portOf(link));
  } catch (error) {
    throw inWords(error);
  }
}

/** Asks it for what may change something: when it goes away before it has answered, nobody may be told to ask again. */
export async function changed<T>(link: BrokerLink | null, work: (port: BrokerPort) => Promise<T>): Promise<T> {
  const port = portOf(link);
  try {
    return await work(port);
  } catch (error) {
    const went = error instanceof RpcError && error.code === rpc_error.unavailable && link?.port !== port;
    if (!went) throw inWords(error);
    const todo = "look at `aiosctl audit` before you ask again; a call with a key (--key) is done once, however often it is asked for";
    throw new ProblemError(502, `the broker went away before it answered, so whether it was done is not known: ${error.message}`, todo);
  }
}

function portOf(link: BrokerLink | null): BrokerPort {
  const port = link?.port ?? null;
  if (port === null) throw away(link?.why ?? "the console has not connected to it yet");
  return port;
}

/** What the broker says already tells what to do. */
function inWords(error: unknown): unknown {
  if (!(error instanceof RpcError)) return error;
  if (error.code === rpc_error.not_found) return new ProblemError(404, error.message);
  if (error.code === rpc_error.conflict) return new ProblemError(409, error.message);
  if (error.code === rpc_error.unavailable) return away(error.message);
  return error;
}

function away(why: string): ProblemError {
  return new ProblemError(503, `the broker is away: ${why}`, "look at it with `aiosctl services`, then ask again", { "retry-after": "2" });
}

/** Pages of the audit until there are `lines` entries or no more. */
function auditPages(link: () => BrokerLink | null, filter: AuditQuery, lines: number, person: Person): () => Promise<AuditEntry[]> {
  let left = lines;
  let before_seq = filter.before_seq;
  return async () => {
    if (left === 0) return [];
    const query = { ...filter, before_seq, limit: Math.min(left, page_entries) };
    const { entries } = await asked(link(), (port) => port.call("audit/query", { query, person }, 60_000));
    left = entries.length === 0 ? 0 : left - entries.length;
    before_seq = entries.at(-1)?.seq ?? null;
    return entries;
  };
}

type Live = NonNullable<Feed<CallNews>["live"]>;

/** What the call writes and how it ends. A call that has ended already says that alone. */
async function following(link: BrokerLink | null, call: string, person: Person): Promise<Live> {
  const early: CallNews[] = [];
  let take = (news: CallNews): void => void early.push(news);
  const stop = await follow(link, call, person, (news) => take(news));
  try {
    const { outcome } = await asked(link, (port) => port.call("calls/get", { call, person }));
    if (outcome !== null && outcome.status !== "waiting") take({ outcome });
  } catch (error) {
    stop();
    throw error;
  }
  return (push, end) => {
    let ended = false;
    take = (news) => {
      if (ended) return;
      push(news);
      ended = "outcome" in news;
      if (ended) end();
    };
    for (const news of early) take(news);
    return stop;
  };
}

async function follow(link: BrokerLink | null, call: string, person: Person, take: (news: CallNews) => void): Promise<() => void> {
  if (link === null) throw away("the console has not connected to it yet");
  const listeners = {
    onOutput: (stream: "stdout" | "stderr", text: string) => take({ stream, text }),
    onEnded: (outcome: CallOutcome) => take({ outcome }),
  };
  try {
    return await link.follow(call, person, listeners);
  } catch (error) {
    throw error instanceof RpcError ? inWords(error) : away(error instanceof Error ? error.message : String(error));
  }
}
