/**
 * Runs the loop of a tier: a round every second, of which each part looks for work of its kind. An alarm wakes it, and for some seconds
 * rounds are short: what one tier has found out is not left lying until the next one looks.
 */

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
import { type BrokerPeer, toolAsker } from "../shared/ask-tool.ts";
import { Ids } from "../shared/ids.ts";
import { allStanding, Standing } from "../shared/standing.ts";
import { Incidents, type MemoryPeer } from "./incidents.ts";
import type { BasePorts } from "./ports.ts";

/** Longest that the first round waits for those that it calls. */
const connect_limit_ms = 5000;
const connect_look_ms = 20;
const round_every_ms = 1000;
/** After an alarm, for so long. */
const short_round_every_ms = 150;
const short_rounds_ms = 10_000;

/** One kind of work. A round does not wait for what takes long: that goes on beside it, and counts as `busy`. */
export interface Round {
  run(): Promise<void>;
  /** Pieces of work that are under way. */
  readonly busy: number;
}

export interface LoopOptions {
  readonly tier: "operational" | "tactical" | "strategic";
  readonly run: string;
  readonly log: Log;
  readonly init: InitPeer;
  readonly rounds: (ports: BasePorts) => readonly Round[];
}

export interface Loop {
  /** Incidents and goals that are worked on at the moment. */
  readonly busy: number;
  /** What keeps it from working, or null. */
  readonly hindered: string | null;
}

export async function runLoop({ tier, run, log, init, rounds: roundsOf }: LoopOptions): Promise<Loop> {
  const { boot_id } = await init.call("system.status", {}, start_answer_limit_ms);
  const { pace } = await init.call("config.sensors", {}, start_answer_limit_ms);
  const boot_ms = openBootClock();
  const standing = new Standing(shortBootId(boot_id));
  const pacer = new Pacer();
  const take = (event: Event): void => {
    if (standing.take(event)) pacer.hurry();
  };
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
  const rounds = roundsOf({
    broker,
    memory,
    ask: toolAsker(() => broker_link.peer),
    standing,
    incidents: new Incidents(memory, `${tier}-${process.pid}-${Math.round(boot_ms())}`),
    ids: new Ids(tier, boot_id, boot_ms()),
    boot_ms,
    wait: Bun.sleep,
    pace,
    log,
  });
  let hindered: string | null = null;

  const round = async (): Promise<void> => {
    if (!knows_alarms) {
      const peer = memory();
      await catchUp(peer, shortBootId(boot_id), take);
      knows_alarms = memory_link.peer === peer;
      return;
    }
    for (const one of rounds) await one.run();
  };
  const go = async (): Promise<void> => {
    try {
      await round();
      hindered = null;
    } catch (error) {
      hindered = error instanceof Error ? error.message : String(error);
    }
    pacer.next(() => void go());
  };
  void connected([memory_link, broker_link]).then(go);
  return {
    get busy() {
      return rounds.reduce((sum, one) => sum + one.busy, 0);
    },
    get hindered() {
      return hindered;
    },
  };
}

/** A tier that has just been started is not hindered: those that it calls run before it, and to connect takes a moment. */
async function connected(links: readonly { readonly peer: unknown }[]): Promise<void> {
  const until_ms = performance.now() + connect_limit_ms;
  while (links.some(({ peer }) => peer === null) && performance.now() < until_ms) await Bun.sleep(connect_look_ms);
}

/** When the next round is. */
class Pacer {
  #hurried_until_ms = 0;
  #waiting: { readonly timer: ReturnType<typeof setTimeout>; readonly go: () => void } | null = null;

  /** The next one is at once, and those after it come soon. */
  hurry(): void {
    this.#hurried_until_ms = performance.now() + short_rounds_ms;
    const waiting = this.#waiting;
    if (waiting === null) return;
    clearTimeout(waiting.timer);
    this.#waiting = null;
    waiting.go();
  }

  next(go: () => void): void {
    const hurried = performance.now() < this.#hurried_until_ms;
    const timer = setTimeout(
      () => {
        this.#waiting = null;
        go();
      },
      hurried ? short_round_every_ms : round_every_ms,
    );
    this.#waiting = { timer, go };
  }
}

/** First what comes from now on, then what stands: an event is taken once however often it is told. */
async function catchUp(peer: MemoryPeer, boot: string, take: (event: Event) => void): Promise<void> {
  await peer.call("subscribe", {});
  for (const event of await allStanding((after) => peer.call("alarms.standing", { boot, after }))) take(event);
}

function away(who: string): never {
  throw new Error(`${who} is away`);
}
