/** What is printed: a line a trial, and the sums. */

import type { Fault } from "./fault.ts";
import { isRight, type Result } from "./result.ts";

export function line(result: Result): string {
  const { name, kind, arm, time, detected, detected_ms, repaired, repaired_ms, stable, by_person } = result;
  const seconds = (ms: number | null): string => (ms === null ? "-" : `${(ms / 1000).toFixed(1)} s`);
  const end =
    result.trouble !== null ? "not tried" : repaired ? (stable ? "repaired" : "came back") : by_person ? "to a person" : "not repaired";
  const outcome =
    kind === "control"
      ? result.trouble !== null
        ? "not tried"
        : result.decisions + result.incidents.length === 0
          ? "left alone"
          : "acted"
      : end;
  const noticed = kind === "control" ? "" : detected === null ? "?" : detected ? seconds(detected_ms) : "no";
  const cells = [
    name.padEnd(32),
    arm === "ours" ? "aiOS" : "conv",
    String(time),
    noticed.padStart(7),
    outcome.padEnd(12),
    seconds(repaired_ms).padStart(8),
  ];
  const how = [result.tier ?? "", result.rule ?? "", `${result.decisions} decisions, ${result.calls} calls, ${result.tokens} tokens`];
  const wrong = [...result.collateral, ...(result.trouble === null ? [] : [result.trouble])]
    .map((one) => `\n      ${one.slice(0, 400)}`)
    .join("");
  return `${cells.join("  ")}  ${arm === "ours" ? how.filter(Boolean).join(" · ") : ""}${wrong}`;
}

const share = (part: number, all: number): string => (all === 0 ? "none" : `${part} of ${all} (${Math.round((100 * part) / all)} %)`);

export function sums(results: readonly Result[], faults: readonly Fault[], arm: "ours" | "conventional"): string[] {
  const of_arm = results.filter((one) => one.arm === arm);
  const tried = of_arm.filter(({ kind }) => kind === "fault");
  const for_people = new Set(faults.filter(({ ends }) => ends === "person").map(({ name }) => name));
  const alone = tried.filter(({ name }) => !for_people.has(name));
  const people = tried.filter(({ name }) => for_people.has(name));
  const repaired = alone.filter(({ repaired: is, stable }) => is && stable);
  const controls = of_arm.filter(({ kind }) => kind === "control");
  const low = repaired.filter(({ tier }) => tier !== "strategic");
  const said = [
    `repaired without people, and stable     ${share(repaired.length, alone.length)}`,
    `with collateral                         ${share(tried.filter((one) => one.collateral.length > 0).length, tried.length)}`,
    `not tried                               ${of_arm.filter(({ trouble }) => trouble !== null).length}`,
  ];
  if (arm === "conventional") return said;
  return [
    `detected                                ${share(tried.filter(({ detected }) => detected === true).length, tried.length)}`,
    ...said,
    `handed over, where policy wants that    ${share(people.filter(({ by_person }) => by_person).length, people.length)}`,
    `below strategic, of those repaired      ${share(low.length, repaired.length)}`,
    `controls left alone                     ${share(controls.filter((one) => isRight(one, false)).length, controls.length)}`,
    `the second time against the first       ${second(repaired)}`,
  ];
}

/** Medians over the faults that were repaired both times. */
function second(repaired: readonly Result[]): string {
  const names = [...new Set(repaired.map(({ name }) => name))];
  const pairs = names.flatMap((name) => {
    const [one, two] = [1, 2].map((time) => repaired.find((result) => result.name === name && result.time === time));
    return one === undefined || two === undefined ? [] : [{ one, two }];
  });
  if (pairs.length === 0) return "no fault was repaired twice";
  const sum = (read: (pair: (typeof pairs)[number]) => number): number => pairs.reduce((all, pair) => all + read(pair), 0);
  const time = `${(sum(({ one }) => one.repaired_ms ?? 0) / 1000).toFixed(1)} s, then ${(sum(({ two }) => two.repaired_ms ?? 0) / 1000).toFixed(1)} s`;
  const tries = `${sum(({ one }) => one.decisions)} tries, then ${sum(({ two }) => two.decisions)}`;
  return `${pairs.length} faults: ${time}; ${tries}; ${sum(({ one }) => one.tokens)} tokens, then ${sum(({ two }) => two.tokens)}`;
}
