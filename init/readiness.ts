/** When the console and when everything is ready: marks, events, and the plain lines that a harness waits for. */

import type { EventKind, Facts, Severity } from "../contracts/event.ts";
import type { Degradation } from "../contracts/init.ts";
import type { ServiceState } from "../contracts/service.ts";

interface ReadinessPorts {
  readonly now: () => number;
  readonly marks: Record<string, number>;
  emit<K extends EventKind>(kind: K, severity: Severity, facts: Facts<K>): void;
  say(line: string): void;
  /** State of a service of ours; null when nobody asked for it. */
  wanted(): readonly { readonly name: string; readonly state: ServiceState }[];
  degradations(): readonly Degradation[];
}

export class Readiness {
  readonly #ports: ReadinessPorts;
  #console = false;
  #all = false;
  #booted = false;

  constructor(ports: ReadinessPorts) {
    this.#ports = ports;
  }

  get all(): boolean {
    return this.#all;
  }

  /** All phases have run. */
  booted(): void {
    this.#booted = true;
    this.look();
  }

  /** Something changed. */
  look(): void {
    const wanted = this.#ports.wanted();
    if (!this.#console && wanted.some(({ name, state }) => name === "console" && state === "ready")) this.#consoleReady();
    if (this.#all || !this.#booted) return;
    if (wanted.every(({ state }) => state === "ready" || state === "crash-loop" || state === "stopped")) this.#allReady();
  }

  /** Waited long enough: what is not ready by now is missing. */
  giveUp(): void {
    if (!this.#all) this.#allReady();
  }

  #consoleReady(): void {
    this.#console = true;
    const at = this.#mark("console-ready");
    this.#ports.say(`aios: console ready at ${at} ms`);
    this.#ports.emit("boot.ready", "info", { what: "console", at_ms: at });
  }

  #allReady(): void {
    this.#all = true;
    const at = this.#mark("all-ready");
    const missing = this.#ports.wanted().filter(({ state }) => state !== "ready");
    const what = [...missing.map(({ name, state }) => `${name} is ${state}`), ...this.#ports.degradations().map((each) => each.what)];
    this.#ports.say(`aios: all ready ${what.length === 0 ? "" : `(degraded: ${what.join(", ")}) `}at ${at} ms`);
    this.#ports.emit("boot.ready", what.length === 0 ? "info" : "warning", { what: "all", at_ms: at });
  }

  #mark(name: string): number {
    const at = Math.round(this.#ports.now());
    this.#ports.marks[name] = at;
    return at;
  }
}
