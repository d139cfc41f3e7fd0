/** Packages in the userland: whether the generation that counts is whole, who still runs in another one, what is known to be weak. */

import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks whether the packages are as they should be";
const generations_max = 50;
const subject = "userland";

/** Subjects are `userland`, and services. */
export async function packageFigures(ask: AskTool): Promise<Figure[]> {
  const { current, generations, outdated_services } = await ask("pkg.history", { limit: generations_max }, why);
  // the newest are told, and those before them are taken to be there
  const oldest = generations.at(-1)?.number ?? 0;
  const is_told = generations.length < generations_max || current >= oldest;
  const whole = current === 0 || !is_told || generations.some(({ number }) => number === current);
  return [
    {
      ...{ figure: "userland.broken", subject, value: whole ? 0 : 1 },
      detail: whole ? "it is whole" : `generation ${current} is to count, and is not there as a whole`,
    },
    ...outdated_services.map(({ service, generation }) => ({
      ...{ figure: "service.outdated", subject: service, value: 1 },
      detail: `it runs in generation ${generation}, and ${current} is the current one`,
    })),
  ];
}

/** Where whoever fetches advisories puts them: OSV's JSON (sec.scan). Without that file nothing is held against the packages. */
export const advisories_path = "/var/lib/aios/work/advisories.json";
const userland_root = "/run/aios/userland/current";
/** Debian's own rule (deb-src-control(5)): a name that is no more than that can be a subject. */
const package_name = /^[a-z0-9][a-z0-9.+-]{1,62}$/;
const where_found = /^(image|\/run\/aios\/userland\/[^:]+): (.+)$/;

/** Subjects are packages of the userland, and `image` for all that the image itself has. */
export async function advisoryFigures(ask: AskTool): Promise<Figure[]> {
  if (!(await areThere(ask))) return [];
  const { current } = await ask("pkg.history", { limit: 1 }, why);
  // asked so that it is mounted
  if (current > 0) await ask("pkg.list", { limit: 1 }, why);
  const package_roots = current > 0 ? [userland_root] : [];
  const { findings } = await ask("sec.scan", { checks: ["packages"], advisories: advisories_path, package_roots, limit: 200 }, why);
  const weak = new Map<string, string>();
  for (const { kind, where, evidence } of findings) {
    const [, root, names = ""] = where_found.exec(where) ?? [];
    if (kind !== "vulnerable-package" || root === undefined) continue;
    if (root === "image") weak.set("image", evidence);
    else for (const name of names.split(", ")) if (package_name.test(name)) weak.set(name, evidence);
  }
  return [...weak].map(([package_of, evidence]) => ({ figure: "package.vulnerable", subject: package_of, value: 1, untrusted: evidence }));
}

async function areThere(ask: AskTool): Promise<boolean> {
  try {
    return (await ask("fs.stat", { path: advisories_path }, why)).type === "file";
  } catch {
    return false; // the tool fails where there is nothing
  }
}
