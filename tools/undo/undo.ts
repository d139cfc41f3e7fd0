/**
 * Taking back what was done: one call, all calls of a group, everything since a time; the newest first.
 *
 * It is refused as a whole, with the reason call by call, when one of them cannot be taken back, or when a later call that
 * is not among them changed the same things: its effect would be lost. Each call taken back is a call of its own, with its
 * own entries; taking that one back makes the first one anew.
 */

import { z } from "zod";
import type { UndoPlan, UndoTarget } from "../../contracts/broker.ts";
import { CallId, CallMeta, type CallOutcome, type Reason, type UndoState } from "../../contracts/tool.ts";
import type { Audit } from "../audit/audit.ts";
import type { Calls } from "../call/calls.ts";
import type { Request } from "../call/request.ts";
import type { Registry } from "../registry.ts";
import { type AnyTool, defineTool, type Past, ToolError } from "../tool.ts";
import { dependsOn, entriesSince, type PastCall, pastCalls } from "./past.ts";

type Undoer = Pick<Request, "principal" | "role" | "owner">;

interface UndoPorts {
  readonly audit: Audit;
  readonly registry: Registry;
  /** Whether the files of its before-image are still kept. */
  imagesKept(call: string): boolean;
}

interface History {
  /** Calls that changed something, newest first, back to the earliest that is asked about. */
  readonly calls: readonly PastCall[];
  /** The undo that took a call back, by the call. */
  readonly undone_by: ReadonlyMap<string, string>;
  /** The undos that were themselves taken back. */
  readonly redone: ReadonlySet<string>;
}

export class Undo {
  readonly #ports: UndoPorts;

  constructor(ports: UndoPorts) {
    this.#ports = ports;
  }

  /** @param passed_over calls whose effect may be lost */
  plan(target: UndoTarget, passed_over: readonly string[] = []): UndoPlan {
    const history = this.#history(target);
    const chosen = this.#chosen(target, history);
    const names = new Set([...chosen.map(({ call }) => call), ...passed_over]);
    const obstacles: UndoPlan["obstacles"] = chosen.flatMap((past) =>
      this.#obstacles(past, names, history).map((why) => ({ call: past.call, why })),
    );
    const calls = chosen.map((past) => ({ call: past.call, tool: past.tool, what: describe(past) }));
    if (calls.length === 0) obstacles.push({ call: "call" in target ? target.call : null, why: "there is no such change to take back" });
    return { calls, obstacles };
  }

  /** Whether that call can be taken back now. @param passed_over calls whose effect may be lost */
  stateOf(call: string, passed_over: readonly string[] = []): z.infer<typeof UndoState> {
    const history = this.#history({ call });
    const past = history.calls.find((one) => one.call === call);
    if (past === undefined) return "none";
    if (history.undone_by.has(call)) return "done";
    const obstacles = this.#obstacles(past, new Set([call, ...passed_over]), history);
    if (obstacles.length === 0) return "possible";
    return past.image !== null && !this.#ports.imagesKept(call) ? "expired" : "none";
  }

  /** That call, and before it what later changed the same things, over any number of steps and newest first: it has to go with it. */
  withLater(call: string): string[] {
    const { calls, undone_by } = this.#history({ call });
    const going: PastCall[] = [];
    for (const past of calls.toReversed()) {
      if (past.call !== call && (past.undoes !== null || undone_by.has(past.call) || !this.#stands(past))) continue;
      if (past.call === call || going.some((earlier) => dependsOn(past, earlier))) going.unshift(past);
    }
    return going.map((past) => past.call);
  }

  /** Whether the later call changed what the earlier one had changed. */
  isUpon(later: string, earlier: string): boolean {
    const [upon, first] = [this.#past(later), this.#past(earlier)];
    return upon.seq > first.seq && dependsOn(upon, first);
  }

  /**
   * @param calls where the undos are made @param passed_over calls whose effect may be lost
   * @throws {ToolError} when there are obstacles, naming them
   */
  async run(
    target: UndoTarget,
    who: Undoer,
    reason: Reason,
    calls: Calls,
    passed_over: readonly string[] = [],
  ): Promise<{ outcomes: CallOutcome[]; plan: UndoPlan }> {
    const plan = this.plan(target, passed_over);
    if (plan.obstacles.length > 0)
      throw new ToolError(
        `taking back failed: ${plan.obstacles.map(({ call, why }) => (call === null ? why : `${call}: ${why}`)).join("; ")}; nothing was changed`,
      );
    const outcomes: CallOutcome[] = [];
    const group = plan.calls.length > 1 ? `undo-${crypto.randomUUID()}` : null;
    for (const { call } of plan.calls) {
      const past = this.#past(call);
      const { _meta } = await calls.make(requestFor(past, who, CallMeta.parse({ reason, group }), this.#original(past), passed_over));
      outcomes.push(_meta);
      if (_meta.status !== "done") break;
    }
    return { outcomes, plan };
  }

  /** The tool that takes that call back, for the pipeline. */
  toolFor(
    { call, passed_over }: NonNullable<Request["undoes"]>,
    take_back: (tool: AnyTool, image: unknown, past: Past<unknown, unknown>) => Promise<void>,
  ): AnyTool | undefined {
    const past = pastCalls(this.#ports.audit.ofCall(call))[0];
    const tool = past === undefined ? undefined : this.#ports.registry.facts(past.tool);
    if (past === undefined || tool === undefined) return undefined;
    return defineTool({
      name: tool.name,
      title: `Undo: ${tool.title}`,
      description: `Takes back ${call}.`,
      input: z.strictObject({ call: CallId }),
      output: z.strictObject({ undone: CallId }),
      risk: tool.risk === "reversible" ? "reversible" : "compensable",
      timeout_ms: tool.timeout_ms + 60_000,
      idempotent: true,
      tainted: false,
      image: null,
      resolve: () => {
        const history = this.#history({ call });
        const obstacles = this.#obstacles(past, new Set([call, ...passed_over]), history);
        if (obstacles.length > 0) throw new ToolError(`taking back "${call}" failed: ${obstacles.join("; ")}`);
        return { resources: past.resources };
      },
      run: async () => {
        try {
          const taken_back = await this.#ports.registry.tool(past.tool);
          if (taken_back === undefined) throw new Error(`there is no tool "${past.tool}" any more`);
          await take_back(taken_back, readImage(taken_back, past), pastOf(past));
        } catch (error) {
          // No ToolError: what it has done so far is not known.
          throw new Error(error instanceof Error ? error.message : String(error));
        }
        return { undone: call };
      },
    });
  }

  #history(target: UndoTarget): History {
    const entries = [...entriesSince(this.#ports.audit, this.#from(target))];
    const calls = pastCalls(entries).sort((a, b) => b.seq - a.seq);
    const undone_by = new Map<string, string>();
    const redone = new Set<string>();
    for (const past of calls) {
      if (past.outcome?.status !== "done") continue;
      if (past.undoes !== null) undone_by.set(past.undoes, past.call);
      const redoes = past.outcome.body["redoes"];
      if (typeof redoes === "string") redone.add(redoes);
    }
    return { calls, undone_by, redone };
  }

  #from(target: UndoTarget): { readonly seq: number } | { readonly time_ms: number } {
    if ("since_ms" in target) return { time_ms: target.since_ms };
    if ("call" in target) return { seq: this.#ports.audit.ofCall(target.call)[0]?.seq ?? Number.MAX_SAFE_INTEGER };
    const of_group = { ...group_query, group: target.group };
    let first = Number.MAX_SAFE_INTEGER;
    for (let before: number | null = null; ; ) {
      const page = this.#ports.audit.query({ ...of_group, before_seq: before });
      const last = page.at(-1);
      if (last === undefined) return { seq: first };
      first = last.seq;
      before = last.seq;
    }
  }

  /** The changes that are asked for and still stand, newest first. Undos are taken back only when they are named. */
  #chosen(target: UndoTarget, { calls, undone_by }: History): PastCall[] {
    if ("call" in target) return calls.filter(({ call }) => call === target.call);
    const standing = calls.filter((past) => past.outcome?.status === "done" && past.undoes === null && !undone_by.has(past.call));
    return "group" in target ? standing.filter(({ group }) => group === target.group) : standing;
  }

  #obstacles(past: PastCall, together: ReadonlySet<string>, history: History): string[] {
    const tool = this.#ports.registry.facts(past.tool);
    if (past.outcome === null) return ["it is not over yet"];
    if (past.outcome.status !== "done") return [`it had no effect: it ended as ${past.outcome.status}`];
    const by = history.undone_by.get(past.call);
    if (by !== undefined) return [`it was taken back already, by ${by}`];
    if (tool === undefined) return [`there is no tool "${past.tool}" any more`];
    if (history.redone.has(past.call)) return ["what it took back was made anew already"];
    const later = this.#laterChanges(past, together, history);
    if (later.length > 0)
      return [
        `${later.join(", ")} came later and changed the same things; take ${later.length === 1 ? "it" : "them"} back first, or together`,
      ];
    if (past.undoes !== null) {
      return holdsRedacted(this.#original(past)?.arguments)
        ? ["the call that it took back held secrets, which are not kept; make that call anew"]
        : [];
    }
    if (!tool.undoable || past.image === null) return [`${past.tool} cannot be taken back`];
    return this.#ports.imagesKept(past.call) ? [] : ["its before-image was given up; see the audit's expiry entries"];
  }

  #laterChanges(past: PastCall, together: ReadonlySet<string>, { calls, undone_by }: History): string[] {
    return calls
      .filter((other) => other.seq > past.seq && !together.has(other.call) && other.undoes === null && !undone_by.has(other.call))
      .filter((other) => this.#stands(other) && dependsOn(other, past))
      .map(({ call }) => call);
  }

  /** Something of its own may be there. */
  #stands({ tool, outcome }: PastCall): boolean {
    if (this.#ports.registry.facts(tool)?.restores === true) return false;
    return outcome === null || outcome.status === "done" || outcome.status === "uncertain";
  }

  #past(call: string): PastCall {
    const past = pastCalls(this.#ports.audit.ofCall(call))[0];
    if (past === undefined) throw new ToolError(`looking up "${call}" failed: there is no such change in the audit`);
    return past;
  }

  /** For an undo: the call that it took back. */
  #original(past: PastCall): PastCall | null {
    return past.undoes === null ? null : this.#past(past.undoes);
  }
}

const group_query = {
  before_seq: null,
  limit: 500,
  since_ms: null,
  until_ms: null,
  kind: null,
  tool: null,
  principal: null,
  call: null,
  event: null,
  status: null,
  resource: null,
  text: null,
} as const;

function requestFor(past: PastCall, who: Undoer, meta: CallMeta, original: PastCall | null, passed_over: readonly string[]): Request {
  if (original === null)
    return {
      ...who,
      tool: past.tool,
      arguments: { call: past.call },
      meta,
      // a person's role may be another by now: policies are asked about him as about any call
      undoes: {
        call: past.call,
        own: who.principal === "system" || (past.principal === who.principal && who.role === null),
        passed_over: [...passed_over],
      },
      redoes: null,
    };
  return {
    ...who,
    tool: original.tool,
    arguments: z.record(z.string(), z.unknown()).parse(original.arguments),
    meta,
    undoes: null,
    redoes: past.call,
  };
}

/** The before-image as the tool's own schema reads it. @throws when it does not fit any more */
export function readImage(tool: AnyTool, past: PastCall): unknown {
  return tool.image === null ? null : tool.image.parse(past.image?.body["image"]);
}

export function pastOf(past: PastCall): Past<unknown, unknown> {
  return { call: past.call, input: past.arguments, output: past.outcome?.body["output"] ?? null };
}

function holdsRedacted(value: unknown): boolean {
  return JSON.stringify(value ?? null).includes('"[redacted]"');
}

function describe(past: PastCall): string {
  const things = past.resources.filter(({ access }) => access !== "read").map(({ id }) => id);
  return `${past.undoes === null ? past.tool : `undo of ${past.undoes}`} ${things.slice(0, 3).join(", ")}${things.length > 3 ? ` and ${things.length - 3} more` : ""}`.trim();
}
