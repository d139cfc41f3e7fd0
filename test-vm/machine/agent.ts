/** The host's end of the port aios.test: root access for scenarios (agent-init.sh is the other end). */

import type { Socket } from "bun";
import { WaitedInVain, within } from "../wait.ts";

/** Bytes of one script; the port is read byte by byte in there. */
const script_bytes_max = 16 * 1024;

export interface ShellAnswer {
  readonly status: number;
  readonly out: string;
}

export class Agent {
  #socket: Socket | null = null;
  #rest = "";
  readonly #waiting = new Map<number, (answer: ShellAnswer) => void>();
  #next_number = 1;
  #turn: Promise<unknown> = Promise.resolve();
  #synchronised = false;

  static async connect(path: string): Promise<Agent> {
    const agent = new Agent();
    agent.#socket = await Bun.connect({ unix: path, socket: { data: (_, chunk) => agent.#receive(chunk.toString("utf8")) } });
    return agent;
  }

  /** After a reset the other end starts anew: what was under way is lost. */
  forget(): void {
    this.#synchronised = false;
    this.#waiting.clear();
    this.#rest = "";
  }

  /** Runs `script` in busybox sh as root, outside the system's root: that is /proc/1/root there. */
  sh(script: string, limit_ms = 180_000): Promise<ShellAnswer> {
    const work = this.#turn.then(() => this.#run(script, limit_ms));
    this.#turn = work.catch(() => {});
    return work;
  }

  async #run(script: string, limit_ms: number): Promise<ShellAnswer> {
    if (Buffer.byteLength(script) > script_bytes_max)
      throw new Error(`running a script in the machine failed: more than ${script_bytes_max} bytes`);
    if (!this.#synchronised) await this.#synchronise(limit_ms);
    return await within("a script in the machine", limit_ms, this.#exchange(script), () => script);
  }

  /** Asks until there is an answer: the other end may not be there yet. */
  async #synchronise(limit_ms: number): Promise<void> {
    const begin_ms = performance.now();
    while (performance.now() - begin_ms < limit_ms) {
      const answer = await Promise.race([this.#exchange("echo here"), Bun.sleep(1500).then(() => null)]);
      if (answer?.out.trim() === "here") {
        this.#synchronised = true;
        return;
      }
    }
    throw new WaitedInVain(
      `reaching the test agent in the machine failed: no answer within ${limit_ms} ms; was it booted with the test initrd?`,
    );
  }

  #exchange(script: string): Promise<ShellAnswer> {
    const { promise, resolve } = Promise.withResolvers<ShellAnswer>();
    const number = this.#next_number++;
    this.#waiting.set(number, resolve);
    this.#socket?.write(`${number} ${Buffer.from(script).toString("base64")}\n`);
    return promise;
  }

  #receive(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const found = /^(\d+) (\d+)(?: ([A-Za-z0-9+/=]+))?$/.exec(line.trim());
      if (found === null) continue;
      const number = Number(found[1]);
      this.#waiting.get(number)?.({ status: Number(found[2]), out: Buffer.from(found[3] ?? "", "base64").toString("utf8") });
      this.#waiting.delete(number);
    }
  }
}
