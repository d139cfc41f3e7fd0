/** Memories, for people. */

import type { z } from "zod";
import type { Found, longterm_methods, SearchMode } from "../../../contracts/memory/longterm.ts";
import type { Recalled } from "../../../contracts/memory/record.ts";
import type { BackupsAnswer } from "../../../contracts/memory/upkeep.ts";
import { plain } from "../text/plain.ts";
import type { Colour } from "../text/style.ts";
import { table } from "../text/table.ts";
import { bytes } from "../text/units.ts";
import type { View } from "./view.ts";

type Paint = View["paint"];
type Stats = z.infer<typeof longterm_methods.stats.result>;

const colours: Readonly<Partial<Record<Recalled["severity"], Colour>>> = { critical: "red", error: "red", warning: "yellow" };
const text_chars_max = 600;

export function searchView(found: readonly Found[], mode: SearchMode, note: string | null, { paint }: View): string[] {
  const lines = found.flatMap(({ memory, why }) => [...oneMemory(memory, paint), `  ${paint("grey", plain(why))}`, ""]);
  const said = mode === "words" ? "searched by word alone" : "searched by meaning alone";
  const how = mode === "hybrid" || note?.startsWith(said) === true ? [] : [paint("dim", said)];
  return [...(found.length === 0 ? ["nothing like that is remembered"] : lines.slice(0, -1)), ...how, ...noteLines(note, paint)];
}

export function memoriesView(memories: readonly Recalled[], around: string | null, note: string | null, { paint }: View): string[] {
  const lines = memories.flatMap((memory) => oneMemory(memory, paint, memory.id === around));
  return [...(memories.length === 0 ? ["nothing is remembered of that"] : lines), ...noteLines(note, paint)];
}

/** With its links and what programs need of it. */
export function memoryView(memory: Recalled, { paint }: View): string[] {
  return [
    ...oneMemory(memory, paint),
    ...memory.links.map(({ relation, to }) => `  ${relation} ${to}`),
    ...(memory.used === 0 ? [] : [`  ${paint("grey", `used for ${memory.used} decisions, of which ${memory.useful} worked`)}`]),
    ...(Object.keys(memory.body).length === 0 ? [] : ["", ...JSON.stringify(memory.body, null, 2).split("\n").map(plain)]),
  ];
}

export function statsView(stats: Stats, { paint, width }: View): string[] {
  const rows = Object.entries(stats.by_kind).map(([kind, count]) => [{ text: kind }, { text: String(count) }]);
  const day = (ms: number | null): string => (ms === null ? "–" : new Date(ms).toISOString().slice(0, 16));
  return [
    `${paint("bold", String(stats.memories))} memories, from ${day(stats.oldest_ms)} to ${day(stats.newest_ms)}`,
    ...table([{ title: "KIND" }, { title: "MEMORIES", right: true }], rows, { paint, width }),
    `${stats.vectors} of ${stats.texts} texts have a vector; model ${plain(stats.model ?? "none: searched by word alone")}`,
    `${bytes(stats.bytes)} in the database, ${bytes(stats.segment_bytes)} in ${stats.segments} cold segments`,
    ...diskLines(stats.disk, paint),
    `${stats.pinned} pinned, ${stats.tainted} hold text from outside, ${stats.quarantined} in quarantine`,
  ];
}

export function backupsView({ backups, unreadable, faults }: BackupsAnswer, { paint, width }: View): string[] {
  const columns = [{ title: "BACKUP" }, { title: "MADE" }, { title: "MEMORIES", right: true }, { title: "SIZE", right: true }];
  const rows = backups.map(({ name, made_ms, rows: held, bytes: size }) => [
    { text: name },
    { text: new Date(made_ms).toISOString().slice(0, 19) },
    { text: String(held["memories"] ?? 0) },
    { text: bytes(size) },
  ]);
  const read = faults?.length === 0 ? ["it was read through, and is whole"] : (faults ?? []).map((fault) => paint("red", plain(fault)));
  return [
    ...(rows.length === 0 ? ["no backups"] : table(columns, rows, { paint, width })),
    ...unreadable.map((one) => paint("red", `cannot be read: ${plain(one)}`)),
    ...read,
  ];
}

function diskLines({ free_bytes, size_bytes, refusing, room_made }: Stats["disk"], paint: Paint): string[] {
  return [
    `${bytes(free_bytes)} of the disk's ${bytes(size_bytes)} are free`,
    ...(room_made === null
      ? []
      : [`${room_made.memories} memories were compressed when the disk was full: ${bytes(room_made.won_bytes)} won`]),
    ...(room_made === null || room_made.deleted === 0
      ? []
      : [`${room_made.deleted} memories were deleted then by rules of retention, because that was not enough`]),
    ...(refusing === null ? [] : [paint("red", plain(refusing))]),
  ];
}

function oneMemory(memory: Recalled, paint: Paint, here = false): string[] {
  const { id, time_ms, kind, severity, tier, tool, service, outcome, text, taint, quarantined, pinned } = memory;
  const about = [kind, tier, tool, service, outcome].filter((word) => word !== null).map((word) => plain(word));
  const head = `${new Date(time_ms).toISOString().slice(0, 19)}  ${about.join(" · ")}${pinned ? " · pinned" : ""}`;
  const colour = colours[severity];
  const words = text.length > text_chars_max ? `${text.slice(0, text_chars_max)} …` : text;
  return [
    `${here ? "→ " : ""}${paint("bold", id)}  ${paint("grey", head)}`,
    ...words.split("\n").map((line) => `  ${colour === undefined ? plain(line) : paint(colour, plain(line))}`),
    ...(taint.length === 0 ? [] : [`  ${paint("yellow", "from outside")} ${plain(taint.join(", "))}: data, never an instruction`]),
    ...(quarantined === null ? [] : [`  ${paint("red", "in quarantine")} ${plain(quarantined)}`]),
  ];
}

function noteLines(note: string | null, paint: Paint): string[] {
  return note === null ? [] : ["", paint("dim", plain(note))];
}
