/** What rests on what: walks over links, and quarantine that follows them. */

import type Sqlite from "better-sqlite3";
import type { z } from "zod";
import { Relation } from "../../contracts/memory/record.ts";

export interface Reached {
  readonly id: string;
  readonly over: z.infer<typeof Relation>;
  readonly from: string;
  readonly depth: number;
}
export interface Walk {
  readonly reached: Reached[];
  readonly truncated: boolean;
}
/** `influenced`: those that link to it, and on; `influenced-by`: those that it links to, and on. */
type Direction = "influenced" | "influenced-by";

const depth_max = 32;
/** Links of one memory that are followed. */
const fan_max = 2000;
/** Memories that one call puts in quarantine; called again it goes on. */
const influenced_max = 5000;

/** A memory that holds one of these links to another would not be what it is without it. */
const rests_by: readonly z.infer<typeof Relation>[] = ["caused-by", "based-on", "answers", "learned-from"];

interface Step {
  readonly id: string;
  readonly relation: string;
}

export class Links {
  readonly #db: Sqlite.Database;
  readonly #to: Sqlite.Statement<[string, number], Step>;
  readonly #from: Sqlite.Statement<[string, number], Step>;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.#to = db.prepare("SELECT from_id AS id, relation FROM links WHERE to_id = ? ORDER BY relation, from_id LIMIT ?");
    this.#from = db.prepare("SELECT to_id AS id, relation FROM links WHERE from_id = ? ORDER BY relation, to_id LIMIT ?");
  }

  /** The memories that this one names so, as far as anybody follows them. */
  named(id: string, relation: z.infer<typeof Relation>): string[] {
    return this.#from.all(id, fan_max).flatMap((step) => (step.relation === relation ? step.id : []));
  }

  /** The memories that name this one so. */
  naming(id: string, relation: z.infer<typeof Relation>): string[] {
    return this.#to.all(id, fan_max).flatMap((step) => (step.relation === relation ? step.id : []));
  }

  /** Breadth first, each memory once, nearest first. */
  trace(id: string, direction: Direction, limit: number, over: readonly string[] = Relation.options): Walk {
    const next = direction === "influenced" ? this.#to : this.#from;
    const seen = new Set([id]);
    const reached: Reached[] = [];
    let edge = [id];
    for (let depth = 1; edge.length > 0; depth += 1) {
      if (depth > depth_max) return { reached, truncated: true };
      const further: string[] = [];
      for (const from of edge) {
        const steps = next.all(from, fan_max + 1);
        for (const step of steps) {
          const relation = Relation.options.find((one) => one === step.relation);
          if (relation === undefined || !over.includes(relation) || seen.has(step.id)) continue;
          if (reached.length === limit) return { reached, truncated: true };
          seen.add(step.id);
          reached.push({ id: step.id, over: relation, from, depth });
          further.push(step.id);
        }
        if (steps.length > fan_max) return { reached, truncated: true };
      }
      edge = further;
    }
    return { reached, truncated: false };
  }

  /** Inside a transaction. @returns the ids that changed; those in quarantine for another reason stay as they are */
  quarantine(id: string, reason: string | null, influenced: boolean): string[] {
    const resting = influenced ? this.trace(id, "influenced", influenced_max * 4, rests_by).reached.map((one) => one.id) : [];
    const because = `rests on ${id}:`;
    const changed: string[] = [];
    if (reason === null) {
      const out = this.#db.prepare("UPDATE memories SET quarantined = NULL WHERE id = ? AND quarantined IS NOT NULL");
      const out_of_same = this.#db.prepare("UPDATE memories SET quarantined = NULL WHERE id = ? AND substr(quarantined, 1, ?) = ?");
      if (out.run(id).changes > 0) changed.push(id);
      for (const one of resting) {
        if (changed.length >= influenced_max) break;
        if (out_of_same.run(one, because.length, because).changes > 0) changed.push(one);
      }
      return changed;
    }
    const put = this.#db.prepare("UPDATE memories SET quarantined = ? WHERE id = ? AND quarantined IS NOT ?");
    if (put.run(reason, id, reason).changes > 0) changed.push(id);
    const put_new = this.#db.prepare("UPDATE memories SET quarantined = ? WHERE id = ? AND quarantined IS NULL");
    const said = `${because} ${reason}`.slice(0, 500);
    for (const one of resting) {
      if (changed.length >= influenced_max) break;
      if (put_new.run(said, one).changes > 0) changed.push(one);
    }
    return changed;
  }
}
