/**
 * The tactical tier's part: what known playbook is tried, the calls, and whether it helped. Each try is a decision on record.
 *
 *   deciding ─▶ acting ─▶ watching ─▶ learning ─▶ solved
 *      ▲          │ │         │
 *      └──────────┘ ▼         │      a try that was refused, failed or did not help is taken back, and the next one decided;
 *      ▲         waiting      │      when nothing is left, or after `tries_max`, a person has to look (handed-over)
 *      └──────────────────────┘
 */

import type { Decision, Outcome } from "../../contracts/decision.ts";
import type { MemoryOutcome } from "../../contracts/memory/record.ts";
import type { Playbook } from "../../contracts/playbook.ts";
import type { CallOutcome } from "../../contracts/tool.ts";
import { fitting } from "../playbooks/playbooks.ts";
import type { AskTool, BrokerPeer } from "../shared/ask-tool.ts";
import type { Ids } from "../shared/ids.ts";
import type { Standing } from "../shared/standing.ts";
import { measureHealth, worseThan } from "./health.ts";
import type { Held, MemoryPeer } from "./incidents.ts";
import { recordOf, ruleOf } from "./track-record.ts";

/** An incident that three tries did not end is beyond what is known. */
const tries_max = 3;
const look_every_ms = 250;
const call_limit_ms = 600_000;
/** Decisions that are looked through for earlier tries. */
const decisions_looked_at = 1000;
const calls_named_max = 32;

export interface ActPorts {
  /** Each throws while its server is away. */
  readonly broker: () => BrokerPeer;
  readonly memory: () => MemoryPeer;
  readonly ask: AskTool;
  readonly standing: Standing;
  readonly playbooks: readonly Playbook[];
  readonly ids: Ids;
  readonly boot_ms: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

interface Try {
  readonly decision: Decision;
  readonly playbook: Playbook | null;
}

/** Goes on until the incident has ended or waits for somebody. @throws when memory or broker is away: nothing is lost */
export async function work(held: Held, ports: ActPorts): Promise<void> {
  if (!held.item.body.events.some((id) => ports.standing.isOfThisBoot(id))) {
    await leave(held, ports);
    return;
  }
  for (;;) {
    switch (held.item.state) {
      case "deciding":
        await decide(held, ports);
        break;
      case "acting":
        await act(held, ports);
        break;
      case "waiting":
        if (!(await approvalCame(held, ports))) return;
        break;
      case "watching":
        await watch(held, ports);
        break;
      case "learning":
        await learn(held, ports);
        return;
      default:
        return;
    }
  }
}

/**
 * The machine was started anew since. Whether its alarm stands is measured again, and is another incident if so; nobody knows
 * whether what was tried has helped, so it counts neither way.
 */
async function leave(held: Held, ports: ActPorts): Promise<void> {
  const why = "the machine was started anew before it was over";
  const made = await tryOf(held, ports);
  if (made?.decision.outcome.result === "pending") await settle(made, { result: "suppressed", detail: why }, ports);
  await held.move("parked", why);
}

async function decide(held: Held, ports: ActPorts): Promise<void> {
  const began_ms = performance.now();
  const { key, decisions: tried_ids, memories, health_before } = held.item.body;
  const event = ports.standing.get(key);
  if (event === null) {
    await cleared(held, ports);
    return;
  }
  const past = await ports.memory().call("decisions.list", { limit: decisions_looked_at });
  const tried = new Set(past.filter(({ id }) => tried_ids.includes(id)).map(({ rule }) => rule));
  const known = fitting(ports.playbooks, event.facts.alarm, event.facts.subject);
  const ranked = known
    .map((option) => ({ ...option, record: recordOf(past, option.playbook.name) }))
    .sort((a, b) => b.record.expected - a.record.expected || a.playbook.rank - b.playbook.rank);
  const [next, ...others] = ranked.filter(({ playbook }) => !tried.has(ruleOf(playbook.name)));
  if (next === undefined || tried_ids.length >= tries_max) {
    const what = tried.size === 0 ? "nothing is known against it" : `what is known did not help: ${[...tried].join(", ")}`;
    await held.move("handed-over", `a person has to look: ${what}`);
    return;
  }
  const before = health_before ?? (await measureHealth(ports.ask, ports.standing, key));
  const { expected, tries, worked } = next.record;
  const instead = others.map(({ playbook }) => playbook.name).join(", ") || "nothing else";
  const decision: Decision = {
    id: ports.ids.decision(),
    time_ms: Date.now(),
    boot_ms: ports.boot_ms(),
    tier: "tactical",
    trigger: event,
    rule: ruleOf(next.playbook.name),
    based_on: memories.slice(0, 32),
    reason: `${next.playbook.does}: it helped ${worked} of ${tries} times (expected ${expected.toFixed(2)}); else: ${instead}`,
    action: { do: "call", calls: next.calls.map(({ tool, arguments: args }) => ({ tool, arguments: { ...args } })) },
    took_us: Math.round((performance.now() - began_ms) * 1000),
    outcome: { result: "pending", detail: "the calls are being made", after_ms: null },
  };
  await ports.memory().call("decisions.append", { decisions: [decision] });
  await held.move("acting", decision.reason, { decisions: [...tried_ids, decision.id], health_before: { ...before } });
}

/** The alarm does not stand any more, and no try is under way. */
async function cleared(held: Held, { ask, standing }: ActPorts): Promise<void> {
  const { key, decisions, health_before } = held.item.body;
  const worse = health_before === null ? null : worseThan(health_before, await measureHealth(ask, standing, key));
  if (worse !== null) await held.move("handed-over", `a person has to look: the alarm is cleared, but ${worse}`);
  else await held.move("watching", decisions.length === 0 ? "the alarm was cleared before anything was done" : "the alarm was cleared");
}

/** The last try; null when none was made yet. */
async function tryOf(held: Held, { memory, playbooks }: ActPorts): Promise<Try | null> {
  const id = held.item.body.decisions.at(-1);
  if (id === undefined) return null;
  const decision = (await memory().call("decisions.list", { limit: decisions_looked_at })).find((one) => one.id === id);
  if (decision === undefined) throw new Error(`going on with "${held.item.id}" failed: memory does not have its decision "${id}"`);
  return { decision, playbook: playbooks.find(({ name }) => ruleOf(name) === decision.rule) ?? null };
}

async function act(held: Held, ports: ActPorts): Promise<void> {
  const current = await tryOf(held, ports);
  if (current === null || current.decision.action.do !== "call") {
    await held.move("deciding", "there is no decision to carry out");
    return;
  }
  const { decision, playbook } = current;
  for (const [at, call] of current.decision.action.calls.entries()) {
    const outcome = await called(held, decision, at, call, ports);
    if (outcome.status === "waiting") {
      await held.move("waiting", `${call.tool} waits for a person: ${outcome.text}`.slice(0, 500), {
        waits_for: { call: outcome.call, what: `an approval of ${call.tool}` },
      });
      return;
    }
    if (outcome.status === "done" || playbook?.steps[at]?.may_fail === true) continue;
    const refused = outcome.status === "refused" || outcome.status === "declined";
    await next(held, current, { result: refused ? "refused" : "failed", why: `${call.tool}: ${outcome.status}: ${outcome.text}` }, ports);
    return;
  }
  await held.move("watching", "all calls are made");
}

type ActionCall = Extract<Decision["action"], { do: "call" }>["calls"][number];

/** Made once, however often it is asked for: its key names the try and the step. */
async function called(held: Held, { id, trigger, reason }: Decision, at: number, call: ActionCall, ports: ActPorts): Promise<CallOutcome> {
  const why = { text: reason, event: trigger.id, decision: id };
  const _meta = { reason: why, group: id, key: `${id}/${at}`, tainted: [] };
  const answer = await ports.broker().call("tools/call", { name: call.tool, arguments: call.arguments, _meta }, call_limit_ms);
  const first = answer._meta;
  const { calls } = held.item.body;
  if (!calls.includes(first.call))
    await held.edit({ calls: [...calls, first.call].slice(-calls_named_max) }, `${call.tool}: ${first.status}`);
  if (first.status !== "waiting") return first;
  return (await ports.broker().call("calls/get", { call: first.call })).outcome ?? first;
}

async function approvalCame(held: Held, { broker }: ActPorts): Promise<boolean> {
  const call = held.item.body.waits_for?.call ?? null;
  const outcome = call === null ? null : (await broker().call("calls/get", { call })).outcome;
  if (outcome?.status === "waiting") return false;
  await held.move("acting", `the approval: ${outcome?.status ?? "nobody knows of the call"}`, { waits_for: null });
  return true;
}

async function watch(held: Held, ports: ActPorts): Promise<void> {
  const { key, health_before } = held.item.body;
  const made = await tryOf(held, ports);
  const current = made?.decision.outcome.result === "pending" ? made : null;
  const until_ms = performance.now() + (current?.playbook?.watch_ms ?? 0);
  while (ports.standing.get(key) !== null) {
    if (performance.now() >= until_ms) {
      const why = `the alarm still stood after ${(current?.playbook?.watch_ms ?? 0) / 1000} s`;
      if (current === null) await held.move("deciding", why);
      else await next(held, current, { result: "failed", why }, ports);
      return;
    }
    await ports.wait(look_every_ms);
  }
  const worse =
    current === null || health_before === null ? null : worseThan(health_before, await measureHealth(ports.ask, ports.standing, key));
  if (current !== null && worse !== null) {
    await next(held, current, { result: "failed", why: `the alarm was cleared, but ${worse}`, worse: true }, ports);
    return;
  }
  if (current !== null) await settle(current, { result: "done", detail: "the alarm was cleared" }, ports);
  await held.move("learning", current === null ? "it went away by itself" : "the alarm was cleared, and nothing else became worse");
}

interface NoHelp {
  readonly result: "failed" | "refused";
  readonly why: string;
  readonly worse?: boolean;
}

/** What did not help is taken back, as far as it can be, and on record; then the next is decided. */
async function next(held: Held, current: Try, { result, why, worse }: NoHelp, ports: ActPorts): Promise<void> {
  const back = await takenBack(current.decision, ports);
  await settle(current, { result, detail: `${why}; ${back}`.slice(0, 1000) }, ports);
  await remember(held, current, worse === true ? "worse" : "no-effect", why, ports);
  await held.move("deciding", why.slice(0, 500));
}

async function takenBack({ id }: Decision, { broker }: ActPorts): Promise<string> {
  try {
    const reason = { text: `decision ${id} did not help` };
    const { outcomes, plan } = await broker().call("undo/run", { target: { group: id }, reason }, call_limit_ms);
    if (plan.obstacles.length > 0) return `not taken back: ${plan.obstacles.map((obstacle) => obstacle.why).join("; ")}`;
    return outcomes.length === 0 ? "there was nothing to take back" : `taken back: ${outcomes.map(({ tool }) => tool).join(", ")}`;
  } catch (error) {
    return `not taken back: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function settle({ decision }: Try, outcome: Pick<Outcome, "result" | "detail">, { memory, boot_ms }: ActPorts): Promise<void> {
  const after_ms = Math.max(0, Math.round(boot_ms() - decision.boot_ms));
  await memory().call("decisions.append", { decisions: [{ ...decision, outcome: { ...outcome, after_ms } }] });
}

async function learn(held: Held, ports: ActPorts): Promise<void> {
  const made = await tryOf(held, ports);
  const current = made?.decision.outcome.result === "done" ? made : null;
  const lesson = current === null ? null : await remember(held, current, "worked", "the alarm was cleared", ports);
  const { memories } = held.item.body;
  if (current !== null && memories.length > 0) await ports.memory().call("used", { ids: memories.slice(0, 50), worked: true });
  await held.move("solved", current === null ? "it went away by itself" : `${current.decision.rule} helped`, { lesson });
}

/** @returns the id of the lesson */
async function remember(held: Held, { decision }: Try, outcome: MemoryOutcome, why: string, ports: ActPorts): Promise<string> {
  const { key, severity, service, taint } = held.item.body;
  const calls = decision.action.do === "call" ? decision.action.calls : [];
  const tools = calls.map(({ tool }) => tool);
  const id = ports.ids.memory();
  const helped = outcome === "worked" ? "helped" : "did not help";
  await ports.memory().call("append", {
    memories: [
      {
        id,
        time_ms: Date.now(),
        boot_ms: ports.boot_ms(),
        kind: "lesson",
        source: "tactical",
        severity,
        tier: "tactical",
        tool: tools[0] ?? null,
        service,
        outcome,
        text: `Against the alarm ${key}, ${decision.rule} (${tools.join(", ")}) ${helped}: ${why}.`.slice(0, 2000),
        body: { matter: key, rule: decision.rule, incident: held.item.id },
        taint,
        links: [
          { relation: "learned-from", to: decision.id },
          { relation: "about", to: decision.trigger.id },
        ],
      },
    ],
  });
  return id;
}
