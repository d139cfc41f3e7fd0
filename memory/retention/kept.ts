/**
 * What stays, whatever the rules: pinned memories; what work that has not ended names (goals, incidents, their plans and steps);
 * what a playbook of the knowledge base was learned from, and every decision by which its record is counted; and all that
 * these rest on, over links. Of decisions that stay, also what was done because of them.
 */

import type Sqlite from "better-sqlite3";

const playbooks = "playbooks/";
/** How the documents about playbooks of the image are named (agents/learning/document.ts). */
const stage = "stage-";
/** An id of a memory within a text. */
const id_pattern = /\b[0-9a-f]{8}-[a-z][a-z0-9-]*-[0-9]+\b/g;
const id_glob = "[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]-*";

interface Learned {
  /** Ids that documents name. */
  readonly named: string;
  /** What decisions by these playbooks give as their rule. */
  readonly rules: string;
}

export class Kept {
  readonly #db: Sqlite.Database;
  #learned: { readonly at: number; readonly learned: Learned } | null = null;

  constructor(db: Sqlite.Database) {
    this.#db = db;
  }

  /** Fills the table `temp.kept` with their ids, as they are now. */
  mark(): void {
    this.#db.exec("CREATE TEMP TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY) WITHOUT ROWID; DELETE FROM temp.kept;");
    const open = "SELECT root FROM work_items WHERE ended = 0";
    this.#db
      .prepare<[Learned]>(
        `INSERT OR IGNORE INTO temp.kept
         WITH RECURSIVE rest (id) AS (
           SELECT id FROM memories WHERE pinned = 1
           UNION SELECT id FROM work_items WHERE root IN (${open})
           UNION SELECT j.atom FROM work_items w, json_tree(w.body) j
             WHERE w.root IN (${open}) AND j.type = 'text' AND j.atom GLOB '${id_glob}'
           UNION SELECT value FROM json_each(@named)
           UNION SELECT decision FROM outcomes WHERE rule IN (SELECT value FROM json_each(@rules))
           UNION SELECT l.to_id FROM rest JOIN links l ON l.from_id = rest.id)
         SELECT id FROM rest`,
      )
      .run(this.#learnedNow());
    this.#db.exec(
      `INSERT OR IGNORE INTO temp.kept SELECT l.from_id FROM temp.kept k
       JOIN memories d ON d.id = k.id AND d.kind = 'decision'
       JOIN links l ON l.to_id = k.id JOIN memories m ON m.id = l.from_id AND m.kind = 'action'`,
    );
  }

  #learnedNow(): Learned {
    const at = this.#db.prepare<[], { at: number | null }>("SELECT max(seq) AS at FROM knowledge_versions").get()?.at ?? 0;
    if (this.#learned?.at !== at) this.#learned = { at, learned: this.#read() };
    return this.#learned.learned;
  }

  #read(): Learned {
    const documents = this.#db
      .prepare<[string], { document: string; said: string }>(
        `SELECT v.document, v.text || ' ' || v.reason AS said FROM knowledge_documents d
         JOIN knowledge_versions v ON v.document = d.document AND v.version = d.version WHERE d.document GLOB ?`,
      )
      .all(`${playbooks}*`);
    const named = documents.flatMap(({ said }) => said.match(id_pattern) ?? []);
    const rules = documents.flatMap(({ document }) => {
      const name = document.slice(playbooks.length);
      const playbook = name.startsWith(stage) ? name.slice(stage.length) : name;
      return [`playbook ${playbook}`, `trial ${playbook}`];
    });
    return { named: JSON.stringify(named), rules: JSON.stringify(rules) };
  }
}
