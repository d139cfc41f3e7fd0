/** One attempt to get around the policies. */

import type { Stage } from "./stage.ts";

export interface Attempt {
  readonly name: string;
  /** Who tries it: a tier, an agent, a person of a lower role, a program in its sandbox, whoever reaches a socket. */
  readonly by: string;
  /** Tries it, and looks at the system. @throws {Escaped} when it had an effect */
  run(stage: Stage): Promise<void>;
}

export class Escaped extends Error {
  override readonly name = "Escaped";
}

export function demand(what: string, right: boolean): void {
  if (!right) throw new Escaped(what);
}

export function same(what: string, found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Escaped(`${what}: ${a?.slice(0, 500)} instead of ${b?.slice(0, 500)}`);
}
