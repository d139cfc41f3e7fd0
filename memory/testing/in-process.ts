/** The whole memory in this process: for tests of those that ask it, and need it real but not as a process of its own. */

import { join } from "node:path";
import { memory_methods } from "../../contracts/memory.ts";
import type { CoreService } from "../../contracts/service.ts";
import { clockOfBoot } from "../clock.ts";
import { GroupCommit } from "../group-commit.ts";
import { Keeper } from "../keeper.ts";
import { Meaning } from "../knowledge/meaning.ts";
import { Shipped } from "../knowledge/shipped.ts";
import { Background } from "../longterm/background.ts";
import { noEmbedder } from "../longterm/embedder.ts";
import { Recent } from "../operational/recent.ts";
import { memoryHandlers } from "../serve.ts";
import { speakingFor } from "../speaks-for.ts";
import { MineCommit } from "../templates/mine-commit.ts";
import { Upkeep } from "../upkeep/upkeep.ts";
import { workingHandlers } from "../working/handlers.ts";

const any_boot = "0badcafe-0000-4000-8000-000000000000";

export interface InProcess {
  /** As over the socket: the parameters and the answer are held against the contract. */
  call(method: string, params: unknown): Promise<unknown>;
  readonly keeper: Keeper;
}

interface Opening {
  readonly boot_id?: string;
  /** On whose socket it is asked. */
  readonly caller?: CoreService;
}

/** @param data the data partition's folder @param knowledge the documents of the image */
export function openMemory(data: string, knowledge: string, { boot_id = any_boot, caller = "broker" }: Opening = {}): InProcess {
  const keeper = new Keeper(join(data, "memory"));
  const commit = new GroupCommit({
    parts: () => keeper.writable,
    onWritten: () => keeper.written(),
    onFailed: (error) => keeper.failed(error),
  });
  const clock = clockOfBoot(boot_id);
  const embedder = noEmbedder("this test has no model");
  const background = new Background({ keeper, embedder, onTrouble: () => {} });
  const mine = new MineCommit(keeper);
  const upkeep = new Upkeep({ keeper, clock });
  const recent = new Recent(clock);
  const shipped = new Shipped(knowledge);
  const meaning = new Meaning({ keeper, embedder, onTrouble: () => {} });
  const served = { keeper, commit, mine, upkeep, recent, clock, shipped, meaning, embedder, background };
  const common = memoryHandlers(served);
  const handlers: Readonly<Record<string, unknown>> = {
    ...common,
    ...workingHandlers(keeper, clock, caller),
    ...speakingFor(caller, common),
  };
  const methods: Readonly<Record<string, Method>> = memory_methods;
  return {
    keeper,
    async call(method, params) {
      const contract = methods[method];
      const handler = handlers[method];
      if (contract === undefined || typeof handler !== "function")
        throw new Error(`asking memory for "${method}" failed: it has no such method`);
      return contract.result.parse(await handler(contract.params.parse(params)));
    },
  };
}

interface Method {
  readonly params: { parse(value: unknown): unknown };
  readonly result: { parse(value: unknown): unknown };
}
