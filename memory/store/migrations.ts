/**
 * The schema of memory.db, as numbered steps that are only ever added to. `user_version` is the number of steps taken.
 * `seq` is the order of writing, from 1 without gaps: what a rule of retention deleted is in `tombstones`, and what came back
 * after damage has numbers below 1.
 */

import type { DatabaseKind } from "../../wire/database.ts";
import { history } from "./migrations/001-history.ts";
import { longterm } from "./migrations/002-longterm.ts";
import { working } from "./migrations/003-working.ts";
import { templates } from "./migrations/004-templates.ts";
import { knowledge } from "./migrations/005-knowledge.ts";
import { upkeep } from "./migrations/006-upkeep.ts";
import { learning } from "./migrations/007-learning.ts";
import { classifier } from "./migrations/008-classifier.ts";
import { retention } from "./migrations/009-retention.ts";
import { template_levels } from "./migrations/010-template-levels.ts";
import { covering } from "./migrations/011-covering.ts";
import { overrides } from "./migrations/012-overrides.ts";
import { told } from "./migrations/013-told.ts";
import { standing } from "./migrations/014-standing.ts";

export const migrations: readonly string[] = [
  history,
  longterm,
  working,
  templates,
  knowledge,
  upkeep,
  learning,
  classifier,
  retention,
  template_levels,
  covering,
  overrides,
  told,
  standing,
];

export const memory_file: DatabaseKind = {
  file: "memory.db",
  what: "a memory",
  application_id: 0x61694f53, // "aiOS" in ASCII
  migrations,
  shrinks: true,
};
