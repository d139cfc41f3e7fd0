/**
 * Indexes by which a filter is looked up without a look at the rows: a row of a million lies on a page of its own, and 100,000 of them
 * took 80 ms, their entries take 8 (memory/longterm/vectors.ts). `time_ms` stands behind what is equal, so that the newest come first.
 * Which memories of a text are hot (memory/upkeep/segments/move.ts) is in `memories_of_text`, too: one index less to write.
 */
export const covering = `DROP INDEX memories_of_text;
   CREATE INDEX memories_of_text ON memories (text_id, time_ms, segment);
   DROP INDEX memories_hot_of_text;
   DROP INDEX memories_in_time;
   CREATE INDEX memories_in_time ON memories (time_ms, severity, text_id);
   DROP INDEX memories_of_kind;
   CREATE INDEX memories_of_kind ON memories (kind, time_ms, severity, source, text_id);
   DROP INDEX memories_of_severity;
   CREATE INDEX memories_of_severity ON memories (severity, time_ms, text_id) WHERE severity >= 3;
   DROP INDEX memories_of_service;
   CREATE INDEX memories_of_service ON memories (service, time_ms, severity, kind, text_id) WHERE service IS NOT NULL;
   DROP INDEX memories_of_tier;
   CREATE INDEX memories_of_tier ON memories (tier, time_ms, severity, kind, text_id) WHERE tier IS NOT NULL;
   DROP INDEX memories_of_outcome;
   CREATE INDEX memories_of_outcome ON memories (outcome, time_ms, severity, kind, text_id) WHERE outcome IS NOT NULL;
   DROP INDEX memories_of_tool;
   CREATE INDEX memories_of_tool ON memories (tool, time_ms, severity, outcome, text_id) WHERE tool IS NOT NULL;`;
