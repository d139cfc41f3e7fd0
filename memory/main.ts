/** The memory service's process. */

import { join } from "node:path";
import { data_dir, run_dir } from "../contracts/paths.ts";
import { createLog } from "../wire/log.ts";
import { startService } from "../wire/service.ts";
import { GroupCommit } from "./group-commit.ts";
import { Intake } from "./intake.ts";
import { Keeper } from "./keeper.ts";
import { serveMemory } from "./serve.ts";

export interface MemoryPaths {
  readonly run: string;
  readonly data: string;
}

export async function main(): Promise<void> {
  await runMemory({ run: run_dir, data: data_dir });
}

export async function runMemory({ run, data }: MemoryPaths): Promise<void> {
  const log = createLog();
  const keeper = new Keeper(join(data, "memory"));
  const commit: GroupCommit = new GroupCommit({
    store: () => keeper.store,
    onWritten(batch) {
      keeper.written();
      server.publish(batch);
    },
    onFailed(error) {
      keeper.failed(error);
      log.error(keeper.degradation ?? "writing memory failed");
    },
  });
  const server = serveMemory(run, keeper, commit);
  const intake = new Intake(commit);
  if (keeper.degradation !== null) log.error(keeper.degradation);

  const service = await startService({
    name: "memory",
    run,
    health: () => keeper.health(intake.held, intake.dropped),
    onEvent: (event) => intake.take(event),
    onStop() {
      commit.flush();
      server.close();
      keeper.close();
    },
  });
  service.ready(keeper.degradation === null ? `${keeper.store.events} events held` : "degraded: see health");
  await service.init.call("events.subscribe", { after: null });
  if (server.missing.length > 0) log.warn(`no folder for the socket of: ${server.missing.join(", ")}`);
}
