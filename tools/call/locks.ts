/** Calls that change overlapping resources come one after the other, in the order in which they asked. */

import type { Resource } from "../../contracts/tool.ts";

type Held = Pick<Resource, "kind" | "id">;

interface Waiter {
  readonly wanted: readonly Held[];
  readonly go: () => void;
}

/** Whether a change of one can be seen in the other: the same thing, or a path and what is below it. `*` is all of a kind. */
export function overlaps(a: Held, b: Held): boolean {
  if (a.kind !== b.kind) return false;
  if (a.id === b.id || a.id === "*" || b.id === "*") return true;
  return a.kind === "path" && (isBelow(a.id, b.id) || isBelow(b.id, a.id));
}

/** Whether the canonical path `inner` is below `outer`. */
export function isBelow(inner: string, outer: string): boolean {
  return inner !== outer && inner.startsWith(outer.endsWith("/") ? outer : `${outer}/`);
}

/** What of a call's resources others have to keep their hands off. */
export function changed(resources: readonly Resource[]): Resource[] {
  return resources.filter(({ access }) => access === "write" || access === "delete");
}

export class Locks {
  readonly #held = new Set<readonly Held[]>();
  #waiting: Waiter[] = [];

  /** @returns the release, and whether it had to wait: then what was resolved before has to be resolved again */
  async take(resources: readonly Resource[], signal: AbortSignal): Promise<{ readonly release: () => void; readonly waited: boolean }> {
    const wanted = changed(resources);
    const free = (): boolean => !this.#collides(wanted, this.#held) && !this.#waiting.some((one) => collide(one.wanted, wanted));
    if (free()) return { release: this.#hold(wanted), waited: false };
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiter: Waiter = { wanted, go: () => resolve(this.#hold(wanted)) };
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((one) => one !== waiter);
      reject(signal.reason);
      this.#admit();
    };
    if (signal.aborted) throw signal.reason;
    this.#waiting.push(waiter);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return { release: await promise, waited: true };
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #hold(wanted: readonly Held[]): () => void {
    this.#held.add(wanted);
    return () => {
      if (this.#held.delete(wanted)) this.#admit();
    };
  }

  /** Lets in, from the front, everyone who collides neither with those inside nor with those waiting before. */
  #admit(): void {
    const before: Waiter[] = [];
    for (const waiter of this.#waiting) {
      const blocked = this.#collides(waiter.wanted, this.#held) || before.some((one) => collide(one.wanted, waiter.wanted));
      if (blocked) before.push(waiter);
      else waiter.go();
    }
    this.#waiting = before;
  }

  #collides(wanted: readonly Held[], held: ReadonlySet<readonly Held[]>): boolean {
    for (const one of held) if (collide(one, wanted)) return true;
    return false;
  }
}

function collide(a: readonly Held[], b: readonly Held[]): boolean {
  return a.some((one) => b.some((other) => overlaps(one, other)));
}
