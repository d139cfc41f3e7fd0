/** What `make faults` is told, by the environment and by words after it. */

import { controls } from "./controls/index.ts";
import type { SetName } from "./kept.ts";
import { faults } from "./list/index.ts";
import { package_faults } from "./list/packages.ts";
import { vm_controls, vm_faults } from "./vm/list.ts";

const usual_pace = 30;

export interface Options {
  /** Empty: all of the set. */
  readonly names: readonly string[];
  readonly pace: number;
  readonly sets: readonly SetName[];
  /** Forget what there is of earlier runs; or go on from it whatever it was had with. */
  readonly fresh: boolean;
  readonly whatever: boolean;
}

export const usual: Options = {
  names: [],
  pace: usual_pace,
  sets: ["ours", "packages", "conventional", "conventional-packages"],
  fresh: false,
  whatever: false,
};

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws what is wrong, and what there is */
export function readOptions(environment: Environment, words: readonly string[]): Options {
  const is = (name: string): boolean => environment[name] === "1" || words.includes(`--${name.toLowerCase().replaceAll("_", "-")}`);
  const names = (environment["FAULTS"] ?? "").split(",").filter(Boolean);
  const known = new Set([...faults, ...package_faults, ...vm_faults, ...vm_controls, ...controls].map(({ name }) => name));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`choosing faults failed: there is no ${unknown.join(", ")}; there are ${[...known].join(", ")}`);
  const pace = Number(environment["PACE"] ?? usual_pace);
  if (!(pace >= 1)) throw new Error(`reading PACE failed: "${environment["PACE"]}" is no number of at least 1`);
  return { names, pace, sets: setsOf(environment["ARM"] ?? "", is), fresh: is("FRESH"), whatever: is("RESUME") };
}

function setsOf(arm: string, is: (name: string) => boolean): readonly SetName[] {
  if (is("WITHOUT_PLAYBOOKS")) return ["without-playbooks"];
  if (is("VM")) return ["vm"];
  if (arm === "") return usual.sets;
  if (arm === "ours") return ["ours", "packages"];
  if (arm === "conventional") return ["conventional", "conventional-packages"];
  throw new Error(`choosing an arm failed: "${arm}" is none; use ARM=ours or ARM=conventional, or none for both`);
}
