/** The sets of trials: which faults and controls belong to one, how often each is tried, and the system that it is tried in. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { keyOf } from "../../tooling/cache.ts";
import { built, checkout } from "../places.ts";
import { controls } from "./controls/index.ts";
import { startCarefulWithPackages } from "./conventional/packages.ts";
import { startCareful } from "./conventional/system.ts";
import type { Control, Fault, Named } from "./fault.ts";
import type { System } from "./ground.ts";
import type { SetName } from "./kept.ts";
import { faults } from "./list/index.ts";
import { package_faults } from "./list/packages.ts";
import { armOf } from "./ours/arm.ts";
import { startWithPackages } from "./ours/packages.ts";
import { startOurs } from "./ours/system.ts";
import { withheld } from "./ours/withheld.ts";
import { startWithout } from "./ours/without.ts";
import type { Result } from "./result.ts";
import { type Arm, tryControl, tryFault } from "./trial.ts";
import { vm_controls, vm_faults } from "./vm/list.ts";
import { startVm } from "./vm/system.ts";

/** One fault or control of a set. */
export interface Piece {
  readonly name: string;
  /** What its result depends on. */
  readonly code: string;
  /** How often it comes in the same system. */
  readonly times: number;
}

/** A system in which it is tried. */
export interface Running {
  attempt(piece: Piece, time: number): Promise<Result>;
  end(): Promise<void>;
}

export interface TrialSet {
  readonly faults: readonly Named[];
  readonly pieces: readonly Piece[];
  /** Hash of the system under test. */
  readonly system: () => string;
  start(pace: number): Promise<Running>;
}

interface Made<G extends System> {
  readonly faults: readonly Fault<G>[];
  readonly controls: readonly Control<G>[];
  readonly times: number;
  readonly system: () => string;
  start(pace: number): Promise<Arm<G>>;
}

function setOf<G extends System>({ faults: own, controls: quiet, times, system, start }: Made<G>): TrialSet {
  return {
    ...{ faults: own, system },
    pieces: [
      ...own.map((one) => ({ name: one.name, code: codeOf(one), times })),
      ...quiet.map((one) => ({ name: one.name, code: codeOf(one), times: 1 })),
    ],
    async start(pace) {
      const arm = await start(pace);
      return {
        end: () => arm.ground.end(),
        attempt({ name }, time) {
          const fault = own.find((one) => one.name === name);
          if (fault !== undefined) return tryFault(arm, fault, time);
          const control = quiet.find((one) => one.name === name);
          if (control !== undefined) return tryControl(arm, control, time);
          throw new Error(`trying "${name}" failed: it is not of this set`);
        },
      };
    },
  };
}

function codeOf(one: object): string {
  return JSON.stringify(Object.entries(one).map(([name, value]) => [name, typeof value === "function" ? String(value) : value]));
}

const isOf = (arm: "ours" | "conventional") => (one: Pick<Fault, "only">) => one.only === undefined || one.only === arm;

function rootKey(): string {
  const path = `${built.root_folder}.key`;
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function conventionalKey(): string {
  return keyOf({ files: [join(checkout, "test-vm/faults/conventional")] });
}

export const sets: Readonly<Record<SetName, TrialSet>> = {
  ours: setOf({
    ...{ faults: faults.filter(isOf("ours")), controls: controls.filter(isOf("ours")), times: 2, system: rootKey },
    start: async (pace) => armOf(await startOurs(pace)),
  }),
  packages: setOf({
    ...{ faults: package_faults, controls: [], times: 2, system: rootKey },
    start: async (pace) => armOf(await startWithPackages(pace)),
  }),
  "without-playbooks": setOf({
    ...{ faults: faults.filter(({ name }) => withheld.includes(name)), controls: [], times: 2, system: rootKey },
    start: async (pace) => armOf(await startWithout(pace)),
  }),
  vm: setOf({ ...{ faults: vm_faults, controls: vm_controls, times: 2, system: rootKey }, start: startVm }),
  conventional: setOf({
    ...{ faults: faults.filter(isOf("conventional")), controls: controls.filter(isOf("conventional")) },
    // it does not learn
    times: 1,
    system: conventionalKey,
    start: startCareful,
  }),
  "conventional-packages": setOf({
    ...{ faults: package_faults, controls: [], times: 1, system: conventionalKey, start: startCarefulWithPackages },
  }),
};
