/** Versions of the classifier, and which one is in use. Every method is one statement, or runs inside the caller's transaction. */

import { createHash } from "node:crypto";
import type Sqlite from "better-sqlite3";
import { ClassifierBody, ClassifierReport, type ClassifierState } from "../../contracts/memory/classifier.ts";
import { featuresCount, featuresOf, type Matter } from "./features.ts";
import { chanceOf } from "./fit.ts";
import { floatsOf } from "./train.ts";

interface VersionRow {
  readonly version: number;
  readonly sha256: string;
  readonly report: string;
}

/** One that is in use, unpacked. */
export interface InUse {
  readonly version: number;
  readonly embedding: string;
  readonly dimensions: number;
  readonly rules: ReadonlyMap<string, Float32Array>;
}

export class Classifiers {
  readonly #db: Sqlite.Database;
  #unpacked: InUse | null = null;

  constructor(db: Sqlite.Database) {
    this.#db = db;
  }

  /** @returns its number: of the one that is here already, where the same cases have made the same weights */
  keep(body: ClassifierBody, report: ClassifierReport): number {
    const text = JSON.stringify(body);
    const same = this.#db
      .prepare<[string], { version: number }>("SELECT version FROM classifiers WHERE sha256 = ? ORDER BY version LIMIT 1")
      .get(hashOf(text));
    if (same !== undefined) return same.version;
    const put = this.#db.prepare("INSERT INTO classifiers (sha256, body, report) VALUES (?, ?, ?)");
    return Number(put.run(hashOf(text), text, JSON.stringify(report)).lastInsertRowid);
  }

  /** @returns the version before @throws when there is no such version */
  use(version: number | null, why: string, time_ms: number): number | null {
    const was = this.current();
    this.#db.prepare("INSERT INTO classifier_use (time_ms, version, why) VALUES (?, ?, ?)").run(time_ms, version, why);
    return was;
  }

  has(version: number): boolean {
    return this.#db.prepare("SELECT 1 FROM classifiers WHERE version = ?").get(version) !== undefined;
  }

  current(): number | null {
    const row = this.#db.prepare<[], { version: number | null }>("SELECT version FROM classifier_use ORDER BY seq DESC LIMIT 1").get();
    return row?.version ?? null;
  }

  state(limit: number): ClassifierState {
    const rows = this.#db
      .prepare<[number], VersionRow>("SELECT version, sha256, report FROM classifiers ORDER BY version DESC LIMIT ?")
      .all(limit);
    const changes = this.#db
      .prepare<[number], ClassifierState["changes"][number]>("SELECT time_ms, version, why FROM classifier_use ORDER BY seq DESC LIMIT ?")
      .all(limit);
    const versions = rows.map(({ version, sha256, report }) => ({ version, sha256, report: ClassifierReport.parse(JSON.parse(report)) }));
    return { in_use: this.current(), versions, changes };
  }

  /** @throws when the weights are not those that were kept */
  inUse(): InUse | null {
    const version = this.current();
    if (version === null) return null;
    if (this.#unpacked?.version === version) return this.#unpacked;
    const row = this.#db
      .prepare<[number], { sha256: string; body: string }>("SELECT sha256, body FROM classifiers WHERE version = ?")
      .get(version);
    if (row === undefined || hashOf(row.body) !== row.sha256)
      throw new Error(`reading version ${version} of the classifier failed: its hash is another; train anew or use another version`);
    const { embedding, dimensions, rules } = ClassifierBody.parse(JSON.parse(row.body));
    const weights = rules.map(({ rule, weights: told }) => [rule, floatsOf(told)] as const);
    const wrong = weights.find(([, own]) => own.length !== featuresCount(dimensions));
    if (wrong !== undefined)
      throw new Error(`reading version ${version} of the classifier failed: "${wrong[0]}" has ${wrong[1].length} weights`);
    this.#unpacked = { version, embedding, dimensions, rules: new Map(weights) };
    return this.#unpacked;
  }
}

/** @returns for each of the rules that it knows */
export function weighed({ rules }: InUse, matter: Matter, wanted: readonly string[]): { rule: string; chance: number }[] {
  const features = featuresOf(matter);
  return wanted.flatMap((rule) => {
    const weights = rules.get(rule);
    return weights === undefined ? [] : [{ rule, chance: chanceOf(weights, features) }];
  });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
