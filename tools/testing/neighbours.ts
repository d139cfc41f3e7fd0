/**
 * PID 1 and memory as a tool sees them, for tests of the broker alone: they answer, and nothing happens. Memory is the real one
 * in a world (memory.ts), and what was defined is kept for real (pid1.ts).
 */

import { dirname } from "node:path";
import { init_methods } from "../../contracts/init.ts";
import { memory_methods } from "../../contracts/memory.ts";
import { system_status } from "../../wire/testing/fake-init.ts";
import type { Context } from "../context.ts";
import { worldMemory } from "./memory.ts";
import { worldPid1 } from "./pid1.ts";

const text = { model: "", vendor: "", version: "" };
const answers: Readonly<Record<string, unknown>> = {
  "system.status": system_status,
  "system.hardware": {
    cpu: { model: "test", logical: 2, cores: 2, sockets: 1, flags: [] },
    memory: { total_bytes: 1, swap_bytes: 0 },
    ...{ numa: [], disks: [], nics: [], gpus: [], sensors: [] },
    tpm: { present: false, version: "" },
    firmware: { kind: "unknown", vendor: text.vendor, version: text.version, board: "" },
    virtualisation: "none",
  },
  "system.processes": [],
  "system.shutdown": { accepted: true },
  "events.list": [],
};

type Call = NonNullable<Context["init"]>["call"] & NonNullable<Context["memory"]>["call"];

const methods: Readonly<
  Record<string, { readonly params: { parse(value: unknown): unknown }; readonly result: { parse(value: unknown): unknown } }>
> = {
  ...memory_methods,
  ...init_methods,
};

async function call(method: string, params: unknown): Promise<unknown> {
  const contract = methods[method];
  if (contract === undefined || !Object.hasOwn(answers, method))
    throw new Error(`calling "${method}" failed: this test has no answer to it`);
  contract.params.parse(params);
  return contract.result.parse(answers[method]);
}

/** @param pid1_file where PID 1 keeps what was defined; memory is in `data/memory` beside it */
export function neighboursOf(pid1_file: string): Pick<Context, "init" | "logs" | "memory"> {
  const pid1 = worldPid1(pid1_file);
  const ask = (method: string, params: unknown): Promise<unknown> =>
    pid1.knows(method) ? pid1.call(method, params) : call(method, params);
  return { ...neighbours, init: { call: ask as Call }, memory: worldMemory(dirname(pid1_file)) };
}

export const neighbours: Pick<Context, "init" | "logs" | "memory"> = {
  init: { call: call as Call },
  logs: { held: async () => [] },
  memory: { call: call as Call },
};
