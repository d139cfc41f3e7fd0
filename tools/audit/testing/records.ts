/** Audits and entries for tests. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Reason } from "../../../contracts/tool.ts";
import type { Clock } from "../../context.ts";
import type { NewEntry } from "../audit.ts";
import { type AuditOptions, ChainedAudit } from "../chained.ts";

export const boot = "0badcafe";

export const newFolder = (): string => mkdtempSync(join(tmpdir(), "audit-"));

/** A clock that goes on by one millisecond each time somebody looks at it. */
export function steppingClock(start_ms = 1_700_000_000_000): Clock {
  let at = 0;
  const next = (): number => {
    at += 1;
    return at;
  };
  return { now_ms: () => start_ms + next(), boot_ms: next };
}

export function auditIn(folder: string, options: Partial<AuditOptions> = {}): ChainedAudit {
  return new ChainedAudit({ folder, clock: steppingClock(), boot, kmsg: null, must_last: false, ...options });
}

export function reason(text: string): Reason {
  return { text, event: null, decision: null, alternatives: [], confidence: null, model: null, cost_usd: 0 };
}

/** An entry of call `number`, which writes `/srv/<number>`. */
export function entryOf(number: number, kind: NewEntry["kind"] = "outcome", more: Partial<NewEntry> = {}): NewEntry {
  return {
    kind,
    call: `${boot}-call-${number}`,
    principal: "tier:tactical",
    tool: "fs.write",
    group: null,
    event: null,
    status: kind === "outcome" ? "done" : null,
    resources: [{ kind: "path", id: `/srv/${number}`, access: "write", attributes: {} }],
    reason: reason(`because of ${number}`),
    body: { arguments: { path: `/srv/${number}`, text: "hello" } },
    ...more,
  };
}
