/** What happened, was decided, done, said and learned. */

import type { AnyTool } from "../../tool.ts";
import { memoryBackup } from "./backup.ts";
import { memoryBackups } from "./backups.ts";
import { memoryClassifier } from "./classifier.ts";
import { memoryExamples } from "./examples.ts";
import { memoryExport } from "./export.ts";
import { memoryImport } from "./import.ts";
import { memoryIncidents } from "./incidents.ts";
import { memoryLearned } from "./learned.ts";
import { memoryLink } from "./link.ts";
import { memoryPin } from "./pin.ts";
import { memoryQuarantine } from "./quarantine.ts";
import { memoryRecall } from "./recall.ts";
import { memoryRecent } from "./recent.ts";
import { memoryRestore } from "./restore.ts";
import { memoryRetain } from "./retain.ts";
import { memoryRetention } from "./retention.ts";
import { memorySearch } from "./search.ts";
import { memoryStats } from "./stats.ts";
import { memoryStore } from "./store.ts";
import { memoryTemplates } from "./templates.ts";
import { memoryTimeline } from "./timeline.ts";
import { memoryTrace } from "./trace.ts";
import { memoryTrain } from "./train.ts";

export const memory_tools: readonly AnyTool[] = [
  memoryBackup,
  memoryBackups,
  memoryClassifier,
  memoryExamples,
  memoryExport,
  memoryImport,
  memoryIncidents,
  memoryLearned,
  memoryLink,
  memoryPin,
  memoryQuarantine,
  memoryRecall,
  memoryRecent,
  memoryRestore,
  memoryRetain,
  memoryRetention,
  memorySearch,
  memoryStats,
  memoryStore,
  memoryTemplates,
  memoryTimeline,
  memoryTrace,
  memoryTrain,
];
