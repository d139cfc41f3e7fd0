/** Our miner on lines from a file, in a process with the runtime's settings of the memory service: prints what it came to as JSON. */

import { readFileSync } from "node:fs";
import { openDatabase } from "../../../memory/store/open.ts";
import type { Value } from "../../../memory/templates/pattern.ts";
import { type Line, type Mined, Templates } from "../../../memory/templates/templates.ts";
import { seeded } from "../../../wire/seeded.ts";
import { newFolder } from "../../places.ts";

const batch = 2000;
/** Between two lines. */
const apart_ms = 10;

type Each = (mined: Mined, values: () => Value[]) => void;

function mine(templates: Templates, lines: readonly Line[], each: Each): { wall_s: number; cpu_s: number } {
  const wall_ms = performance.now();
  const cpu = process.cpuUsage();
  for (let at = 0; at < lines.length; at += batch) {
    const some = lines.slice(at, at + batch);
    templates.db.transaction(() => templates.take(some, each)).immediate();
  }
  const { user, system } = process.cpuUsage(cpu);
  return { wall_s: (performance.now() - wall_ms) / 1000, cpu_s: (user + system) / 1e6 };
}

function opened(name: string): Templates {
  return new Templates(openDatabase(newFolder(name)).db);
}

/** Lines of which no two are alike: what a hostile program would write. */
function* noise(count: number): Generator<Line[]> {
  const random = seeded(99);
  const word = (): string => Math.floor(random() * 36 ** 7).toString(36);
  for (let at = 0; at < count; at += batch) {
    yield Array.from({ length: Math.min(batch, count - at) }, (_, n) => ({
      source: `noise-${Math.floor(random() * 50)}`,
      time_ms: (at + n) * apart_ms,
      text: Array.from({ length: 1 + Math.floor(random() * 20) }, word).join(" "),
    }));
  }
}

function main(path: string, noise_lines: number): void {
  const texts = readFileSync(path, "utf8").split("\n");
  const start_ms = Date.now() - texts.length * apart_ms;
  const lines = texts.map((text, n) => ({ source: "bench", time_ms: start_ms + n * apart_ms, text: JSON.parse(text) as string }));
  const groups: number[] = [];
  const plain = mine(opened("templates"), lines, ({ template }) => void groups.push(template.id));
  let parameters = 0;
  const both = mine(opened("templates-parameters"), lines, (_, values) => {
    parameters += values().length;
  });
  const rss_bytes = process.memoryUsage.rss();
  const noisy = opened("templates-noise");
  let noise_s = 0;
  for (const some of noise(noise_lines)) noise_s += mine(noisy, some, () => {}).wall_s;
  process.stdout.write(
    JSON.stringify({
      groups,
      wall_s: plain.wall_s,
      cpu_s: plain.cpu_s,
      parameters,
      parameters_wall_s: both.wall_s,
      parameters_cpu_s: both.cpu_s,
      rss_bytes,
      noise_s,
      noise_rss_bytes: process.memoryUsage.rss(),
      noise_counts: noisy.counts,
    }),
  );
}

main(process.argv[2] ?? "", Number(process.argv[3]));
