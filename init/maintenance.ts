/**
 * What PID 1 does with an exception that nobody caught: it does not end. It says what happened everywhere it can, keeps
 * the console up, and goes on with whatever still works. Each of these is tried on its own: one that fails too must not
 * keep the others from being tried.
 */

export interface MaintenancePorts {
  say(line: string): void;
  /** Event, log and degradation. */
  tell(detail: string): void;
  /** Sees to it that the console runs, by the supervisor. */
  keepConsole(): void;
  /** Starts the console without the supervisor: the last resort. @returns when it has ended */
  bareConsole(): Promise<unknown>;
}

/** Exceptions that are told; later ones are counted only, since they may come with each turn of the loop. */
const told_max = 20;
const details_chars_max = 1000;
const bare_wait_ms = 2_000;

export class Maintenance {
  readonly #ports: MaintenancePorts;
  #count = 0;
  #detail: string | null = null;
  #bare = false;

  constructor(ports: MaintenancePorts) {
    this.#ports = ports;
  }

  /** Why the system is in maintenance mode; null when it is not. */
  get detail(): string | null {
    return this.#detail;
  }

  get count(): number {
    return this.#count;
  }

  /** Never throws. */
  enter(doing: string, error: unknown): void {
    this.#count += 1;
    if (this.#count > told_max) return;
    const detail = `${doing} failed: ${describe(error)}`.slice(0, details_chars_max);
    this.#detail ??= detail;
    attempt(() => this.#ports.say(`aios: maintenance: ${detail}`));
    attempt(() => this.#ports.tell(detail));
    try {
      this.#ports.keepConsole();
    } catch (broken) {
      attempt(() => this.#ports.say(`aios: maintenance: supervision does not work: ${describe(broken)}; the console runs without it`));
      if (!this.#bare) void this.#keepBareConsole();
    }
  }

  async #keepBareConsole(): Promise<void> {
    this.#bare = true;
    for (;;) {
      try {
        await this.#ports.bareConsole();
      } catch (error) {
        attempt(() => this.#ports.say(`aios: maintenance: starting the console failed: ${describe(error)}`));
      }
      await Bun.sleep(bare_wait_ms);
    }
  }
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // there is nobody left to tell
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const where = error.stack?.split("\n").find((line) => line.includes(" at ") || line.includes("@"));
  return where === undefined ? error.message : `${error.message} (${where.trim()})`;
}
