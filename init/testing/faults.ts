/** Faults that integration tests inject into PID 1, as phases. */

import type { Phase } from "../boot/phase.ts";

function phase(name: string, run: () => void): Phase {
  return {
    name,
    what: "A fault, for a test",
    modes: "both",
    limit_ms: 200,
    run: async () => {
      run();
      return { outcome: "done", detail: "injected" };
    },
  };
}

const faults: Readonly<Record<string, Phase>> = {
  "throw in a phase": phase("throws", () => {
    throw new Error("scripted: the phase broke");
  }),
  "throw in the loop": phase("throws later", () => {
    setTimeout(() => {
      throw new Error("scripted: the loop broke");
    }, 1500);
  }),
  "reject in the loop": phase("rejects later", () => {
    setTimeout(() => void Promise.reject(new Error("scripted: a promise broke")), 1500);
  }),
  "hang in a phase": { ...phase("hangs", () => {}), run: () => new Promise(() => {}) },
};

export function fault(name: string): readonly Phase[] {
  const found = Object.hasOwn(faults, name) ? faults[name] : undefined;
  return found === undefined ? [] : [found];
}
