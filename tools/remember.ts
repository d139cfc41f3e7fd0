/**
 * What was done becomes memory: every call that changed something or was kept from it, with who, what, why and what came of
 * it, in the order of the audit. The audit is where it is read from, so nothing is forgotten while memory is away or when
 * the broker is killed: it goes on after the last entry that memory has acknowledged, and the same call twice is one memory.
 *
 * What people said against decisions, by taking their calls back or declining them, is told to memory besides (overrides.ts); where the
 * audit goes back to before this was told, all of it is told first.
 *
 * Arguments come as the audit has them: what a tool's schema says is secret was redacted before it got there.
 */

import type { AuditEntry } from "../contracts/audit.ts";
import type { Severity } from "../contracts/event.ts";
import type { Memory, MemoryOutcome } from "../contracts/memory/record.ts";
import { MemoryId } from "../contracts/memory/record.ts";
import type { CallStatus } from "../contracts/tool.ts";
import { takeSecretsOut } from "../wire/secrets-in-text.ts";
import type { Context, State } from "./context.ts";
import { saidIn } from "./overrides.ts";

interface RememberOptions {
  readonly audit: {
    /** Entries of kind `outcome` after this one, of calls that were to change something, oldest first. */
    outcomesAfter(seq: number, limit: number): AuditEntry[];
    ofCall(call: string): AuditEntry[];
    readonly entries: number;
  };
  /** Keeps how far it came. */
  readonly state: State;
  readonly memory: () => Context["memory"];
  /** Whether what a tool says may hold text from outside. */
  readonly tainted: (tool: string) => boolean;
  readonly log: (text: string) => void;
}

const mark = "remembered";
/** Set once memory knows what people said before that was told with the rest. */
const mark_overrides = "overrides-told";
const batch_max = 50;
/** Calls that end one after another are told together. */
const wait_ms = 100;
const retry_ms = 5000;
const arguments_chars_max = 16_384;
const resources_max = 5;

export class Remembering {
  readonly #options: RememberOptions;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #working: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #failing = false;
  /** Nothing up to here is to be told any more: calls that only look are not looked at each time. */
  #looked_at = 0;

  constructor(options: RememberOptions) {
    this.#options = options;
  }

  /** A call has ended, or there may be some from before. */
  wake(after_ms = wait_ms): void {
    this.#again = true;
    if (this.#stopped || this.#working !== null) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#working = this.#work().finally(() => {
        this.#working = null;
        if (this.#again) this.wake(this.#failing ? retry_ms : wait_ms);
      });
    }, after_ms);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#working;
  }

  async #work(): Promise<void> {
    this.#again = false;
    try {
      await this.#tellOverridesFromBefore();
      while (!this.#stopped && (await this.#tellSome()));
      this.#failing = false;
    } catch (error) {
      this.#again = true;
      if (!this.#failing)
        this.#options.log(`remembering calls failed, it is tried again: ${error instanceof Error ? error.message : String(error)}`);
      this.#failing = true;
    }
  }

  /** @returns whether there may be more */
  async #tellSome(): Promise<boolean> {
    const { audit, state, memory } = this.#options;
    const done = state.get(mark);
    // an audit that was begun anew counts from one again
    const head = audit.entries;
    const from = typeof done === "number" && done <= head ? Math.max(done, this.#looked_at) : 0;
    const outcomes = audit.outcomesAfter(from, batch_max);
    const last = outcomes.at(-1);
    if (last === undefined) {
      this.#looked_at = head;
      return false;
    }
    const peer = memory();
    if (peer === null) throw new Error("the memory service is away");
    const memories = outcomes.flatMap((outcome) => this.#memoriesOf(outcome));
    takeSecretsOut(memories);
    if (memories.length > 0) await peer.call("append", { memories });
    await this.#tellOverrides(outcomes, peer);
    state.put(mark, last.seq);
    return outcomes.length === batch_max;
  }

  async #tellOverrides(outcomes: readonly AuditEntry[], peer: NonNullable<Context["memory"]>): Promise<void> {
    const said = outcomes.flatMap((outcome) => saidIn(outcome, (call) => this.#options.audit.ofCall(call)) ?? []);
    takeSecretsOut(said);
    if (said.length > 0) await peer.call("learning.override", { said });
  }

  /** Up to where the rest is told. @throws when memory is away: it begins again */
  async #tellOverridesFromBefore(): Promise<void> {
    const { audit, state, memory } = this.#options;
    if (state.get(mark_overrides) === true) return;
    const told = state.get(mark);
    const upto = typeof told === "number" ? told : 0;
    for (let from = 0; from < upto && !this.#stopped; ) {
      const peer = memory();
      if (peer === null) throw new Error("the memory service is away");
      const outcomes = audit.outcomesAfter(from, batch_max).filter(({ seq }) => seq <= upto);
      await this.#tellOverrides(outcomes, peer);
      from = outcomes.at(-1)?.seq ?? upto;
      await Bun.sleep(0); // the audit may be long, and others want to be answered
    }
    if (!this.#stopped) state.put(mark_overrides, true);
  }

  /** The call, and the one that it took back. */
  #memoriesOf(outcome: AuditEntry): Memory[] {
    const { audit, tainted } = this.#options;
    if (outcome.call === null || outcome.tool === null) return [];
    const own = actionOf(audit.ofCall(outcome.call), tainted(outcome.tool));
    const undone = outcome.body["undoes"] ?? audit.ofCall(outcome.call).find(({ kind }) => kind === "intent")?.body["undoes"];
    if (own === null || outcome.status !== "done" || typeof undone !== "string") return own === null ? [] : [own];
    const before = actionOf(audit.ofCall(undone), tainted(outcome.tool));
    return [own, ...(before === null ? [] : [{ ...before, outcome: "undone" as const }])];
  }
}

const outcomes: Readonly<Partial<Record<CallStatus, readonly [MemoryOutcome, Severity]>>> = {
  done: ["worked", "info"],
  undone: ["failed", "warning"],
  failed: ["failed", "warning"],
  uncertain: ["failed", "error"],
  refused: ["refused", "notice"],
  limited: ["refused", "notice"],
  declined: ["refused", "notice"],
};

/** @returns the memory of a call, from its entries; null: there is nothing to remember (it waits, it was only looked at) */
function actionOf(entries: readonly AuditEntry[], tainted_tool: boolean): Memory | null {
  const intent = entries.find(({ kind }) => kind === "intent");
  const outcome = entries.findLast(({ kind }) => kind === "outcome");
  if (outcome?.status == null || outcome.call === null || outcome.tool === null) return null;
  const came = outcomes[outcome.status];
  if (came === undefined || !MemoryId.safeParse(outcome.call).success) return null;
  const { call, tool, principal, reason, resources } = outcome;
  const said = String(outcome.body["text"] ?? "");
  const marked = intent?.body["tainted"];
  const is_tainted = (Array.isArray(marked) && marked.length > 0) || (tainted_tool && outcome.status !== "done");
  const undoes = intent?.body["undoes"] ?? outcome.body["undoes"];
  return {
    ...{ id: call, time_ms: outcome.time_ms, boot_ms: outcome.boot_ms, kind: "action", source: "broker", tool },
    severity: came[1],
    tier: tierOf(principal),
    service: resources.find(({ kind }) => kind === "service")?.id.slice(0, 100) ?? null,
    outcome: came[0],
    text: wordsOf(outcome, said).slice(0, 8192),
    body: {
      ...{ principal, status: outcome.status, group: outcome.group, text: said },
      why: JSON.parse(JSON.stringify(reason)),
      arguments: argumentsOf(intent),
    },
    taint: is_tainted ? [`call:${call}`] : [],
    links: [
      ...(outcome.event === null ? [] : [{ relation: "caused-by" as const, to: outcome.event }]),
      ...(reason?.decision == null ? [] : [{ relation: "part-of" as const, to: reason.decision }]),
      ...(typeof undoes === "string" ? [{ relation: "undoes" as const, to: undoes }] : []),
    ],
  };
}

/** As somebody would ask for it later. */
function wordsOf({ tool, principal, status, reason, resources }: AuditEntry, said: string): string {
  const on = resources.slice(0, resources_max).map(({ kind, id }) => `${kind} ${id}`);
  const what = `${tool}${on.length === 0 ? "" : ` on ${on.join(", ")}`} by ${principal}: ${status}`;
  const why = reason === null ? "" : `, because: ${reason.text}`;
  return status === "done" ? `${what}${why}` : `${what}${why}; ${said}`;
}

function argumentsOf(intent: AuditEntry | undefined): Memory["body"][string] {
  const text = JSON.stringify(intent?.body["arguments"] ?? null);
  return text.length > arguments_chars_max ? `${text.length} characters, in the audit under the call` : JSON.parse(text);
}

function tierOf(principal: string): Memory["tier"] {
  return (["reactive", "operational", "tactical", "strategic"] as const).find((tier) => principal === `tier:${tier}`) ?? null;
}
