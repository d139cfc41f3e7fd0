/** The list of phases: nothing is left out of it, and the order is one in which each finds what it needs. */

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { phases } from "./phases.ts";

test("every phase that is written is in the list, once", () => {
  const written = readdirSync(import.meta.dir)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .flatMap((name) =>
      [...readFileSync(join(import.meta.dir, name), "utf8").matchAll(/: Phase = \{\s*name: "([^"]+)"/g)].map(([, found = ""]) => found),
    );
  expect(phases.map(({ name }) => name).sort()).toEqual(written.sort());
  expect(written.length).toBeGreaterThan(20);
});

/** What comes before what, and why. */
const order: readonly (readonly [before: string, after: string, why: string])[] = [
  ["cgroup tree", "start console", "the console is put into its cgroup"],
  ["start console", "watchdog", "people can look in before the hardware is touched"],
  ["watchdog", "machine config", "disks are asked for it, and a disk can hang"],
  ["watchdog", "data partition", "a check of it can hang"],
  ["watchdog", "network", "so can the network"],
  ["kernel log", "data partition", "what the disk says of itself is then heard"],
  ["machine config", "hostname", "it is in it"],
  ["machine config", "configured limits", "they are in it"],
  ["machine config", "watchdog timeout", "it is in it"],
  ["machine config", "start services", "it switches services off and adds some"],
  ["machine config", "network", "it is in it"],
  ["data partition", "machine id", "it is kept there"],
  ["machine id", "data watch", "a file that is known to be there is looked at"],
  ["data partition", "entropy seed", "it is kept there"],
  ["data partition", "clock", "the last time is kept there"],
  ["clock", "clock watch", "the first setting of the clock is no step"],
  ["data partition", "start services", "memory writes there"],
  ["start services", "hardware inventory", "nobody waits for it"],
  ["compressed swap", "hardware inventory", "it tells how much swap there is"],
  ["start services", "compressed swap", "nobody waits for it either"],
];

test("they stand in an order in which each has what it needs", () => {
  const at = (name: string): number => phases.findIndex((phase) => phase.name === name);
  const wrong = order.filter(([before, after]) => at(before) < 0 || at(before) >= at(after));
  expect(wrong).toEqual([]);
});
