/** The embedding process, `aios embed MODEL LANES`: loads the model, says so, and answers until its standard input ends. */

import { embed_methods, embed_notifications } from "../../contracts/embed.ts";
import { yieldToService } from "../../wire/model-process/yield.ts";
import { pipePeer } from "../../wire/pipe.ts";
import { Encoder } from "./encoder.ts";

/** Where the processor is wanted, the service itself comes first. */
const nice = 5;

export async function main(): Promise<void> {
  const [model, lanes] = process.argv.slice(-2);
  await runEmbed(model ?? "", Number(lanes));
}

async function runEmbed(path: string, lanes: number): Promise<void> {
  yieldToService(nice);
  const begin_ms = performance.now();
  const loading = Encoder.open(path, lanes, (line) => process.stderr.write(`llama.cpp: ${line}\n`));
  const peer = pipePeer(Bun.stdin.stream(), Bun.stdout.writer(), {
    serves: {
      methods: embed_methods,
      handlers: {
        async embed({ texts, urgent }) {
          const encoder = await loading;
          const vectors = await Promise.all(texts.map((text) => encoder.encode(text, urgent)));
          return { vectors: vectors.map((vector) => Buffer.from(vector.buffer).toString("base64")) };
        },
      },
    },
    hears: { notifications: {}, listeners: {} },
    calls: {},
    tells: embed_notifications,
    onClose: () => process.exit(0),
  });
  try {
    const { model, dimensions } = await loading;
    peer.tell("loaded", { model, dimensions, lanes, took_ms: performance.now() - begin_ms });
  } catch (error) {
    peer.tell("failed", { reason: (error instanceof Error ? error.message : String(error)).slice(0, 500) });
  }
}
