/** The broker as the console sees it: answers from records, remembers what it was asked. */

import { mkdirSync } from "node:fs";
import { broker_methods, broker_notifications } from "../../contracts/broker.ts";
import { callerSocket, callerSocketFolder } from "../../contracts/paths.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import type { CallOutcome } from "../../contracts/tool.ts";
import { type Handlers, type Peer, RpcError } from "../../wire/peer.ts";
import { listenUnix } from "../../wire/unix.ts";
import * as records from "./broker-records.ts";

type Side = Peer<typeof broker_methods, Record<never, never>, Record<never, never>, typeof broker_notifications>;

export interface FakeBroker {
  /** What was asked, in order. */
  readonly calls: { readonly method: string; readonly params: unknown }[];
  /** Connections that follow a call. */
  readonly followers: Set<Side>;
  /** May be replaced by a test. */
  readonly answers: Handlers<typeof broker_methods>;
  /** Of calls/get: null while the call runs. */
  outcome: CallOutcome | null;
  /** Open ones. */
  connections: number;
  close(): void;
}

export function startFakeBroker(run: string): FakeBroker {
  mkdirSync(callerSocketFolder("broker", "console", run), { recursive: true });
  const followers = new Set<Side>();
  const known = (call: string): void => {
    if (call !== records.call_id && call !== records.waiting_id)
      throw new RpcError(rpc_error.not_found, `there is no call "${call}" in the audit`);
  };
  const fake: FakeBroker = {
    calls: [],
    followers,
    outcome: records.outcome,
    connections: 0,
    answers: {
      "tools/list": ({ cursor }) => {
        const rest = records.tools.filter(({ name }) => cursor === null || name > cursor);
        return { tools: rest.slice(0, 2), nextCursor: rest.length > 2 ? (rest[1]?.name ?? null) : null, total: records.tools.length };
      },
      "tools/get": ({ name }) => {
        const found = records.tools.find((tool) => tool.name === name);
        if (found === undefined) throw new RpcError(rpc_error.not_found, `there is no tool "${name}"`);
        return found;
      },
      "tools/call": ({ name }) => (name === "sys.power" ? records.waiting : records.result),
      "calls/get": ({ call }) => {
        known(call);
        return { outcome: fake.outcome, entries: records.entries.filter((entry) => entry.call === call), approval: null };
      },
      "calls/cancel": ({ call }) => {
        known(call);
        return { ...records.outcome, status: "undone" };
      },
      "calls/confirm": ({ call }) => {
        known(call);
        return { confirmed: true };
      },
      "calls/follow": ({ call }) => {
        known(call);
        return {};
      },
      "undo/plan": () => records.plan,
      "undo/run": () => ({ outcomes: [records.outcome], plan: records.plan }),
      "audit/query": ({ query }) => {
        const before = query.before_seq ?? Number.MAX_SAFE_INTEGER;
        const found = records.entries.filter(({ seq, kind }) => seq < before && (query.kind === null || kind === query.kind));
        return { entries: found.reverse().slice(0, Math.min(query.limit, 2)) };
      },
      "audit/verify": () => ({ whole: true, entries: records.entries.length, head: "4".padStart(64, "0"), faults: [], took_ms: 3 }),
      "approvals/list": () => ({ approvals: [records.approval] }),
      "approvals/decide": ({ call, approve }) => {
        known(call);
        return approve ? records.result : { ...records.waiting, _meta: { ...records.waiting._meta, status: "declined", text: "declined" } };
      },
      "reviews/pending": () => ({ approvals: [] }),
      "reviews/give": () => records.approval,
      "grants/list": () => ({ grants: [records.grant], agents: [records.agent] }),
      "policies/list": () => ({ policies: [records.policy] }),
    },
    close: () => listening.close(),
  };
  const handlersFor = (peer: () => Side): Handlers<typeof broker_methods> =>
    Object.fromEntries(
      Object.keys(broker_methods).map((method) => [
        method,
        async (params: never) => {
          fake.calls.push({ method, params });
          if (method === "calls/follow") followers.add(peer());
          return await fake.answers[method as keyof typeof broker_methods](params);
        },
      ]),
    ) as unknown as Handlers<typeof broker_methods>;
  const listening = listenUnix<typeof broker_methods, Record<never, never>, Record<never, never>, typeof broker_notifications>(
    callerSocket("broker", "console", run),
    0o660,
    (peer) => {
      fake.connections += 1;
      return {
        serves: { methods: broker_methods, handlers: handlersFor(peer) },
        hears: { notifications: {}, listeners: {} },
        calls: {},
        tells: broker_notifications,
        onClose: () => {
          fake.connections -= 1;
          followers.delete(peer());
        },
      };
    },
  );
  return fake;
}
