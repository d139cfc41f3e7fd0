/**
 * Long work runs in a helper process: reading gigabytes, checking and compressing would keep everybody waiting otherwise.
 * One at a time: what memory does by itself is waited for, what somebody asked for is not, but the second who asks is told so.
 * The helper ends when the service does: its stdin closes.
 */

import { join } from "node:path";
import { type Job, JobLine, type JobResults, job_results } from "../../contracts/memory/job.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { RpcError } from "../../wire/peer.ts";

type Kind = Job["do"];

/** Of what a helper that failed has written to stderr: the end says why. */
const complaint_chars_max = 500;

/** What memory begins by itself. */
const by_itself: ReadonlySet<Kind> = new Set<Kind>(["cool", "rewrite", "salvage"]);

export class Jobs {
  #running: { readonly kind: Kind; done: number; of: number; readonly over: Promise<void> } | null = null;
  /** Somebody waits for the end of what memory does by itself. */
  #waits: Kind | null = null;

  /** What is being done, for health. */
  get running(): string | null {
    if (this.#running === null) return null;
    const { kind, done, of } = this.#running;
    return of === 0 ? kind : `${kind} ${Math.floor((100 * done) / of)} %`;
  }

  /** For what memory does by itself: `run` follows at once. @throws {RpcError} `conflict` while another one runs */
  refuseIfBusy(kind: Kind): void {
    if (this.#running === null) return;
    throw new RpcError(rpc_error.conflict, `"${kind}" was refused: "${this.running}" is running; try again when it is over`);
  }

  /**
   * @param prepare what the helper reads is made when it is this job's turn: nobody else's runs meanwhile
   * @throws {RpcError} `conflict` while another one runs, `internal` with what the helper said when it failed
   */
  async run<K extends Kind>(job: Extract<Job, { do: K }>, prepare?: () => Promise<void>): Promise<JobResults[K]> {
    if (!by_itself.has(job.do)) await this.#turn(job.do);
    this.refuseIfBusy(job.do);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    this.#running = { kind: job.do, done: 0, of: 0, over };
    try {
      await prepare?.();
      const result = await this.#inHelper(job);
      return job_results[job.do].parse(result) as JobResults[K];
    } finally {
      this.#running = null;
      resolve();
    }
  }

  /** Waits while memory does something by itself. @throws {RpcError} `conflict` when another one waits already */
  async #turn(kind: Kind): Promise<void> {
    if (this.#waits !== null)
      throw new RpcError(rpc_error.conflict, `"${kind}" was refused: "${this.#waits}" is next; try again when it is over`);
    this.#waits = kind;
    try {
      while (this.#running !== null && by_itself.has(this.#running.kind)) await this.#running.over;
    } finally {
      this.#waits = null;
    }
  }

  async #inHelper(job: Job): Promise<unknown> {
    const child = Bun.spawn([...command(), JSON.stringify(job)], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    const { stdin } = child; // held until it has ended: its end is the helper's
    const complaint = new Response(child.stderr).text();
    let last: { result: unknown } | null = null;
    let failure: string | null = null;
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const text of lines) {
        const line = JobLine.parse(JSON.parse(text));
        if ("progress" in line) Object.assign(this.#running ?? {}, line.progress);
        else if ("error" in line) failure = line.error;
        else last = { result: line.result };
      }
    }
    const status = await child.exited;
    void stdin.end();
    if (last !== null && status === 0) return last.result;
    const said = (await complaint).trim().slice(-complaint_chars_max);
    const ended = `its helper ended with ${child.signalCode ?? status}${said === "" ? "" : `, and had said: ${said}`}`;
    throw new RpcError(rpc_error.internal, `"${job.do}" failed: ${failure ?? ended}`);
  }
}

/** The one executable has the helper as a role; in a checkout it is a script. */
function command(): string[] {
  const compiled = import.meta.dir.startsWith("/$bunfs/");
  return compiled ? [process.execPath, "memory-job"] : [process.execPath, join(import.meta.dir, "job-main.ts")];
}
