/** Runs the way down, once. A guard over the whole ends it in any case: sync and reboot(2), whatever is still in work. */

import { readFileSync } from "node:fs";
import type { ShutdownAction } from "../../contracts/init.ts";
import { last_step, may_replace, type Sequence } from "./sequences.ts";
import { type Step, steps, type WayDown } from "./steps.ts";

export interface ShutdownPorts {
  /** Made when the way down begins. */
  readonly way: () => WayDown;
  readonly mode: "machine" | "container";
  /** Nothing is started any more. */
  hold(): void;
  report(action: ShutdownAction, phase: string, detail: string): void;
  say(line: string): void;
  /** The last thing before reboot(2). @param clean false when the way down did not end by itself */
  last(action: ShutdownAction, clean: boolean): void;
  /** The very end of a container where reboot(2) is not allowed: the one case in which PID 1 exits. */
  exit(): void;
  readonly steps?: readonly Step[];
  /** Whether the kernel holds one that kexec would start. */
  readonly kexecLoaded?: () => boolean;
  readonly guard_ms?: number;
}

/** More than all limits together. */
const guard_ms = 90_000;

export class Shutdown {
  readonly #ports: ShutdownPorts;
  #sequence: Sequence = "up";
  #ended = false;

  constructor(ports: ShutdownPorts) {
    this.#ports = ports;
  }

  get sequence(): Sequence {
    return this.#sequence;
  }

  /** @returns why not, or null when it goes down now (or does already) */
  request(action: ShutdownAction, reason: string): string | null {
    if (action === "kexec" && !(this.#ports.kexecLoaded ?? kexecLoaded)())
      return "kexec is not possible: no kernel is loaded (next-kernel.ts loads it first); use an ordinary reboot";
    const under_way = this.#sequence;
    if (under_way === action) return null;
    if (!may_replace[under_way].includes(action))
      return `to ${action} is not possible: a ${under_way} is under way, which it may not replace`;
    this.#sequence = action;
    this.#ports.report(action, "request", reason);
    if (under_way === "up") void this.#go();
    return null;
  }

  get #action(): ShutdownAction {
    return this.#sequence === "up" ? "poweroff" : this.#sequence;
  }

  async #go(): Promise<void> {
    const guard = setTimeout(() => this.#end("the way down took too long"), this.#ports.guard_ms ?? guard_ms);
    try {
      this.#ports.hold();
      const way = this.#ports.way();
      for (const step of this.#ports.steps ?? steps) {
        if (step.modes === "machine" && way.mode === "container") continue;
        await this.#step(step, way);
      }
    } catch (error) {
      this.#ports.say(`aios: shutdown: ${describe(error)}`);
    }
    clearTimeout(guard);
    this.#end(null);
  }

  async #step(step: Step, way: WayDown): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(() => resolve(`left behind after ${step.limit_ms} ms`), step.limit_ms);
    let detail: string;
    try {
      detail = await Promise.race([step.run(way), over]);
    } catch (error) {
      detail = `failed: ${describe(error)}`;
    }
    clearTimeout(timer);
    this.#ports.say(`aios: shutdown: ${step.name}: ${detail}`);
    this.#ports.report(this.#action, step.name, detail);
  }

  #end(trouble: string | null): void {
    if (this.#ended) return;
    this.#ended = true;
    if (trouble !== null) this.#ports.say(`aios: shutdown: ${trouble}`);
    this.#ports.say(`aios: ${this.#action} now`);
    try {
      const { sys, mode } = this.#ports.way();
      this.#ports.last(this.#action, trouble === null);
      if (trouble !== null && mode === "machine") void sys.power.syncAside().catch(() => {}); // begun, not waited for
      sys.power.reboot(last_step[this.#action]);
    } catch (error) {
      this.#ports.say(`aios: ${this.#action} failed: ${describe(error)}`);
      this.#last();
    }
  }

  /** reboot(2) was refused. A machine is restarted by its watchdog, which nobody pets any more. */
  #last(): void {
    if (this.#ports.mode === "container") {
      this.#ports.exit();
      return;
    }
    try {
      this.#ports.way().sys.power.reboot("restart");
    } catch (error) {
      this.#ports.say(`aios: restarting failed too: ${describe(error)}; switch the machine off and on`);
    }
  }
}

/** kernel/ksysfs.c: 1 when reboot(2) can start another kernel. */
function kexecLoaded(): boolean {
  try {
    return readFileSync("/sys/kernel/kexec_loaded", "utf8").trim() === "1";
  } catch {
    return false;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
