import { z } from "zod";
import type { FileEventKind } from "../../../sys/inotify.ts";
import type { Context } from "../../context.ts";
import { quote, textOf } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool } from "../../tool.ts";
import { joined } from "./shared/answer.ts";
import { doing } from "./shared/failure.ts";
import { pathField } from "./shared/fields.ts";
import { type PlaceTarget, targetOf } from "./shared/target.ts";
import { walk } from "./shared/walk.ts";

const folders_max = 2000;
const events_max = 500;

const Kind = z.enum(["created", "deleted", "modified", "closed-after-writing", "attributes", "moved-from", "moved-to"]);
const all_kinds = Kind.options;

const Input = z.lazy(() =>
  z.strictObject({
    path: pathField("The file or folder to watch"),
    duration_ms: z.number().int().min(100).max(120_000).default(10_000).describe("How long to watch at most, milliseconds"),
    until: z.number().int().min(1).max(events_max).default(events_max).describe("End as soon as so many events have come"),
    kinds: z.array(Kind).max(all_kinds.length).default([]).describe("Only these; empty: all but attributes and modified"),
    recursive: z.boolean().default(false).describe(`Also the folders below, as they are at the beginning; at most ${folders_max}`),
  }),
);

const Event = z.lazy(() =>
  z.strictObject({
    after_ms: z.number().int().describe("Since the watch began"),
    kind: z.string().describe("Of those that were asked for, or deleted-itself, moved-itself, unmounted, overflow (events were lost)"),
    path: z.string(),
    is_directory: z.boolean(),
    move: z.number().int().describe("The same number for both halves of a move; else 0"),
  }),
);
type Event = z.infer<typeof Event>;
const Output = z.lazy(() =>
  z.strictObject({ path: z.string(), events: z.array(Event), watched_ms: z.number().int(), folders: z.number().int() }),
);

export const watch = defineTool<z.infer<typeof Input>, z.infer<typeof Output>, PlaceTarget<Occupied>>({
  name: "fs.watch",
  title: "Watch for changes",
  description:
    "Waits and tells what happens to a file or in a folder, for at most two minutes. Followers of the call hear each event at once. For what a file is now use fs.stat.",
  input: Input,
  output: Output,
  risk: "observe",
  timeout_ms: 130_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve(input, context) {
    const place = openExisting(context, input.path, "follow");
    return targetOf(place, resourcesOf(place, "read", { recursive: input.recursive }));
  },
  run: ({ place }, input, context) => doing(`watching ${quote(place.path)}`, () => watched(place, input, context)),
});

async function watched(place: Occupied, input: z.infer<typeof Input>, context: Context): Promise<z.infer<typeof Output>> {
  const { sys, signal, clock } = context;
  const wanted: readonly FileEventKind[] =
    input.kinds.length > 0 ? input.kinds : all_kinds.filter((kind) => kind !== "attributes" && kind !== "modified");
  const inotify = sys.inotify.open();
  try {
    const paths = new Map<number, string>();
    const kinds = [...wanted, "deleted-itself", "moved-itself"] as const;
    for await (const { names, status, fd, closed } of walk(context, place, { depth_max: input.recursive ? 64 : 0, entries_max: 100_000 })) {
      if (names.length > 0 && (!input.recursive || status.type !== "directory" || closed !== null || paths.size >= folders_max)) {
        if (!input.recursive) break;
        continue;
      }
      const below = textOf(joined(names)) ?? joined(names).toString();
      paths.set(sys.inotify.watch(inotify, fd, kinds), below === "" ? place.path : `${place.path}/${below}`);
    }
    const begin_ms = clock.boot_ms();
    const events: Event[] = [];
    const take = (): void => {
      for (const event of sys.inotify.events(inotify)) {
        const kind = event.kinds.find((one) => one !== "ignored");
        if (kind === undefined || events.length >= input.until) continue;
        const folder = paths.get(event.watch) ?? place.path;
        const path = event.name === null ? folder : `${folder}/${event.name.toString()}`;
        const after_ms = Math.round(clock.boot_ms() - begin_ms);
        events.push({ after_ms, kind, path, is_directory: event.is_directory, move: event.cookie });
        context.output("stdout", `${JSON.stringify(events.at(-1))}\n`);
      }
    };
    await untilOver(sys, inotify, signal, input.duration_ms, () => {
      take();
      return events.length >= input.until;
    });
    return { path: place.path, events, watched_ms: Math.round(clock.boot_ms() - begin_ms), folders: paths.size };
  } finally {
    sys.descriptor.close(inotify);
  }
}

/** Wakes for each event, until `enough` says so, the time is over, or the call is cancelled. */
function untilOver(sys: Context["sys"], inotify: number, signal: AbortSignal, duration_ms: number, enough: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (): void => {
    try {
      if (enough()) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const ears = sys.descriptor.onReadable(inotify, look);
  const timer = setTimeout(resolve, duration_ms);
  const cancelled = (): void => reject(signal.reason);
  if (signal.aborted) cancelled();
  signal.addEventListener("abort", cancelled, { once: true });
  return promise.finally(() => {
    ears.close();
    clearTimeout(timer);
    signal.removeEventListener("abort", cancelled);
  });
}
