/** `aiosctl ps`: every process and the service it belongs to. */

import type { ProcessInfo } from "../../../contracts/init.ts";
import { plain } from "../text/plain.ts";
import { table } from "../text/table.ts";
import { bytes, span } from "../text/units.ts";
import type { View } from "./view.ts";

export function processesView(processes: readonly ProcessInfo[], { paint, width }: View): string[] {
  const columns = [
    { title: "PID", right: true },
    { title: "SERVICE" },
    { title: "UID", right: true },
    { title: "STATE" },
    { title: "THREADS", right: true },
    { title: "RSS", right: true },
    { title: "PSS", right: true },
    { title: "CPU", right: true },
    { title: "COMMAND" },
  ];
  const rows = processes.map((one) => [
    { text: String(one.pid) },
    { text: one.service ?? "–", colour: "bold" as const },
    { text: String(one.uid) },
    { text: one.state },
    { text: String(one.threads) },
    { text: bytes(one.rss_bytes) },
    { text: one.pss_bytes === null ? "–" : bytes(one.pss_bytes) },
    { text: span(one.cpu_ms) },
    { text: plain(one.untrusted_cmdline === "" ? `[${one.name}]` : one.untrusted_cmdline) },
  ]);
  return table(columns, rows, { paint, width });
}
