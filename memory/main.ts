/** The memory service's process. */

import { join } from "node:path";
import { aios_executable, data_dir, knowledge_dir, models_dir, run_dir } from "../contracts/paths.ts";
import { createLog } from "../wire/log.ts";
import { localModelsOff } from "../wire/model-process/switch.ts";
import { takeSecretsOut } from "../wire/secrets-in-text.ts";
import { start_answer_limit_ms, startService } from "../wire/service.ts";
import { clockOfBoot } from "./clock.ts";
import { type Embedding, embedderOf, withEmbedding } from "./embed/embedder.ts";
import { GroupCommit } from "./group-commit.ts";
import { Intake } from "./intake.ts";
import { Keeper } from "./keeper.ts";
import { Meaning } from "./knowledge/meaning.ts";
import { Shipped } from "./knowledge/shipped.ts";
import { Background } from "./longterm/background.ts";
import { Feed } from "./operational/feed.ts";
import { Recent } from "./operational/recent.ts";
import { type MemoryServer, serveMemory } from "./serve.ts";
import { first_file } from "./store/first.ts";
import { LogIntake, withLogs } from "./templates/log-intake.ts";
import { MineCommit } from "./templates/mine-commit.ts";
import { withUpkeep } from "./upkeep/health.ts";
import { Upkeep } from "./upkeep/upkeep.ts";

interface MemoryPaths {
  readonly run: string;
  readonly data: string;
  /** null, or why there is none: memory is searched by word alone. */
  readonly embedding: Embedding | string | null;
  /** The documents of the image. */
  readonly knowledge: string;
}

/** What models/ builds. */
const sentence_model = "all-minilm-l6-v2.gguf";

export async function main(): Promise<void> {
  const embedding = { command: [aios_executable, "embed"], model_path: join(models_dir, sentence_model) };
  await runMemory({ run: run_dir, data: data_dir, knowledge: knowledge_dir, embedding: localModelsOff() ?? embedding });
}

export async function runMemory({ run, data, knowledge, embedding }: MemoryPaths): Promise<void> {
  const log = createLog();
  const keeper = new Keeper(join(data, "memory"), join(knowledge, first_file));
  /** What was said last: whoever writes tries again, and again. */
  let told: string | null = null;
  const commit: GroupCommit = new GroupCommit({
    parts: () => keeper.writable,
    onWritten(batch) {
      keeper.written();
      feed?.written(batch);
      server?.publish(batch);
      background.wake();
    },
    onFailed(error) {
      keeper.failed(error);
      if (keeper.degradation !== told) log.error(keeper.degradation ?? "writing memory failed");
      told = keeper.degradation;
    },
  });
  const embedder = embedderOf(embedding, (line) => log.info(line));
  const meaning = new Meaning({ keeper, embedder, onTrouble: (text) => log.warn(text) });
  const background = new Background({ keeper, embedder, onTrouble: (text) => log.warn(text) });
  // both need to know which boot this is, which PID 1 says
  let feed: Feed | null = null;
  let upkeep: Upkeep | null = null;
  let server: MemoryServer | null = null;
  const intake = new Intake(commit);
  const mine = new MineCommit(keeper);
  const logs = new LogIntake(mine, () => keeper.read(({ templates }) => templates.cursor()));
  if (keeper.degradation !== null) log.error(keeper.degradation);

  const service = await startService({
    name: "memory",
    run,
    health: () => withUpkeep(withLogs(withEmbedding(keeper.health(intake.held, intake.dropped), embedder), logs), upkeep),
    onEvent(event) {
      takeSecretsOut(event);
      intake.take(event);
      logs.saw(event);
    },
    onLog: (notification) => logs.reader.take(notification),
    onStop() {
      upkeep?.stop();
      background.stop();
      meaning.stop();
      embedder.stop();
      commit.flush();
      void logs.flush();
      mine.flush();
      server?.close();
      keeper.close();
    },
  });
  const { boot_id } = await service.init.call("system.status", {}, start_answer_limit_ms);
  const clock = clockOfBoot(boot_id);
  const recent = new Recent(clock);
  feed = new Feed({ keeper, recent, clock, onFailed: (error) => log.error(`reading the last hour failed: ${String(error)}`) });
  const shipped = new Shipped(knowledge);
  upkeep = new Upkeep({ keeper, clock, onTrouble: (text) => log.warn(text) });
  server = serveMemory(run, { keeper, commit, mine, recent, clock, shipped, meaning, upkeep, embedder, background });
  const replayed = feed.start();
  background.wake();
  service.ready(keeper.degradation === null ? `${keeper.store.events} events held` : "degraded: see health");
  await service.init.call("events.subscribe", { after: null }, start_answer_limit_ms);
  await replayed;
  await logs.follow(service.init).catch((error: unknown) => log.error(`following the logs failed: ${String(error)}`));
  upkeep.start();
  await shipped.bring(keeper);
  meaning.wake();
  if (shipped.note !== null) log.warn(shipped.note);
  if (server.missing.length > 0) log.warn(`no folder for the socket of: ${server.missing.join(", ")}`);
}
