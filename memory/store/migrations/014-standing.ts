/**
 * Which alarms stand, by boot: the event that raised each, gone when it is cleared. So whoever starts anew finds all of them, also one
 * that was raised months of other alarms ago. `seq` is for reading on.
 */
export const standing = `CREATE TABLE standing_alarms (
     seq INTEGER PRIMARY KEY,
     boot TEXT NOT NULL,
     alarm TEXT NOT NULL,
     subject TEXT NOT NULL,
     event TEXT NOT NULL UNIQUE,
     time_ms REAL NOT NULL,
     boot_ms REAL NOT NULL,
     UNIQUE (boot, alarm, subject)
   ) STRICT;`;
