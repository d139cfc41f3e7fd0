/** Our system with a service out of the userland, and a repository that it gets packages from. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeDeb, makeKey, writeRepository } from "../../../tools/catalog/pkg/testing/repository.ts";
import { newFolder } from "../../places.ts";
import { type Ours, startOurs } from "./system.ts";

export const talker = { service: "talker", package: "aios-talker" } as const;

export interface PackagesGround extends Ours {
  /** Puts another version into the repository: one that runs, or one that ends at once. @returns its number, higher than all before */
  offer(how: "runs" | "ends"): string;
}

const program = { runs: "while sleep 0.2; do :; done", ends: "echo this version does not run; exit 1" } as const;
const inside = "/var/lib/aios/srv/repository";

export async function startWithPackages(pace: number): Promise<PackagesGround> {
  const key = makeKey("faults");
  // from memory the base of the userland cannot be mounted: this disk is a real one
  const data = newFolder("data");
  const [debs, repository] = [newFolder("debs"), join(data, "srv/repository")];
  const made: string[] = [];
  const offer = (how: "runs" | "ends"): string => {
    const version = `${made.length + 1}.0`;
    const files = { "usr/bin/aios-talker": `#!/bin/sh\n${program[how]}\n` };
    made.push(makeDeb(debs, { name: talker.package, version, files }));
    mkdirSync(repository, { recursive: true });
    writeRepository(repository, made, { key });
    return version;
  };
  offer("runs");
  const signed_by = key.armoured.trimEnd().replaceAll("\n", "\n        ");
  const source = `uri: file:${inside}\n      suite: stable\n      components: [main]\n      signed_by: |\n        ${signed_by}\n`;
  const ours = await startOurs(pace, { config: `packages:\n  sources:\n    - ${source}`, data });
  await ours.aiosctl.done("pkg.install", { packages: [{ name: talker.package }] });
  await ours.aiosctl.done("service.define", { name: talker.service, argv: ["/usr/bin/aios-talker"], root: "userland" });
  await ours.aiosctl.done("sec.grant", {
    ...{ principal: "tier:tactical", tools: ["pkg.update", "pkg.rollback"], risk: "compensable", expires_in_s: 86_400 },
    resources: [
      { kind: "system", id: "userland" },
      { kind: "package", id: "*" },
    ],
    reason: "what is signed may be updated, and taken back, at night",
  });
  return { ...ours, offer };
}
