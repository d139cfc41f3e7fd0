/**
 * Log templates. `pattern`: words with a space between, values as one control character each (memory/templates/kinds.ts);
 * `path`: the way to its leaf in the tree. A template's id is never used again, and its row stays when it is merged into another.
 */
export const templates = `CREATE TABLE templates (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     pattern TEXT NOT NULL,
     path TEXT NOT NULL,
     vague INTEGER NOT NULL,
     lines INTEGER NOT NULL,
     minutes INTEGER NOT NULL,
     first_ms REAL NOT NULL,
     last_ms REAL NOT NULL,
     watched INTEGER NOT NULL,
     rate_sum REAL NOT NULL,
     rate_square REAL NOT NULL,
     rate_weight REAL NOT NULL,
     rate_minute INTEGER NOT NULL,
     rate_minute_lines INTEGER NOT NULL,
     merged_into INTEGER REFERENCES templates (id)
   ) STRICT;
   CREATE INDEX templates_of_path ON templates (path, id) WHERE merged_into IS NULL;
   CREATE INDEX templates_by_last ON templates (last_ms) WHERE merged_into IS NULL;
   CREATE INDEX templates_merged ON templates (merged_into) WHERE merged_into IS NOT NULL;
   CREATE TABLE template_sources (
     template INTEGER NOT NULL REFERENCES templates (id),
     source TEXT NOT NULL,
     lines INTEGER NOT NULL,
     first_ms REAL NOT NULL,
     last_ms REAL NOT NULL,
     PRIMARY KEY (template, source)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX template_sources_by_source ON template_sources (source, template);
   CREATE TABLE template_hours (
     template INTEGER NOT NULL REFERENCES templates (id),
     hour INTEGER NOT NULL,
     lines INTEGER NOT NULL,
     PRIMARY KEY (template, hour)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX template_hours_by_hour ON template_hours (hour);
   CREATE TABLE template_days (
     template INTEGER NOT NULL REFERENCES templates (id),
     day INTEGER NOT NULL,
     lines INTEGER NOT NULL,
     PRIMARY KEY (template, day)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE template_examples (
     template INTEGER NOT NULL REFERENCES templates (id),
     slot INTEGER NOT NULL,
     time_ms REAL NOT NULL,
     source TEXT NOT NULL,
     parameters TEXT NOT NULL,
     PRIMARY KEY (template, slot)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE template_followers (
     template INTEGER NOT NULL REFERENCES templates (id),
     follower TEXT NOT NULL,
     times INTEGER NOT NULL,
     last_ms REAL NOT NULL,
     PRIMARY KEY (template, follower)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE template_cursor (
     stream TEXT PRIMARY KEY,
     seq INTEGER NOT NULL,
     boot_ms REAL NOT NULL
   ) STRICT, WITHOUT ROWID;`;
