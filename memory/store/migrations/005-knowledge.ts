/** Documents, sections, versions. */
export const knowledge = `CREATE TABLE knowledge_versions (
     seq INTEGER PRIMARY KEY,
     document TEXT NOT NULL,
     version INTEGER NOT NULL,
     origin TEXT NOT NULL,
     sha256 TEXT NOT NULL,
     bytes INTEGER NOT NULL,
     title TEXT NOT NULL,
     kind TEXT NOT NULL,
     front TEXT NOT NULL,
     text TEXT NOT NULL,
     author TEXT NOT NULL,
     reason TEXT NOT NULL,
     call TEXT,
     taint TEXT NOT NULL,
     time_ms REAL NOT NULL,
     brings_back INTEGER,
     UNIQUE (document, version)
   ) STRICT;
   CREATE TRIGGER knowledge_versions_stay BEFORE DELETE ON knowledge_versions
     BEGIN SELECT RAISE(ABORT, 'versions of documents are never deleted'); END;
   CREATE TRIGGER knowledge_versions_are_fixed BEFORE UPDATE ON knowledge_versions
     BEGIN SELECT RAISE(ABORT, 'versions of documents are never changed'); END;
   CREATE TABLE knowledge_documents (
     document TEXT PRIMARY KEY,
     version INTEGER,
     shipped_version INTEGER,
     in_image INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE knowledge_sections (
     seq INTEGER PRIMARY KEY,
     document TEXT NOT NULL,
     place INTEGER NOT NULL,
     title TEXT NOT NULL,
     heading TEXT NOT NULL,
     text TEXT NOT NULL,
     sha256 TEXT NOT NULL,
     UNIQUE (document, place)
   ) STRICT;
   CREATE VIRTUAL TABLE knowledge_words USING fts5(
     title, heading, text, content='knowledge_sections', content_rowid='seq', tokenize='porter unicode61 remove_diacritics 2'
   );
   CREATE TRIGGER knowledge_sections_in AFTER INSERT ON knowledge_sections BEGIN
     INSERT INTO knowledge_words (rowid, title, heading, text) VALUES (new.seq, new.title, new.heading, new.text);
   END;
   CREATE TRIGGER knowledge_sections_out AFTER DELETE ON knowledge_sections BEGIN
     INSERT INTO knowledge_words (knowledge_words, rowid, title, heading, text) VALUES ('delete', old.seq, old.title, old.heading, old.text);
   END;
   CREATE TABLE knowledge_vectors (
     sha256 TEXT NOT NULL,
     model TEXT NOT NULL,
     vector BLOB NOT NULL,
     PRIMARY KEY (sha256, model)
   ) STRICT, WITHOUT ROWID;`;
