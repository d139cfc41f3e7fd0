/**
 * Cold segments (memory/upkeep/segments/) and what came back after damage.
 *
 *   events.body, decisions.body
 *                    `{}`: the memory of that id is cold, and its segment holds it
 *   segments.id      `memories.segment`; the file is `segments/<id>.seg`, never changed once its row is here
 *   segments.sha256  of the whole file
 *   recovered        files and segments out of which what was readable has been taken after damage
 */
export const upkeep = `CREATE TABLE segments (
     id INTEGER PRIMARY KEY,
     made_ms REAL NOT NULL,
     memories INTEGER NOT NULL,
     oldest_ms REAL NOT NULL,
     newest_ms REAL NOT NULL,
     bytes INTEGER NOT NULL,
     plain_bytes INTEGER NOT NULL,
     sha256 TEXT NOT NULL
   ) STRICT;
   CREATE TABLE recovered (
     source TEXT PRIMARY KEY,
     finished_ms REAL NOT NULL,
     read INTEGER NOT NULL,
     added INTEGER NOT NULL,
     unreadable INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX memories_hot_of_text ON memories (text_id) WHERE segment IS NULL;
   CREATE TRIGGER decision_is_hot_again AFTER UPDATE OF body ON decisions WHEN new.body <> '{}' BEGIN
     UPDATE memories SET segment = NULL WHERE id = new.id AND segment IS NOT NULL;
   END;`;
