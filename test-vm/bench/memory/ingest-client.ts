/**
 * A sender in a process of its own: `bun ingest-client.ts <run folder> <set> <events> <batch> <under way at once>` writes
 * events over the socket of the running service, and prints what it took as JSON.
 */

import { memory_methods, memory_notifications } from "../../../contracts/memory.ts";
import { callerSocket } from "../../../contracts/paths.ts";
import { connectUnix, silent } from "../../../wire/unix.ts";
import type { Sent } from "./ingest.ts";
import { batchesOf, type EventSet, event_sets, sendAll } from "./ingest-events.ts";

const answer_limit_ms = 60_000;

const [run = "", set = "", events = "", batch = "", at_once = ""] = process.argv.slice(2);
const batches = batchesOf(Object.hasOwn(event_sets, set) ? (set as EventSet) : "repeating", Number(events), Number(batch));
const peer = await connectUnix(callerSocket("memory", "reactive", run), {
  ...silent,
  hears: { notifications: memory_notifications, listeners: { event: () => {}, decision: () => {} } },
  calls: memory_methods,
  tells: {},
});
const begin_ms = performance.now();
const batch_ms = await sendAll(batches, Number(at_once), (some) => peer.call("events.append", { events: some }, answer_limit_ms));
const sent: Sent = { per_s: (Number(events) * 1000) / (performance.now() - begin_ms), batch_ms };
process.stdout.write(`${JSON.stringify(sent)}\n`);
process.exit(0);
