/**
 * Classifiers of triage that were trained here (memory/classifier/): versions, which are never changed, and which one was in use when.
 *
 *   classifiers.sha256       of `body`, as it stands here
 *   classifier_use.version   the one that is asked from then on; NULL: none
 */
export const classifier = `CREATE TABLE classifiers (
     version INTEGER PRIMARY KEY,
     sha256 TEXT NOT NULL,
     body TEXT NOT NULL,
     report TEXT NOT NULL
   ) STRICT;
   CREATE TABLE classifier_use (
     seq INTEGER PRIMARY KEY,
     time_ms REAL NOT NULL,
     version INTEGER REFERENCES classifiers (version),
     why TEXT NOT NULL
   ) STRICT;`;
