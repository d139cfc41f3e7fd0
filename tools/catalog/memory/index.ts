/** What happened, was decided, done, said and learned. */

import type { Loaders } from "../../load.ts";

export const memory_tools: Loaders = {
  "memory.backup": async () => (await import("./backup.ts")).memoryBackup,
  "memory.backups": async () => (await import("./backups.ts")).memoryBackups,
  "memory.classifier": async () => (await import("./classifier.ts")).memoryClassifier,
  "memory.examples": async () => (await import("./examples.ts")).memoryExamples,
  "memory.export": async () => (await import("./export.ts")).memoryExport,
  "memory.import": async () => (await import("./import.ts")).memoryImport,
  "memory.incidents": async () => (await import("./incidents.ts")).memoryIncidents,
  "memory.learned": async () => (await import("./learned.ts")).memoryLearned,
  "memory.link": async () => (await import("./link.ts")).memoryLink,
  "memory.pin": async () => (await import("./pin.ts")).memoryPin,
  "memory.quarantine": async () => (await import("./quarantine.ts")).memoryQuarantine,
  "memory.recall": async () => (await import("./recall.ts")).memoryRecall,
  "memory.recent": async () => (await import("./recent.ts")).memoryRecent,
  "memory.restore": async () => (await import("./restore.ts")).memoryRestore,
  "memory.retain": async () => (await import("./retain.ts")).memoryRetain,
  "memory.retention": async () => (await import("./retention.ts")).memoryRetention,
  "memory.search": async () => (await import("./search.ts")).memorySearch,
  "memory.stats": async () => (await import("./stats.ts")).memoryStats,
  "memory.store": async () => (await import("./store.ts")).memoryStore,
  "memory.templates": async () => (await import("./templates.ts")).memoryTemplates,
  "memory.timeline": async () => (await import("./timeline.ts")).memoryTimeline,
  "memory.trace": async () => (await import("./trace.ts")).memoryTrace,
  "memory.train": async () => (await import("./train.ts")).memoryTrain,
};
