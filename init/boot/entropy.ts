/**
 * The random seed that one boot leaves for the next (random(4)). It counts as random only once: it is replaced, and the
 * replacement is on the disk, before it is credited, so that a power cut cannot make two boots use the same one.
 */

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { data_dir } from "../../contracts/paths.ts";
import { writeDurably } from "../../wire/files.ts";
import { reasonOf } from "./files.ts";
import type { BootContext, Phase } from "./phase.ts";
import { degraded, done } from "./result.ts";

const seed_bytes = 64;

export const entropySeed: Phase = {
  name: "entropy seed",
  what: "Randomness that the last boot left for this one",
  modes: "machine",
  limit_ms: 5000,
  run: async (boot) => {
    if (!boot.state.data.persistent) return done("no data partition, so no seed; the kernel gathers by itself");
    return creditSeed(boot, `${data_dir}/seed`);
  },
};

export function creditSeed(boot: Pick<BootContext, "sys" | "onShutdown">, path: string) {
  const seed = readSeed(path);
  try {
    writeSeed(path);
  } catch (error) {
    // not credited then: the same seed would count again at the next boot
    return degraded("entropy seed", `replacing "${path}" failed, so it is not used: ${reasonOf(error)}`, "check the data partition");
  }
  boot.onShutdown("save the entropy seed", () => writeSeed(path));
  if (seed === null) return done("there was no seed yet; one is laid for the next boot");
  try {
    boot.sys.entropy.credit(seed);
    return done(`${seed.length} bytes credited, and replaced`);
  } catch (error) {
    return degraded("entropy seed", reasonOf(error), "run PID 1 with CAP_SYS_ADMIN");
  } finally {
    seed.fill(0);
  }
}

function readSeed(path: string): Buffer | null {
  try {
    const seed = readFileSync(path);
    return seed.length === seed_bytes ? seed : null;
  } catch {
    return null;
  }
}

function writeSeed(path: string): void {
  writeDurably(path, randomBytes(seed_bytes), 0o600);
}
