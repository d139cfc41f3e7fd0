/**
 * What the model port adds to a request: from asking to the first text, with budget on the disk, checks and SDK, beside a plain fetch
 * that reads the same stream from the same server, which is another process. Both in a process as PID 1 starts the strategic tier.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Budget } from "../../agents/model/budget/budget.ts";
import { Ledger } from "../../agents/model/budget/ledger.ts";
import { asks } from "../../agents/model/testing/providers.ts";
import { Models } from "../../agents/strategic/models.ts";
import { StrategicConfig } from "../../contracts/model/provider.ts";
import { default_config } from "../../init/defaults.ts";
import { coreSpecs } from "../../init/supervise/table.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { run } from "../../tooling/run.ts";
import { rowOf, versus } from "./rows.ts";

const key = "sk-bench";
const measured = 300;
const warm_up = 30;
const much = { usd: 1_000_000, tokens: 1_000_000_000_000 };

const script = "conversations: [{ turns: [{ say: [{ text: The disk is full of old logs. }] }] }]\n";
const Times = z.strictObject({ port: z.array(z.number()), fetch: z.array(z.number()) });
const Kind = z.enum(["anthropic", "openai"]);
type Kind = z.infer<typeof Kind>;

export async function benchModelPort(): Promise<BenchRow[]> {
  const env = coreSpecs(default_config, "container").find(({ name }) => name === "strategic")?.env;
  if (env === undefined) throw new Error('measuring the model port failed: the table of services has no "strategic"');
  const rows: BenchRow[] = [];
  for (const kind of Kind.options) {
    const { port, fetch: plain } = Times.parse(JSON.parse(await run([process.execPath, import.meta.path, kind], { env })));
    rows.push(versus(rowOf(`model port, ${kind}: asked to first text`, "ms", port), "plain fetch", rowOf("", "ms", plain)));
  }
  return rows;
}

async function measure(kind: Kind): Promise<z.infer<typeof Times>> {
  const folder = mkdtempSync(join(tmpdir(), "model-port-"));
  const file = join(folder, "script.yaml");
  writeFileSync(file, script);
  const main = join(import.meta.dir, "../../agents/testing/provider/main.ts");
  const server = Bun.spawn([process.execPath, main, file], {
    env: { ...process.env, BUN_JSC_useJIT: "1", PROVIDER_KEY: key },
    stdout: "pipe",
  });
  try {
    const { value } = await server.stdout.getReader().read();
    const url = new TextDecoder().decode(value).trim();
    const port = portOf(kind, url, folder);
    const plain = plainOf(kind, url);
    const times = { port: [] as number[], fetch: [] as number[] };
    for (let n = -warm_up; n < measured; n += 1) {
      // in turn, so that both see the same machine
      const sample = { port: await port(), fetch: await plain() };
      if (n < 0) continue;
      times.port.push(sample.port);
      times.fetch.push(sample.fetch);
    }
    return times;
  } finally {
    server.kill();
    rmSync(folder, { recursive: true });
  }
}

function portOf(kind: Kind, url: string, folder: string): () => Promise<number> {
  const base_url = kind === "anthropic" ? url : `${url}/v1`;
  const config = StrategicConfig.parse({
    providers: [{ kind, model: "bench", base_url, key: { value: key }, price: { input: 1, output: 1 } }],
    budget: { hour: much, day: much, incident: much },
  });
  const budget = new Budget(new Ledger(folder, { id: "bench", clock: () => performance.now() }), config.budget);
  const models = new Models({
    settings: { config, problems: [] },
    budget,
    secrets: folder,
    clock: () => performance.now(),
    warn: (text) => process.stderr.write(`${text}\n`),
  });
  const request = asks("What is wrong?");
  return async () => {
    const began = performance.now();
    let first = Number.NaN;
    await models.chat(request, {
      onText: () => {
        if (Number.isNaN(first)) first = performance.now() - began;
      },
    });
    return first;
  };
}

/** Until the first bytes with text in them; the rest is read as well. */
function plainOf(kind: Kind, url: string): () => Promise<number> {
  const messages = [{ role: "user", content: [{ type: "text", text: "What is wrong?" }] }];
  const said = [{ role: "user", content: "What is wrong?" }];
  const body =
    kind === "anthropic"
      ? { model: "bench", max_tokens: 500, stream: true, messages }
      : { model: "bench", max_tokens: 500, stream: true, stream_options: { include_usage: true }, messages: said };
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}`, "anthropic-version": "2026-10-21" };
  const path = kind === "anthropic" ? "/v1/messages" : "/v1/chat/completions";
  return async () => {
    const began = performance.now();
    const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    let first = Number.NaN;
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += new TextDecoder().decode(chunk);
      if (Number.isNaN(first) && text.includes("The disk")) first = performance.now() - began;
    }
    return first;
  };
}

if (import.meta.main) process.stdout.write(JSON.stringify(await measure(Kind.parse(process.argv[2]))));
