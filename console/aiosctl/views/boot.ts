/** `aiosctl boot`: where the time went, as bars on one time line. */

import type { BootTimeline, PhaseRecord } from "../../../contracts/init.ts";
import { pad, plain } from "../text/plain.ts";
import { bar } from "../text/table.ts";
import { span } from "../text/units.ts";
import { phase_colours } from "./colours.ts";
import type { View } from "./view.ts";

const marks_order = ["firmware", "kernel", "stage0", "init", "console-ready", "all-ready"];

export function bootView(boot: BootTimeline, { paint, width }: View, bars = true): string[] {
  const names = Object.keys(boot.marks).sort((a, b) => (boot.marks[a] ?? 0) - (boot.marks[b] ?? 0) || order(a) - order(b));
  const marks = names.map((name) => `${paint("dim", pad(plain(name), 14))}${pad(signed(boot.marks[name] ?? 0), 9, true)}`);
  const begin_ms = boot.marks["stage0"] ?? boot.marks["init"] ?? boot.phases[0]?.start_ms ?? 0;
  const end_ms = Math.max(boot.marks["all-ready"] ?? 0, ...boot.phases.map((phase) => phase.end_ms ?? phase.start_ms), begin_ms + 1);
  const name_width = Math.max(5, ...boot.phases.map((phase) => Bun.stringWidth(plain(phase.name))));
  const bar_width = bars ? Math.max(10, Math.min(40, (width ?? 100) - name_width - 34)) : 0;
  const scale = (ms: number): number => (ms - begin_ms) / (end_ms - begin_ms);
  const phases = boot.phases.map((phase) => {
    const until_ms = phase.end_ms ?? end_ms;
    const drawn = paint(phase_colours[phase.outcome], bar(scale(phase.start_ms), scale(until_ms), bar_width));
    const took = pad(phase.end_ms === null ? "running" : span(until_ms - phase.start_ms), 8, true);
    return `${pad(plain(phase.name), name_width)} ${pad(signed(phase.start_ms), 9, true)} ${took}${bars ? ` ▏${drawn}▕` : ""}${said(phase, paint)}`;
  });
  const head = paint("dim", `${pad("phase", name_width)} ${pad("start", 9, true)} ${pad("took", 8, true)}`);
  return [...marks, "", head, ...phases];
}

/** What a phase says, when it is not simply done. */
function said(phase: PhaseRecord, paint: View["paint"]): string {
  if (phase.outcome === "done" || phase.outcome === "running") return "";
  return ` ${paint(phase_colours[phase.outcome], phase.outcome)}${phase.detail === "" ? "" : ` ${plain(phase.detail)}`}`;
}

function signed(ms: number): string {
  return `${ms < 0 ? "-" : "+"}${(Math.abs(ms) / 1000).toFixed(3)} s`;
}

function order(name: string): number {
  const at = marks_order.indexOf(name);
  return at < 0 ? marks_order.length : at;
}
