/** `aiosctl metrics`: load, memory, pressure, and who uses what. */

import type { z } from "zod";
import type { Metrics as MetricsSchema } from "../../../contracts/console.ts";
import { gauge, pairs, table } from "../text/table.ts";
import { bytes, percent, span } from "../text/units.ts";
import type { View } from "./view.ts";

type Metrics = z.infer<typeof MetricsSchema>;

export function metricsView(metrics: Metrics, view: View): string[] {
  const { paint, width } = view;
  const rows = metrics.processes.map((one) => [
    { text: one.service, colour: "bold" as const },
    { text: bytes(one.rss_bytes) },
    { text: one.pss_bytes === null ? "–" : bytes(one.pss_bytes) },
    { text: span(one.cpu_ms) },
  ]);
  const columns = [{ title: "SERVICE" }, { title: "RSS", right: true }, { title: "PSS", right: true }, { title: "CPU", right: true }];
  return [
    ...pairs(
      [
        ["load", { text: loadText(metrics) }],
        ["memory", { text: memoryText(metrics) }],
        ["pressure", { text: pressureText(metrics) }],
      ],
      paint,
    ),
    "",
    ...table(columns, rows, { paint, width }),
  ];
}

function loadText({ load }: Metrics): string {
  return load.map((one) => one.toFixed(2)).join("  ");
}

function memoryText({ memory }: Metrics, width = 10): string {
  const ratio = memory.total_bytes > 0 ? memory.used_bytes / memory.total_bytes : 0;
  return `${gauge(ratio, width)} ${percent(ratio)}  ${bytes(memory.used_bytes)} of ${bytes(memory.total_bytes)}`;
}

function pressureText({ pressure }: Metrics): string {
  if (pressure === null) return "the kernel does not tell";
  const { cpu_some, memory_some, memory_full, io_some, io_full } = pressure;
  return `cpu ${cpu_some} %  memory ${memory_some}/${memory_full} %  io ${io_some}/${io_full} %`;
}
