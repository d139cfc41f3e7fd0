/**
 * One socket for each caller of the broker. Who calls is decided here, by the socket, and nowhere else: a tier is itself,
 * or an agent of its own; only the console speaks for people.
 */

import { existsSync } from "node:fs";
import {
  type BrokerCaller,
  broker_callers,
  broker_methods,
  broker_notifications,
  broker_permissions,
  type OnBehalf,
} from "../contracts/broker.ts";
import { callerSocket, callerSocketFolder } from "../contracts/paths.ts";
import type { Agent, Grant, PolicyInfo } from "../contracts/permission.ts";
import { rpc_error } from "../contracts/rpc.ts";
import type { CallOutcome, Principal, ToolDescription } from "../contracts/tool.ts";
import { type Handlers, type Peer, RpcError } from "../wire/peer.ts";
import { takeSecretsOut } from "../wire/secrets-in-text.ts";
import { listenUnix } from "../wire/unix.ts";
import type { Audit } from "./audit/audit.ts";
import type { Approvals } from "./call/approvals.ts";
import type { Calls } from "./call/calls.ts";
import { isRecord } from "./call/entries.ts";
import type { Request } from "./call/request.ts";
import { pendingReviews } from "./call/review.ts";
import type { Output } from "./output.ts";
import type { Authority } from "./policy/authorise.ts";
import type { Registry } from "./registry.ts";
import { ToolError } from "./tool.ts";
import type { Confirmations } from "./undo/confirm.ts";
import type { Undo } from "./undo/undo.ts";

export interface Broker {
  readonly registry: Registry;
  readonly calls: Calls;
  readonly undo: Undo;
  readonly audit: Audit;
  readonly approvals: Approvals;
  readonly authority: Authority;
  readonly output: Output;
  readonly confirmations: Pick<Confirmations, "deadlineOf">;
  /** Lets a call stand that would be taken back, and what it was made upon. @returns false when it does not wait for that (any more) */
  confirm(call: string): boolean;
  readonly clock: { now_ms(): number };
  agents(): readonly Agent[];
  grants(all: boolean): readonly Grant[];
  policies(): readonly PolicyInfo[];
}

const socket_mode = 0o660;
/** Descriptions of a page: each is a few kilobytes, and all of a page have to fit into one frame. */
const page_bytes_max = 160 * 1024;

export interface BrokerServer {
  /** Callers whose socket could not be made, because their folder is missing. */
  readonly missing: readonly string[];
  close(): void;
}

type BrokerPeer = Peer<typeof broker_methods, Record<never, never>, Record<never, never>, typeof broker_notifications>;

export function serveBroker(run: string, broker: Broker): BrokerServer {
  const present = broker_callers.filter((caller) => existsSync(callerSocketFolder("broker", caller, run)));
  const listening = present.map((caller) =>
    listenUnix(callerSocket("broker", caller, run), socket_mode, (peer: () => BrokerPeer) => {
      const follows: (() => void)[] = [];
      return {
        serves: { methods: broker_methods, handlers: handlersFor(caller, broker, peer, follows) },
        hears: { notifications: {}, listeners: {} },
        calls: {},
        tells: broker_notifications,
        cleans: cleanReason,
        refuses: (method) =>
          broker_permissions[caller].some((allowed) => allowed === method) ? null : `${caller} may not call "${method}"`,
        onClose: () => {
          for (const stop of follows) stop();
        },
      };
    }),
  );
  return {
    missing: broker_callers.filter((caller) => !present.includes(caller)),
    close: () => {
      for (const one of listening) one.close();
    },
  };
}

/** Why, as people and models tell it, is kept for ever: a secret in it is not. Arguments are redacted by their schema. */
function cleanReason(params: unknown): void {
  for (const holder of [params, isRecord(params) ? params["_meta"] : null]) {
    if (!isRecord(holder) || !("reason" in holder)) continue;
    const told = { reason: holder["reason"] };
    takeSecretsOut(told);
    holder["reason"] = told.reason;
  }
}

type Who = Pick<Request, "principal" | "role" | "owner">;

function handlersFor(
  caller: BrokerCaller,
  broker: Broker,
  peer: () => BrokerPeer,
  follows: (() => void)[],
): Handlers<typeof broker_methods> {
  const who = (person: OnBehalf | undefined, as: string | null = null): Who => identify(caller, person, as, broker);
  return {
    "tools/list": ({ cursor, limit }) => page(broker.registry, cursor, limit),
    "tools/get": ({ name }) => {
      const described = broker.registry.describe(name);
      if (described === undefined)
        throw new RpcError(rpc_error.not_found, `there is no tool "${name}"; tools/list names those that there are`);
      return described;
    },
    "tools/call": async ({ name, arguments: args, _meta, person }) =>
      await broker.calls.make({ ...who(person, _meta.as), tool: name, arguments: args, meta: _meta, undoes: null, redoes: null }),
    "calls/get": async ({ call, wait_ms, person }) => {
      const running = broker.calls.running(call);
      if (running !== null && wait_ms > 0) await Promise.race([running, Bun.sleep(wait_ms)]);
      return record(broker, call, who(person));
    },
    "calls/cancel": async ({ call, reason, person }) => {
      const { principal } = who(person);
      changeable(broker, call, who(person));
      const running = broker.calls.running(call);
      if (!(await broker.calls.cancel(call, principal, reason)))
        throw new RpcError(rpc_error.conflict, `cancelling "${call}" failed: it neither runs nor waits`);
      return (await running)?._meta ?? lastOutcome(broker, call);
    },
    "calls/confirm": ({ call, person }) => {
      changeable(broker, call, who(person));
      if (!broker.confirm(call))
        throw new RpcError(rpc_error.conflict, `confirming "${call}" failed: it does not wait for that; it stands, or was taken back`);
      return { confirmed: true };
    },
    "calls/follow": ({ call, person }) => {
      mine(broker, call, who(person));
      follows.push(
        broker.output.follow(call, {
          piece: (stream, text) => void peer().tell("call.output", { call, stream, text }),
          ended: (outcome) => void peer().tell("call.ended", { outcome }),
        }),
      );
      return {};
    },
    "undo/plan": ({ target, person }) => {
      const plan = broker.undo.plan(target);
      for (const { call } of plan.calls) mine(broker, call, who(person));
      return plan;
    },
    "undo/run": async ({ target, reason, person }) =>
      await said(rpc_error.conflict, () => broker.undo.run(target, who(person), reason, broker.calls)),
    "audit/query": ({ query, person }) => {
      const { principal } = who(person);
      return { entries: fitting(broker.audit.query(caller === "console" ? query : { ...query, principal })) };
    },
    "audit/verify": async ({ person }) => {
      who(person);
      return await broker.audit.verify();
    },
    "reviews/pending": () => ({ approvals: fitting(pendingReviews(broker.approvals.list(false))) }),
    "reviews/give": async ({ call, opinion }) => await said(rpc_error.conflict, () => broker.calls.review(call, opinion)),
    "approvals/list": ({ all, person }) => {
      who(person);
      return { approvals: fitting(broker.approvals.list(all)) };
    },
    "approvals/decide": async ({ call, approve, reason, person }) => {
      const by = who(person);
      if (approve) mayApprove(broker, call, by);
      else changeable(broker, call, by);
      return await said(rpc_error.conflict, () => broker.calls.decide(call, approve, by.principal, reason, by.role));
    },
    "grants/list": ({ all, person }) => {
      who(person);
      return { grants: [...broker.grants(all)], agents: [...broker.agents()] };
    },
    "policies/list": ({ person }) => {
      who(person);
      return { policies: [...broker.policies()] };
    },
  };
}

/** @throws {RpcError} when the caller claims to be somebody that it is not */
function identify(caller: BrokerCaller, person: OnBehalf | undefined, as: string | null, broker: Pick<Broker, "agents" | "clock">): Who {
  if (caller === "console") {
    if (person === undefined) throw new RpcError(rpc_error.invalid_params, "the console has to say for which person it calls");
    if (as !== null) throw new RpcError(rpc_error.not_permitted, `a person does not call as an agent ("${as}")`);
    return { principal: `person:${person.name}`, role: person.role, owner: null };
  }
  if (person !== undefined) throw new RpcError(rpc_error.not_permitted, `${caller} does not speak for people`);
  const tier = `tier:${caller}` as const;
  if (as === null) return { principal: tier, role: null, owner: null };
  const now = broker.clock.now_ms();
  const agent = broker.agents().find((one) => one.name === as && one.ended_ms === null && one.expires_ms > now);
  if (agent === undefined)
    throw new RpcError(rpc_error.not_permitted, `there is no agent "${as}" whose lease still runs; make one with sec.lease`);
  if (agent.owner !== tier) throw new RpcError(rpc_error.not_permitted, `the agent "${as}" belongs to ${agent.owner}, not to ${tier}`);
  return { principal: `agent:${as}`, role: null, owner: tier };
}

/** What a person may approve is the policies' matter, too. */
function mayApprove(broker: Broker, call: string, by: Who): void {
  const waiting = broker.approvals.get(call);
  if (waiting === null) throw new RpcError(rpc_error.not_found, `approving "${call}" failed: no such call waits; see approvals/list`);
  const { principal, tool, risk, resources, tainted } = waiting.approval;
  const context = { tainted: tainted.length > 0, calls_last_hour: 0, cost_today_usd: 0, now_ms: broker.clock.now_ms(), approved: true };
  const verdict = broker.authority.mayApprove({ principal, role: null, owner: null, tool, risk, resources, context }, by);
  if (verdict.effect !== "allow") throw new RpcError(rpc_error.not_permitted, `approving "${call}" failed: ${verdict.reason}`);
}

function page(registry: Registry, cursor: string | null, limit: number) {
  const all = registry.names();
  const begin = cursor === null ? 0 : all.findIndex((name) => name > cursor);
  const rest = begin < 0 ? [] : all.slice(begin);
  const tools: ToolDescription[] = [];
  let bytes = 0;
  for (const name of rest.slice(0, limit)) {
    const described = registry.describe(name);
    if (described === undefined) continue;
    bytes += JSON.stringify(described).length;
    if (tools.length > 0 && bytes > page_bytes_max) break;
    tools.push(described);
  }
  return { tools, nextCursor: tools.length < rest.length ? (tools.at(-1)?.name ?? null) : null, total: all.length };
}

function record(broker: Broker, call: string, who: Who) {
  const entries = mine(broker, call, who);
  return { outcome: lastOutcomeOrNull(broker, call), entries: fitting(entries), approval: broker.approvals.get(call)?.approval ?? null };
}

/** The entries of a call that the caller may see: a person all, everyone else its own. @throws {RpcError} */
function mine(broker: Broker, call: string, who: Who) {
  const entries = broker.audit.ofCall(call);
  const callers = callersOf(broker, call, entries);
  if (callers.length === 0)
    throw new RpcError(
      rpc_error.not_found,
      `there is no call "${call}" in the audit; a look that a tier repeats is counted with its first one: entries of kind "repeats" say so`,
    );
  if (who.role === null && !callers.some((caller) => isOwn(broker, caller, who)))
    throw new RpcError(rpc_error.not_permitted, `"${call}" is not a call of ${who.principal}`);
  return entries;
}

/** That, and whether he may end it, keep it or say no to it: an observer only what he asked for himself. @throws {RpcError} */
function changeable(broker: Broker, call: string, who: Who): void {
  const callers = callersOf(broker, call, mine(broker, call, who));
  if (who.role === "observer" && !callers.includes(who.principal))
    throw new RpcError(rpc_error.not_permitted, `"${call}" is not a call of ${who.principal}, and an observer changes nothing of others`);
}

/** Whose call it is: by the record, by what waits, and by what is in work. */
function callersOf(broker: Broker, call: string, entries: readonly { readonly principal: Principal }[]): Principal[] {
  const further = [broker.approvals.get(call)?.approval.principal ?? null, broker.calls.callerOf(call)];
  return [...entries.map(({ principal }) => principal), ...further.filter((one) => one !== null)];
}

function isOwn(broker: Broker, principal: Principal, who: Who): boolean {
  return principal === who.principal || (who.owner === null && isAgentOf(broker, principal, who));
}

function isAgentOf(broker: Broker, principal: string, who: Who): boolean {
  return broker.agents().some((agent) => `agent:${agent.name}` === principal && agent.owner === who.principal);
}

function lastOutcome(broker: Broker, call: string): CallOutcome {
  const found = lastOutcomeOrNull(broker, call);
  if (found === null) throw new RpcError(rpc_error.conflict, `"${call}" has no outcome yet; ask calls/get`);
  return found;
}

function lastOutcomeOrNull(broker: Broker, call: string): CallOutcome | null {
  const entry = broker.audit.ofCall(call).findLast(({ kind }) => kind === "outcome");
  if (entry?.status == null || entry.tool === null) return null;
  const { text, took_ms, policies } = entry.body;
  const tool = broker.registry.facts(entry.tool);
  return {
    call,
    tool: entry.tool,
    principal: entry.principal,
    status: entry.status,
    text: typeof text === "string" ? text.slice(0, 4000) : "",
    tainted: tool?.tainted === true && entry.status === "done" && entry.body["tainted"] !== false,
    policies: Array.isArray(policies) ? policies.map(String) : [],
    undo: broker.undo.stateOf(call),
    confirm_by_ms: broker.confirmations.deadlineOf(call),
    took_ms: typeof took_ms === "number" ? took_ms : 0,
  };
}

/** As many from the front as fit into one frame. */
function fitting<T>(items: readonly T[]): T[] {
  let bytes = 0;
  const kept: T[] = [];
  for (const item of items) {
    bytes += Buffer.byteLength(JSON.stringify(item));
    if (kept.length > 0 && bytes > answer_bytes_max) break;
    kept.push(item);
  }
  return kept;
}

const answer_bytes_max = 200 * 1024;

/** A ToolError is an answer with that code; everything else is a defect. */
async function said<T>(code: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ToolError ? new RpcError(code, error.message) : error;
  }
}
