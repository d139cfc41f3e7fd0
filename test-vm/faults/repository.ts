/** A signed repository with a program that a service runs, in versions that run and versions that do not; in both systems the same. */

import { mkdirSync } from "node:fs";
import { makeDeb, makeKey, type TestKey, writeRepository } from "../../tools/catalog/pkg/testing/repository.ts";
import { newFolder } from "../places.ts";
import type { Check } from "./fault.ts";
import type { Served } from "./ground.ts";

export const talker = { service: "talker", package: "aios-talker", program: "/usr/bin/aios-talker" } as const;

const program = { runs: "while sleep 0.2; do :; done", ends: "echo this version does not run; exit 1" } as const;

/** A system under test in which that service runs. */
export interface PackagesGround extends Served {
  readonly packages: {
    /** Puts another version into the repository: one that runs, or one that ends at once. @returns its number, higher than all before */
    offer(how: "runs" | "ends"): Promise<string> | string;
    /** The installed version. */
    version(): Promise<string>;
    /** Whether the service runs, in the packages that count. */
    runs(): Promise<boolean>;
    /** What a person does: all packages as new as the repository has them, and the service started anew. */
    update(): Promise<void>;
    /** Makes it known that versions before this one are weak. */
    advise(mended: string): Promise<void> | void;
    /** Nobody says so any more. */
    withdraw(): Promise<void> | void;
    /** What a power cut leaves of a change of packages. @returns whether that is put right */
    halve(): Promise<Check> | Check;
  };
}

/** @returns the key that signs it, and what puts another version into it */
export function makeRepository(folder: string): { readonly key: TestKey; readonly offer: (how: "runs" | "ends") => string } {
  const key = makeKey("faults");
  const debs = newFolder("debs");
  const made: string[] = [];
  const offer = (how: "runs" | "ends"): string => {
    const version = `${made.length + 1}.0`;
    const files = { [talker.program.slice(1)]: `#!/bin/sh\n${program[how]}\n` };
    made.push(makeDeb(debs, { name: talker.package, version, files }));
    mkdirSync(folder, { recursive: true });
    writeRepository(folder, made, { key });
    return version;
  };
  offer("runs");
  return { key, offer };
}
