/** For what there is in our system alone. */

import type { Ground } from "../ground.ts";
import type { Ours } from "./system.ts";

function isOurs(ground: Ground): ground is Ours {
  return ground.arm === "ours";
}

/** @throws on another one */
export function ours(ground: Ground): Ours {
  if (!isOurs(ground)) throw new Error("this fault is for aiOS alone");
  return ground;
}
