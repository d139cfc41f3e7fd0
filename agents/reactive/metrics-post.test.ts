import { expect, test } from "bun:test";
import type { MetricSample } from "../../contracts/memory/operational.ts";
import { type AppendMetrics, MetricsPost } from "./metrics-post.ts";

const sample = (n: number): MetricSample => ({ boot_ms: n, values: {} });

test("figures wait while memory is away or refuses, the newest sixty of them, and go together when it is back", async () => {
  let memory: AppendMetrics | null = null;
  const post = new MetricsPost(() => memory);
  for (let n = 0; n < 70; n += 1) await post.send(sample(n));
  memory = () => Promise.reject(new Error("busy"));
  await post.send(sample(70));
  expect(post.waiting).toBe(60);
  const sent: number[] = [];
  memory = async (samples) => void sent.push(...samples.map(({ boot_ms }) => boot_ms));
  await post.send(sample(71));
  expect(sent).toEqual(Array.from({ length: 60 }, (_, n) => n + 12));
  expect(post.waiting).toBe(0);
});
