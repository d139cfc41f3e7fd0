/** Failed logins by the address that they came from, as servers write them into their logs. */

import { isIP } from "node:net";
import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks for somebody who tries passwords";
const lines_looked_at = 1000;
const window_ms = 600_000;
/** What sshd(8) and those who write alike say. */
const said = "Failed password";
/** At the end of the line: what comes before was typed by whoever tries, who could name the address of somebody else. */
const from = / from (\S+) port \d+(?: ssh2)?$/;

/** @param pace the window is so many times shorter @param now_ms wall clock */
export async function loginFigures(ask: AskTool, pace: number, now_ms = Date.now()): Promise<Figure[]> {
  const { records } = await ask("sys.logs", { contains: said, lines: lines_looked_at }, why);
  const failed = new Map<string, number>();
  for (const { time_ms, message } of records) {
    const address = from.exec(message.trimEnd())?.[1];
    if (address === undefined || isIP(address) === 0 || time_ms < now_ms - window_ms / pace) continue;
    failed.set(address, (failed.get(address) ?? 0) + 1);
  }
  return [...failed].map(([subject, value]) => ({ figure: "login.failed", subject, value, detail: `${value} within ten minutes` }));
}
