/** A query of the audit as SQL: values are parameters, never text of the statement. */

import type { AuditQuery } from "../../contracts/audit.ts";
import { spellingsOf } from "./spellings.ts";

export interface Selection {
  /** Conditions on `entries`, joined by AND; "1" when there are none. */
  readonly where: string;
  readonly values: readonly (string | number)[];
}

/** UTF-8's largest character sorts after everything that begins with the same text. */
const after_all = "\u{10FFFF}";

export function selectionOf(query: AuditQuery): Selection {
  const wanted: string[] = [];
  const values: (string | number)[] = [];
  const add = (condition: string, ...its_values: (string | number)[]): void => {
    wanted.push(condition);
    values.push(...its_values);
  };
  if (query.before_seq !== null) add("seq < ?", query.before_seq);
  if (query.since_ms !== null) add("time_ms >= ?", query.since_ms);
  if (query.until_ms !== null) add("time_ms <= ?", query.until_ms);
  for (const name of ["kind", "principal", "call", "event", "status"] as const) {
    const value = query[name];
    if (value !== null) add(`${name} = ?`, value);
  }
  if (query.group !== null) add("group_name = ?", query.group);
  if (query.tool !== null) named("tool", query.tool, add);
  if (query.resource !== null) {
    const [conditions, its_values]: [string[], string[]] = [[], []];
    for (const name of spellingsOf(query.resource))
      named("id", name, (condition, ...of_it) => {
        conditions.push(condition);
        its_values.push(...of_it);
      });
    add(`seq IN (SELECT seq FROM resources WHERE ${conditions.join(" OR ")})`, ...its_values);
  }
  const words = wordsPattern(query.text ?? "");
  if (words !== "") add("seq IN (SELECT rowid FROM words WHERE words MATCH ?)", words);
  return { where: wanted.length === 0 ? "1" : wanted.join(" AND "), values };
}

/** A name, or the start of one that ends in `*`. */
function named(column: string, name: string, add: (condition: string, ...values: string[]) => void): void {
  const start = name.slice(0, -1);
  if (name.endsWith("*")) add(`${column} >= ? AND ${column} < ?`, start, start + after_all);
  else add(`${column} = ?`, name);
}

/** Words as FTS5 strings, all of which have to be there; one that ends in `*` is the start of a word (sqlite.org/fts5.html#full_text_query_syntax). */
function wordsPattern(text: string): string {
  const words = text
    .replaceAll("\0", " ")
    .split(/\s+/)
    .filter((word) => word !== "");
  return words
    .map((word) => {
      const start = word.length > 1 && word.endsWith("*");
      return `"${(start ? word.slice(0, -1) : word).replaceAll('"', '""')}"${start ? "*" : ""}`;
    })
    .join(" ");
}
