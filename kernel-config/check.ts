/**
 * Compares a final `.config` with what the fragments want. Kconfig drops a setting without a word when its
 * dependencies are not met or its name is gone; here that fails the build.
 *
 *     bun kernel-config/check.ts [x86_64|arm64] …     checks build/kernel/<arch>/config
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "../tooling/progress.ts";
import { parseConfig, type Value } from "./kconfig.ts";
import { type Architecture, architectures, here, readWishes, type Wish } from "./wanted.ts";

export interface Difference {
  readonly wish: Wish;
  readonly got: Value;
}

export function differences(wishes: readonly Wish[], config: ReadonlyMap<string, Value>): Difference[] {
  return wishes.map((wish) => ({ wish, got: config.get(wish.symbol) ?? "n" })).filter(({ wish, got }) => wish.value !== got);
}

/** One line for each difference. `hint` may know why kconfig decided otherwise. */
export function describe(found: readonly Difference[], hint: (symbol: string) => string = () => ""): string {
  return found
    .map(({ wish, got }) => {
      const remedy = wish.hardening ? "; meet its dependencies or write the reason into hardening-exceptions.yaml" : "";
      const why = hint(wish.symbol);
      return `  CONFIG_${wish.symbol}: wanted ${wish.value}, got ${got} (${wish.from})${remedy}${why === "" ? "" : `\n    ${why}`}`;
    })
    .join("\n");
}

/** @throws with every difference in the message */
export function checkConfig(architecture: Architecture, text: string, hint?: (symbol: string) => string): number {
  const wishes = readWishes(architecture);
  const found = differences(wishes, parseConfig(text, `${architecture} .config`));
  if (found.length > 0) {
    throw new Error(
      `checking the ${architecture} kernel configuration failed: ${found.length} of ${wishes.length} symbols are not as wanted:\n${describe(found, hint)}`,
    );
  }
  return wishes.length;
}

export function configPath(architecture: Architecture): string {
  return join(here, "..", "build", "kernel", architecture, "config");
}

function main(names: readonly string[]): void {
  const chosen = architectures.filter((architecture) => names.length === 0 || names.includes(architecture));
  const unknown = names.filter((name) => !chosen.some((architecture) => architecture === name));
  if (unknown.length > 0)
    throw new Error(
      `checking the kernel configuration failed: no architecture "${unknown.join('", "')}"; choose of ${architectures.join(", ")}`,
    );
  for (const architecture of chosen) {
    const path = configPath(architecture);
    if (!existsSync(path)) {
      throw new Error(
        `checking the ${architecture} kernel configuration failed: there is no "${path}"; run bun kernel-config/build.ts --arch ${architecture} --config-only`,
      );
    }
    say(`kernel ${architecture}: all ${checkConfig(architecture, readFileSync(path, "utf8"))} symbols are as wanted`);
  }
}

if (import.meta.main) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
