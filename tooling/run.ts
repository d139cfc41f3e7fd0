/** Runs a host program with an argument vector; output goes to a log file, the tail of it into the error. */

import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** File that receives stdout and stderr. Without it the output is kept in memory and returned. */
  readonly log?: string;
  readonly stdin?: string;
}

/** A host program that ended with a status other than 0. */
export class CommandFailed extends Error {
  constructor(argv: readonly string[], status: number | string, tail: string, log: string | undefined) {
    const where = log === undefined ? "" : `\nThe whole output is in ${log}`;
    super(`running "${argv.join(" ")}" failed: status ${status}\n${tail}${where}`);
    this.name = "CommandFailed";
  }
}

/** @returns what the program wrote to stdout (empty when `log` is given). @throws {CommandFailed} */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const env = { ...process.env, LC_ALL: "C.UTF-8", ...options.env };
  const base = { cwd: options.cwd ?? process.cwd(), env } as const;
  if (options.log !== undefined) {
    mkdirSync(dirname(options.log), { recursive: true });
    const fd = openSync(options.log, "a");
    try {
      const child = Bun.spawn([...argv], { ...base, stdin: "ignore", stdout: fd, stderr: fd });
      const status = await child.exited;
      if (status !== 0) throw new CommandFailed(argv, child.signalCode ?? status, tailOf(readFileSync(options.log, "utf8")), options.log);
      return "";
    } finally {
      closeSync(fd);
    }
  }
  const stdin = options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin);
  const child = Bun.spawn([...argv], { ...base, stdin, stdout: "pipe", stderr: "pipe" });
  const [out, err, status] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (status !== 0) throw new CommandFailed(argv, child.signalCode ?? status, tailOf(out + err), undefined);
  return out;
}

function tailOf(text: string): string {
  return text.split("\n").slice(-30).join("\n");
}
