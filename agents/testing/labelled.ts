/** Alarms of the image with what is right about them, to see how often a model is: the playbooks and tools that are known to help. */

import { candidateOf } from "../operational/judge.ts";
import type { Candidate } from "../operational/signal.ts";
import { bundled_playbooks } from "../playbooks/index.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";
import { bundled_alarms } from "../sensors/alarms/index.ts";
import { loadAlarms } from "../sensors/alarms/load.ts";

/** Playbooks that do not fit, offered beside those that do. */
const others_offered = 3;

export interface Labelled {
  readonly alarm: string;
  readonly detail: string;
  readonly candidates: readonly Candidate[];
  /** Rules of which any is right. */
  readonly right: ReadonlySet<string>;
  readonly right_tools: ReadonlySet<string>;
}

/** One for each alarm that a playbook is against. */
export function labelledAlarms(): Labelled[] {
  const playbooks = loadPlaybooks(bundled_playbooks).loaded;
  return loadAlarms(bundled_alarms).loaded.flatMap(({ name, means }, at) => {
    const fits = playbooks.filter(({ alarms }) => alarms.includes(name));
    if (fits.length === 0) return [];
    const rest = playbooks.filter((one) => !fits.includes(one));
    const others = Array.from({ length: others_offered }, (_, n) => rest[(at * 3 + n * 2) % rest.length]).filter(
      (one) => one !== undefined,
    );
    const candidates = [...new Set([...fits, ...others])].map(candidateOf).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return [
      {
        ...{ alarm: name, detail: means, candidates, right: new Set(fits.map((one) => candidateOf(one).rule)) },
        right_tools: new Set(fits.flatMap(({ steps }) => steps.map(({ tool }) => tool))),
      },
    ];
  });
}
