/** What one line of a service's output says: pino's JSON taken apart, anything else as text. */

import type { LogRecord, Severity } from "../../contracts/event.ts";
import { type Line, line_chars_max } from "./lines.ts";

export type Said = Pick<LogRecord, "level" | "message" | "fields">;

/** pino's numbers (trace 10, debug 20, info 30, warn 40, error 50, fatal 60). */
function levelOf(value: unknown): Severity | null {
  if (typeof value !== "number") return null;
  if (value < 30) return "debug";
  if (value < 40) return "info";
  if (value < 50) return "warning";
  return value < 60 ? "error" : "critical";
}

/** Fields of a JSON line that are kept. */
const fields_max = 32;

export function saidBy(line: Line, stream: "stdout" | "stderr"): Said {
  const plain: Said = { level: stream === "stderr" ? "notice" : "info", message: withCut(line.text, line.cut) };
  if (line.cut > 0 || !line.text.startsWith("{")) return plain;
  const parsed = parse(line.text);
  if (parsed === null) return plain;
  const { level, msg, time: _time, pid: _pid, hostname: _hostname, launch, error, ...rest } = parsed;
  if (typeof launch === "string")
    return { level: "error", message: `launch: ${launch} failed: ${typeof error === "string" ? error : "unknown"}` };
  const known = levelOf(level);
  if (known === null || typeof msg !== "string") return plain;
  if (error !== undefined) rest["error"] = error;
  const kept = Object.entries(rest).slice(0, fields_max);
  const said: Said = { level: known, message: msg.slice(0, line_chars_max) };
  return kept.length === 0 ? said : { ...said, fields: Object.fromEntries(kept) };
}

function withCut(text: string, cut: number): string {
  return cut === 0 ? text : `${text} [${cut} more characters were cut off]`;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
