/**
 * How grave a line is: what PID 1 knows of it (a kernel message's priority, the level of a JSON line), or what the line itself says
 * in one of the usual forms: `[error]`, `WARN`, `fatal:`, `level=warning`. A word in a sentence ("no error") is no level. Whoever
 * writes a line can make it as grave as he likes: it is a reason to look, and none to act.
 */

import { Severity } from "../../contracts/event.ts";

/** Levels stand at the beginning, after time, host and name. */
const looked_at_chars = 120;
const names = "emerg|alert|crit|critical|panic|fatal|error|err|warn|warning";
const said = new RegExp(
  `(?:[[(<](${names})[\\])>]|(?:^|\\s)(${names}):|\\blevel=["']?(${names})\\b|(?:^|[\\s|])(${names.toUpperCase()})(?=[\\s|:]|$))`,
  "i",
);
const by_name: Readonly<Record<string, Severity>> = {
  ...{ emerg: "critical", alert: "critical", crit: "critical", critical: "critical", panic: "critical", fatal: "critical" },
  ...{ error: "error", err: "error", warn: "warning", warning: "warning" },
};

/** @param known what PID 1 says of it @returns its place in `Severity` */
export function levelOf(text: string, known: Severity | undefined): number {
  const found = said.exec(text.slice(0, looked_at_chars));
  const [, bracketed, before_colon, keyed, alone] = found ?? [];
  // one that stands alone is a level in capitals; in small letters it is a word
  const word = bracketed ?? before_colon ?? keyed ?? (alone === alone?.toUpperCase() ? alone : undefined);
  const named = word === undefined ? undefined : by_name[word.toLowerCase()];
  return Math.max(rankOf(known ?? "debug"), rankOf(named ?? "debug"));
}

export function rankOf(severity: Severity): number {
  return Severity.options.indexOf(severity);
}

export function severityOf(level: number): Severity {
  return Severity.options[level] ?? "debug";
}
