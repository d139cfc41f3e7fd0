/** A tier's view of the broker and of memory: whether they answer, and what they said last. */

import { broker_methods } from "../../contracts/broker.ts";
import { memory_methods } from "../../contracts/memory.ts";
import { callerSocket } from "../../contracts/paths.ts";
import type { CoreService } from "../../contracts/service.ts";
import { reconnecting } from "../../wire/reconnect.ts";
import { silent } from "../../wire/unix.ts";

/** Milliseconds between looks at what the neighbours hold. */
const look_interval_ms = 10_000;

const ignore = (): void => {};

export interface Neighbours {
  readonly broker: "connected" | "away";
  readonly memory: "connected" | "away";
  /** As last heard; null before the first answer. */
  readonly tools: number | null;
  readonly memory_events: number | null;
}

/** An answer that does not come is not an error here: whether the neighbour is connected says it. */
export function watchNeighbours(run: string, tier: CoreService): () => Neighbours {
  let tools: number | null = null;
  let memory_events: number | null = null;
  const askBroker = async (): Promise<void> => {
    const answer = await broker.peer?.call("tools/list", { limit: 1 });
    if (answer !== undefined) tools = answer.total;
  };
  const askMemory = async (): Promise<void> => {
    const answer = await memory.peer?.call("counts", {});
    if (answer !== undefined) memory_events = answer.events;
  };
  const sides = { ...silent, tells: {} };
  const broker = reconnecting({
    path: callerSocket("broker", tier, run),
    sides: { ...sides, calls: broker_methods },
    onUp: () => void askBroker().catch(ignore),
  });
  const memory = reconnecting({
    path: callerSocket("memory", tier, run),
    sides: { ...sides, calls: memory_methods },
    onUp: () => void askMemory().catch(ignore),
  });
  setInterval(() => {
    void askBroker().catch(ignore);
    void askMemory().catch(ignore);
  }, look_interval_ms);
  return () => ({
    broker: broker.peer === null ? "away" : "connected",
    memory: memory.peer === null ? "away" : "connected",
    tools,
    memory_events,
  });
}
