/** A filter as SQL over `memories m`. Values are always bound, names never come from outside. */

import { Severity } from "../../contracts/event.ts";
import type { MemoryFilter } from "../../contracts/memory/longterm.ts";
import { MemoryKind } from "../../contracts/memory/record.ts";

export interface Where {
  /** Holds at least one condition. */
  readonly sql: string;
  readonly values: readonly (string | number)[];
  /** It leaves out more than what is in quarantine. */
  readonly narrows: boolean;
  /** The same, for many memories at once: answered by the entries of an index (store/migrations/011-covering.ts). */
  readonly by_index: string;
}

/** Few are, and they have an index of their own. */
const not_quarantined = "m.seq NOT IN (SELECT seq FROM memories WHERE quarantined IS NOT NULL)";

/** From this severity on there is an index (`memories_of_severity`), which SQLite only takes when the query names it literally. */
const indexed_severity = "m.severity >= 3";

export function severityNumber(severity: Severity): number {
  return Severity.options.indexOf(severity);
}

export function whereOf(filter: MemoryFilter): Where {
  const wanted: string[] = [];
  const values: (string | number)[] = [];
  const one = (sql: string, value: number | undefined): void => {
    if (value === undefined) return;
    wanted.push(sql);
    values.push(value);
  };
  const any = (column: string, of: readonly string[] | undefined): void => {
    if (of === undefined) return;
    wanted.push(`m.${column} IN (${of.map(() => "?").join(", ")})`);
    values.push(...of);
  };
  one("m.time_ms >= ?", filter.since_ms);
  one("m.time_ms <= ?", filter.until_ms);
  // the index begins with the kind: naming all of them lets it find a source
  any("kind", filter.kinds ?? (filter.sources === undefined ? undefined : MemoryKind.options));
  any("source", filter.sources);
  any("tier", filter.tiers);
  any("tool", filter.tools);
  any("service", filter.services);
  any("outcome", filter.outcomes);
  if (filter.severity_min !== undefined && filter.severity_min !== "debug") {
    const least = severityNumber(filter.severity_min);
    if (least >= 3) wanted.push(indexed_severity);
    one("m.severity >= ?", least);
  }
  if (filter.untainted === true) wanted.push("m.taint IS NULL");
  const and = (all: readonly string[]): string => (all.length === 0 ? "TRUE" : all.join(" AND "));
  const [each, many] = filter.quarantined === true ? [[], []] : [["m.quarantined IS NULL"], [not_quarantined]];
  return { sql: and([...wanted, ...each]), values, narrows: wanted.length > 0, by_index: and([...wanted, ...many]) };
}
