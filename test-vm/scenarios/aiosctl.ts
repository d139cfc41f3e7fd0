/** The operator's client as a person uses it: a process, its exit code and what it prints. */

import { z } from "zod";
import { AuditEntry, AuditVerdict } from "../../contracts/audit.ts";
import { Approval } from "../../contracts/permission.ts";
import { CallOutcome, CallResult, ToolDescription } from "../../contracts/tool.ts";
import { needBuilt } from "../places.ts";
import { waitFor, within } from "../wait.ts";

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export class Aiosctl {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  run(...argv: string[]): Promise<Ran> {
    return this.given("", ...argv);
  }

  /** With something on its standard input. */
  async given(stdin: string, ...argv: string[]): Promise<Ran> {
    const options = { stdin: Buffer.from(stdin), stdout: "pipe", stderr: "pipe" } as const;
    const child = Bun.spawn([needBuilt("client"), "--socket", this.#socket, ...argv], options);
    const all = Promise.all([child.exited, new Response(child.stdout).text(), new Response(child.stderr).text()]);
    const [status, out, err] = await within(`aiosctl ${argv.join(" ")}`, 300_000, all);
    return { status, out, err };
  }

  /** Null while the console has not found the broker (again). */
  async #whileThere(argv: readonly string[]): Promise<Ran | null> {
    const ran = await this.run("--json", ...argv);
    return ran.err.includes("the broker is away") ? null : ran;
  }

  /** What only looks is asked again, as aiosctl says, where the broker of an emulated machine takes longer than the console waits. */
  #looking<T>(schema: z.ZodType<T>, ...argv: string[]): Promise<T> {
    const ask = async (): Promise<Ran | null> => {
      const ran = await this.#whileThere(argv);
      return ran?.err.includes("No answer in time") === true ? null : ran;
    };
    return this.#json(schema, argv, ask);
  }

  async #json<T>(schema: z.ZodType<T>, argv: readonly string[], ask = () => this.#whileThere(argv)): Promise<T> {
    const { out, err } = await waitFor("the broker", ask, { limit_ms: 120_000, every_ms: 200 });
    try {
      return schema.parse(JSON.parse(out));
    } catch (error) {
      throw new Error(
        `aiosctl ${argv.join(" ").slice(0, 300)} answered "${out.slice(0, 500)}" and said "${err.slice(0, 2000)}" (${String(error)})`,
      );
    }
  }

  tools(): Promise<ToolDescription[]> {
    return this.#looking(z.array(ToolDescription), "tools");
  }

  call(tool: string, args: Record<string, unknown>, ...options: string[]): Promise<CallResult> {
    return this.#json(CallResult, ["call", tool, "--json", JSON.stringify(args), "--why", "a scenario", ...options]);
  }

  /** @throws unless it ended as `done` */
  async done(tool: string, args: Record<string, unknown>, ...options: string[]): Promise<CallResult> {
    const result = await this.call(tool, args, ...options);
    if (result._meta.status !== "done") throw new Error(`calling ${tool} ended as ${result._meta.status}: ${result._meta.text}`);
    return result;
  }

  undo(...what: string[]): Promise<CallOutcome[]> {
    return this.#json(z.object({ outcomes: z.array(CallOutcome) }), ["undo", ...what, "--why", "a scenario"]).then(
      ({ outcomes }) => outcomes,
    );
  }

  verify(): Promise<AuditVerdict> {
    return this.#looking(AuditVerdict, "audit", "verify");
  }

  async audit(...filters: string[]): Promise<AuditEntry[]> {
    const ask = () => this.#whileThere(["audit", ...filters]);
    const { out } = await waitFor("the broker", ask, { limit_ms: 120_000, every_ms: 200 });
    return out
      .split("\n")
      .filter(Boolean)
      .map((line) => AuditEntry.parse(JSON.parse(line)));
  }

  approvals(): Promise<Approval[]> {
    return this.#looking(z.array(Approval), "approvals");
  }
}
