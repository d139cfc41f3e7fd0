/** A page of what the log hub holds, that fits into one frame. */

import type { LogRecord } from "../../contracts/event.ts";
import { frame_bytes_max } from "../../contracts/rpc.ts";
import type { LogHub } from "../logs.ts";

/** What a frame has for records, the rest of the message left aside. */
const answer_bytes_max = frame_bytes_max - 16 * 1024;
const all = Number.MAX_SAFE_INTEGER;

/** @param before_seq records before this one; null: the newest */
export function readLogs(
  logs: LogHub,
  service: string | null,
  before_seq: number | null,
  count: number,
): { records: LogRecord[]; truncated: boolean } {
  const held = logs.last(all, service).filter(({ seq }) => before_seq === null || seq < before_seq);
  const records: LogRecord[] = [];
  let bytes = 0;
  for (const record of held.slice(-count).toReversed()) {
    bytes += Buffer.byteLength(JSON.stringify(record)) + 1;
    if (bytes > answer_bytes_max) break;
    records.unshift(record);
  }
  return { records, truncated: records.length < held.length };
}
