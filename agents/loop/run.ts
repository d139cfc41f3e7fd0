/** Runs the loop of a tier: rounds over the open incidents, each incident worked on by itself. */

import { shortBootId } from "../../contracts/boot-id.ts";
import { broker_methods } from "../../contracts/broker.ts";
import type { Event } from "../../contracts/event.ts";
import { memory_methods, memory_notifications } from "../../contracts/memory.ts";
import { callerSocket } from "../../contracts/paths.ts";
import { openBootClock } from "../../wire/boot-clock.ts";
import type { Log } from "../../wire/log.ts";
import { reconnecting } from "../../wire/reconnect.ts";
import { type InitPeer, start_answer_limit_ms } from "../../wire/service.ts";
import { silent } from "../../wire/unix.ts";
import { bundled_playbooks } from "../playbooks/index.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";
import { type BrokerPeer, toolAsker } from "../shared/ask-tool.ts";
import { Ids } from "../shared/ids.ts";
import { Standing } from "../shared/standing.ts";
import { type ActPorts, work } from "./act.ts";
import { Incidents, type MemoryPeer } from "./incidents.ts";
import { triageAll } from "./triage.ts";

const round_every_ms = 1000;
/** An incident on which something went wrong is left alone for a while. */
const pause_after_error_ms = 10_000;
const at_once_max = 4;
const alarms_looked_at = 1000;

export interface LoopOptions {
  readonly tier: "operational" | "tactical";
  readonly run: string;
  readonly log: Log;
  readonly init: InitPeer;
}

export interface Loop {
  /** Incidents that are worked on at the moment. */
  readonly busy: number;
  /** What keeps it from working, or null. */
  readonly hindered: string | null;
}

export async function runLoop({ tier, run, log, init }: LoopOptions): Promise<Loop> {
  const { boot_id } = await init.call("system.status", {}, start_answer_limit_ms);
  const boot_ms = openBootClock();
  const standing = new Standing(shortBootId(boot_id));
  const { loaded: playbooks, refused } = loadPlaybooks(bundled_playbooks);
  for (const sentence of refused) log.error(sentence);
  const take = (event: Event): void => void standing.take(event);
  /** What is not known yet would look as if it had been cleared. */
  let knows_alarms = false;
  const memory_link = reconnecting({
    path: callerSocket("memory", tier, run),
    sides: {
      ...silent,
      hears: { notifications: memory_notifications, listeners: { event: take, decision: () => {} } },
      calls: memory_methods,
      tells: {},
    },
    onDown: () => {
      knows_alarms = false;
    },
  });
  const broker_link = reconnecting({ path: callerSocket("broker", tier, run), sides: { ...silent, calls: broker_methods, tells: {} } });
  const memory = (): MemoryPeer => memory_link.peer ?? away("memory");
  const broker = (): BrokerPeer => broker_link.peer ?? away("the broker");
  const ask = toolAsker(() => broker_link.peer);
  const incidents = new Incidents(memory, `${tier}-${process.pid}-${Math.round(boot_ms())}`);
  const ids = new Ids(tier, boot_id, boot_ms());
  const ports: ActPorts = { broker, memory, ask, standing, playbooks, ids, boot_ms, wait: Bun.sleep };
  const over = new Set<string>();
  const busy = new Set<string>();
  const paused = new Map<string, number>();
  let hindered: string | null = null;

  const workOn = async (id: string, one: () => Promise<void>): Promise<void> => {
    busy.add(id);
    try {
      await one();
      paused.delete(id);
    } catch (error) {
      paused.set(id, performance.now() + pause_after_error_ms);
      log.warn(`working on incident "${id}" was interrupted: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      busy.delete(id);
    }
  };
  const round = async (): Promise<void> => {
    if (!knows_alarms) {
      const peer = memory();
      await catchUp(peer, take);
      knows_alarms = memory_link.peer === peer;
      return;
    }
    if (tier === "operational") {
      await triageAll({ incidents, ask, standing, playbooks, over });
      return;
    }
    for (const incident of await incidents.open()) {
      const { id, body } = incident;
      if (body.tier !== "tactical" || busy.has(id) || busy.size >= at_once_max || (paused.get(id) ?? 0) > performance.now()) continue;
      const held = await incidents.take(incident);
      if (held !== null) void workOn(id, () => work(held, ports).finally(() => held.release()));
    }
  };
  const go = async (): Promise<void> => {
    try {
      await round();
      hindered = null;
    } catch (error) {
      hindered = error instanceof Error ? error.message : String(error);
    }
    setTimeout(() => void go(), round_every_ms);
  };
  void go();
  return {
    get busy() {
      return busy.size;
    },
    get hindered() {
      return hindered;
    },
  };
}

/** First what comes from now on, then what there was: an event is taken once however often it is told. */
async function catchUp(peer: MemoryPeer, take: (event: Event) => void): Promise<void> {
  await peer.call("subscribe", {});
  const events = await peer.call("events.list", { limit: alarms_looked_at, kind: "alarm.changed", service: null });
  for (const event of events) take(event);
}

function away(who: string): never {
  throw new Error(`${who} is away`);
}
