/**
 * What the broker does before it takes its first call: every call that has an intent and no outcome is brought to one.
 *
 *   intent alone, and the tool keeps before-images   it never began                                → failed
 *   intent alone, and the tool keeps none            whether it ran is not known                   → uncertain
 *   intent and before-image                          the effect is there as a whole (`settled`)    → done
 *                                                    it is not: it is taken back                   → undone
 *                                                    taking it back failed                         → uncertain
 *   an undo                                          it is done again: done twice is done once     → done, or uncertain
 */

import type { AuditEntry } from "../../contracts/audit.ts";
import { type CallMeta, CallMeta as CallMetaSchema, type CallOutcome, type CallStatus } from "../../contracts/tool.ts";
import type { Audit } from "../audit/audit.ts";
import type { Context } from "../context.ts";
import type { Registry } from "../registry.ts";
import type { AnyTool } from "../tool.ts";
import { type PastCall, pastCalls } from "../undo/past.ts";
import { pastOf, readImage } from "../undo/undo.ts";
import { bounded } from "./bounded.ts";
import { outcomeEntry, outcomeOf, textOf } from "./entries.ts";

export interface RecoverPorts {
  readonly audit: Audit;
  readonly registry: Registry;
  contextOf(call: string, tool: string, principal: AuditEntry["principal"], signal: AbortSignal): Context;
}

interface Found {
  readonly status: CallStatus;
  readonly text: string;
}

/** Yields the outcomes that were found, oldest call first. Done again it goes on after the last. @throws when the audit cannot be written */
export async function* recover(ports: RecoverPorts): AsyncGenerator<CallOutcome> {
  for (const entries of ports.audit.unfinished().values()) {
    const past = pastCalls(entries)[0];
    const intent = entries.find((entry) => entry.kind === "intent");
    if (past === undefined || intent === undefined) continue;
    const found = await finish(ports, past, intent);
    const outcome = outcomeOf(past.call, past.tool, past.principal, found.status, `the broker was interrupted: ${found.text}`, 0);
    const undo = found.status === "done" && past.image !== null ? "possible" : "none";
    const body = { text: outcome.text, recovered: true, undoes: past.undoes, redoes: intent.body["redoes"] ?? null };
    await ports.audit.append(
      outcomeEntry({ principal: past.principal, tool: past.tool, meta: metaOf(intent) }, outcome, past.resources, body),
    );
    yield { ...outcome, undo };
  }
}

async function finish(ports: RecoverPorts, past: PastCall, intent: AuditEntry): Promise<Found> {
  const tool = await ports.registry.tool(past.tool);
  if (tool === undefined) return { status: "uncertain", text: `there is no tool "${past.tool}" any more to look with` };
  try {
    if (past.undoes !== null) return await undoAgain(ports, past.undoes);
    if (past.image === null)
      return intent.body["has_image"] === true
        ? { status: "failed", text: "it had not begun, and nothing was done" }
        : { status: "uncertain", text: `whether ${past.tool} ran is not known: look at the system` };
    return await finishOrUndo(ports, tool, past);
  } catch (error) {
    return { status: "uncertain", text: `${textOf(error)}: look at the system` };
  }
}

async function finishOrUndo(ports: RecoverPorts, tool: AnyTool, past: PastCall): Promise<Found> {
  const image = readImage(tool, past);
  const whole = await working(ports, tool, past, async (context) => (await tool.settled?.(image, pastOf(past), context)) ?? false);
  if (whole) return { status: "done", text: "the effect is there as a whole" };
  await takeBack(ports, tool, past);
  return { status: "undone", text: "what had been changed was taken back" };
}

async function undoAgain(ports: RecoverPorts, call: string): Promise<Found> {
  const past = pastCalls(ports.audit.ofCall(call))[0];
  const tool = past === undefined ? undefined : await ports.registry.tool(past.tool);
  if (past === undefined || tool === undefined) return { status: "uncertain", text: `what "${call}" had done is not known any more` };
  await takeBack(ports, tool, past);
  return { status: "done", text: `"${call}" was taken back` };
}

function takeBack(ports: RecoverPorts, tool: AnyTool, past: PastCall): Promise<void> {
  const image = readImage(tool, past);
  return working(ports, tool, past, async (context) => {
    await tool.undo?.(image, pastOf(past), context);
    await tool.verifyUndone?.(image, pastOf(past), context);
  });
}

function working<T>(ports: RecoverPorts, tool: AnyTool, past: PastCall, work: (context: Context) => Promise<T>): Promise<T> {
  const limit_ms = tool.timeout_ms + 60_000;
  return bounded(`finishing ${tool.name}`, limit_ms, null, (signal) => work(ports.contextOf(past.call, tool.name, past.principal, signal)));
}

function metaOf(intent: AuditEntry): CallMeta {
  return CallMetaSchema.parse({ reason: intent.reason ?? { text: "unknown" }, group: intent.group });
}
