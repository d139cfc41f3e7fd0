/** Packages in the userland: whether the generation that counts is whole, who still runs in another one, what is known to be weak. */

import type { ToolAnswer } from "../../../contracts/tool-answers.ts";
import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks whether the packages are as they should be";
const generations_max = 50;
const subject = "userland";
/** Of one answer. */
const findings_max = 200;
/** As file tools say it of a path. */
const nothing_there = "(ENOENT)";

/** Subjects are `userland`, and services: who changed the packages is who starts anew what uses them, and the tiers are we. */
export async function packageFigures(ask: AskTool): Promise<Figure[]> {
  const { current, generations, outdated_services } = await ask("pkg.history", { limit: generations_max }, why);
  // the newest are told, and those before them are taken to be there
  const oldest = generations.at(-1)?.number ?? 0;
  const is_told = generations.length < generations_max || current >= oldest;
  const whole = current === 0 || !is_told || generations.some(({ number }) => number === current);
  const by = generations.find(({ number }) => number === current)?.principal ?? "";
  const ours = by.startsWith("tier:");
  return [
    {
      ...{ figure: "userland.broken", subject, value: whole ? 0 : 1 },
      detail: whole ? "it is whole" : `generation ${current} is to count, and is not there as a whole`,
    },
    ...outdated_services.map(({ service, generation }) => ({
      ...{ figure: ours ? "service.left_behind" : "service.outdated", subject: service, value: 1 },
      detail: `it runs in generation ${generation}, and ${current} is the current one${ours ? `, which ${by} made` : ""}`,
    })),
  ];
}

/**
 * Where whoever fetches advisories puts them: OSV's JSON (sec.scan). The image brings none, and the system asks nobody for them by
 * itself: whoever is asked learns what runs here.
 */
export const advisories_path = "/var/lib/aios/work/advisories.json";
const userland_root = "/run/aios/userland/current";
/** Debian's own rule (deb-src-control(5)): a name that is no more than that can be a subject. */
const package_name = /^[a-z0-9][a-z0-9.+-]{1,62}$/;
const where_found = /^(image|\/run\/aios\/userland\/[^:]+): (.+)$/;
const day_ms = 86_400_000;
/** They are fetched each day; from here on they were not. */
const fresh_ms = 3 * day_ms;
const todo = "the runbook fetch-advisories says how they are fetched each day";

export class AdvisoryPatrol {
  #says: string | null = null;

  /** Whether there are advisories, and how old they are. */
  get says(): string | null {
    return this.#says;
  }

  /**
   * Subjects are packages of the userland, and `image` for all that the image itself has.
   * @param now_ms wall clock @returns null where there are no advisories
   */
  async look(ask: AskTool, now_ms = Date.now()): Promise<Figure[] | null> {
    const changed_ms = await changedMs(ask);
    if (changed_ms === null) {
      this.#says = `no known weaknesses are held against the packages: ${advisories_path} is not there; ${todo}`;
      return null;
    }
    const age_ms = now_ms - changed_ms;
    const days = Math.floor(age_ms / day_ms);
    this.#says = `known weaknesses are held against the packages as of ${days} days ago${age_ms > fresh_ms ? `; ${todo}` : ""}`;
    const { current } = await ask("pkg.history", { limit: 1 }, why);
    // asked so that it is mounted
    if (current > 0) await ask("pkg.list", { limit: 1 }, why);
    return [...(await weakPackages(ask, current > 0 ? [userland_root] : []))].map(([subject_of, evidence]) => ({
      ...{ figure: "package.vulnerable", subject: subject_of, value: 1, untrusted: evidence },
    }));
  }
}

/** By package: what was found last of it, which names the advisory. */
async function weakPackages(ask: AskTool, package_roots: readonly string[]): Promise<Map<string, string>> {
  const weak = new Map<string, string>();
  const args = { checks: ["packages"], advisories: advisories_path, package_roots, limit: findings_max };
  let offset: number | null = 0;
  while (offset !== null) {
    const { findings, next_offset }: ToolAnswer<"sec.scan"> = await ask("sec.scan", { ...args, offset }, why);
    for (const { kind, where, evidence } of findings) {
      const [, root, names = ""] = where_found.exec(where) ?? [];
      if (kind !== "vulnerable-package" || root === undefined) continue;
      if (root === "image") weak.set("image", evidence);
      else for (const name of names.split(", ")) if (package_name.test(name)) weak.set(name, evidence);
    }
    offset = next_offset;
  }
  return weak;
}

/** Milliseconds since 1970. @returns null where there is no such file @throws when nobody can say */
async function changedMs(ask: AskTool): Promise<number | null> {
  try {
    const { type, mtime } = await ask("fs.stat", { path: advisories_path }, why);
    return type === "file" ? Date.parse(mtime) : null;
  } catch (error) {
    if (error instanceof Error && error.message.includes(nothing_there)) return null;
    throw error;
  }
}
