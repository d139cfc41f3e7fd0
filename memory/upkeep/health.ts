/** What upkeep adds to memory's health. */

import type { Health } from "../../contracts/service.ts";
import type { Upkeep } from "./upkeep.ts";

const detail_chars_max = 500;

export function withUpkeep(health: Omit<Health, "resources">, upkeep: Upkeep | null): Omit<Health, "resources"> {
  if (upkeep === null) return health;
  const { degradation, recovery } = upkeep;
  const running = upkeep.jobs.running;
  const said = [degradation, recovery].filter((one) => one !== null);
  return {
    status: degradation === null ? health.status : "degraded",
    detail: [health.detail, ...said].join("; ").slice(0, detail_chars_max),
    facts: { ...health.facts, ...(running !== null && { upkeep: running }) },
  };
}
