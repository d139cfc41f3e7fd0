/**
 * Keys of models, for the tier that calls their APIs: each secret whose owner lets it have it is a file in the folder that PID 1 has
 * made for it, and that its sandbox shows it. The folder says whose it is; where there is none, there is no such tier.
 */

import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { secretsFolder } from "../../contracts/paths.ts";
import { type Ports, writeFile } from "./handout.ts";
import { key_holders } from "./use.ts";

/** The folders hold these and nothing else afterwards; what does not open is left out. @returns what could not be written, in words */
export function handToTiers({ vault, places }: Ports): string[] {
  return key_holders.flatMap((tier) => {
    const folder = secretsFolder(tier, places.run);
    const owner = statSync(folder, { throwIfNoEntry: false });
    if (owner === undefined) return [];
    try {
      const values = valuesFor(tier, vault);
      for (const [name, value] of values) writeFile(folder, name, value, owner.uid);
      for (const name of readdirSync(folder)) if (!values.has(name)) rmSync(join(folder, name), { force: true });
      return [];
    } catch (error) {
      return [`handing keys to the tier "${tier}" failed: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

function valuesFor(tier: string, vault: Ports["vault"]): ReadonlyMap<string, Uint8Array> {
  const meant = vault.list().filter(({ kind, record, trouble }) => {
    return kind === "secret" && trouble === null && record?.uses.some((use) => use.to === "tier" && use.tier === tier) === true;
  });
  return new Map(meant.map(({ kind, name }) => [name, vault.value({ kind, name })]));
}
