/** For what there is in our system alone. */

import type { System } from "../ground.ts";
import type { Watched } from "./watch.ts";

function isOurs(ground: System): ground is System & Watched {
  return ground.arm === "ours";
}

/** @throws on another one */
export function ours(ground: System): Watched {
  if (!isOurs(ground)) throw new Error("this fault is for aiOS alone");
  return ground;
}
