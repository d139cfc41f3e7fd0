/**
 * Memories, their texts, words, vectors and links.
 *
 * A memory (contracts/memory/record.ts) is one row of `memories`; `seq` is the order of writing. What filters use are
 * columns. Its words are a row of `texts`, shared by all memories that say the same (events repeat a lot), found by the
 * first 16 bytes of their SHA-256. Both indexes are over texts: `words` (FTS5, by `texts.id` as rowid, without the text
 * itself) and `vectors`.
 *
 *   memories.body      NULL: the body is the row of that id in `events` or `decisions`, or (segment not NULL) in the segment
 *   memories.segment   NULL: everything is here; otherwise the cold segment that holds its text and body. The row itself,
 *                      its words and its vector stay, so what is cold is found like everything else
 *   memories.taint     NULL: nothing in it is from outside; otherwise a JSON array of where from
 *   memories.severity  0 debug … 5 critical
 *   texts.text         NULL: every memory that has it is cold; it is in their segments
 *   texts.embedded_by  0: has no vector; otherwise the row of `embedders` that its vector is by. Texts whose number is below
 *                      the newest embedder's are work to do, in the order of (embedded_by, id)
 *   vectors.v          int8, each scaled to its own largest component (a cosine does not see the scale). `nearest` (vec0 of
 *                      sqlite-vec, made by memory/longterm/vectors.ts when that extension loads, dropped and made again for
 *                      another embedder) holds the sign bits of the same, `nearest_sample` those of every 64th text
 *   links              both ends by id: an end may be written later, or never
 *   carry_over         events and decisions of schema 1 up to `upto` become memories (memory/longterm/carry-over.ts), `done`
 *                      is how far that came; later ones become memories in the transaction that writes them
 *
 * The rows and both indexes are changed in one transaction, so they agree after a kill at any moment (longterm/check.ts).
 */
export const longterm = `CREATE TABLE texts (
     id INTEGER PRIMARY KEY,
     hash BLOB NOT NULL UNIQUE,
     text TEXT,
     embedded_by INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE INDEX texts_to_embed ON texts (embedded_by, id);
   CREATE TABLE memories (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     time_ms REAL NOT NULL,
     boot_ms REAL NOT NULL,
     kind TEXT NOT NULL,
     source TEXT NOT NULL,
     severity INTEGER NOT NULL,
     tier TEXT,
     tool TEXT,
     service TEXT,
     outcome TEXT,
     text_id INTEGER NOT NULL REFERENCES texts (id),
     body TEXT,
     taint TEXT,
     pinned INTEGER NOT NULL DEFAULT 0,
     quarantined TEXT,
     used INTEGER NOT NULL DEFAULT 0,
     useful INTEGER NOT NULL DEFAULT 0,
     segment INTEGER
   ) STRICT;
   CREATE INDEX memories_of_text ON memories (text_id, time_ms);
   CREATE INDEX memories_in_time ON memories (time_ms);
   CREATE INDEX memories_of_kind ON memories (kind, source, time_ms);
   CREATE INDEX memories_of_severity ON memories (severity, time_ms) WHERE severity >= 3;
   CREATE INDEX memories_of_tier ON memories (tier, time_ms) WHERE tier IS NOT NULL;
   CREATE INDEX memories_of_outcome ON memories (outcome, time_ms) WHERE outcome IS NOT NULL;
   CREATE INDEX memories_of_service ON memories (service, time_ms) WHERE service IS NOT NULL;
   CREATE INDEX memories_of_tool ON memories (tool, time_ms) WHERE tool IS NOT NULL;
   CREATE INDEX memories_tainted ON memories (seq) WHERE taint IS NOT NULL;
   CREATE INDEX memories_pinned ON memories (seq) WHERE pinned = 1;
   CREATE INDEX memories_quarantined ON memories (seq) WHERE quarantined IS NOT NULL;
   CREATE INDEX memories_in_segment ON memories (segment, seq) WHERE segment IS NOT NULL;
   CREATE TABLE links (
     from_id TEXT NOT NULL,
     relation TEXT NOT NULL,
     to_id TEXT NOT NULL,
     PRIMARY KEY (from_id, relation, to_id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX links_to ON links (to_id, relation, from_id);
   CREATE VIRTUAL TABLE words USING fts5 (
     text, content = '', contentless_delete = 1, tokenize = "porter unicode61 remove_diacritics 2"
   );
   CREATE TABLE embedders (
     id INTEGER PRIMARY KEY,
     model TEXT NOT NULL,
     dimensions INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE vectors (
     text_id INTEGER PRIMARY KEY REFERENCES texts (id),
     v BLOB NOT NULL
   ) STRICT;
   CREATE TABLE carry_over (
     what TEXT PRIMARY KEY,
     upto INTEGER NOT NULL,
     done INTEGER NOT NULL
   ) STRICT;
   INSERT INTO carry_over SELECT 'events', coalesce(max(seq), 0), 0 FROM events;
   INSERT INTO carry_over SELECT 'decisions', coalesce(max(seq), 0), 0 FROM decisions;`;
