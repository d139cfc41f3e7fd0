/** The reactive tier's process: events from PID 1 and from its own sensors, rules, actions by request, all on record. */

import { shortBootId } from "../../contracts/boot-id.ts";
import { broker_methods } from "../../contracts/broker.ts";
import type { Decision } from "../../contracts/decision.ts";
import type { Event, Severity } from "../../contracts/event.ts";
import type { MetricSample } from "../../contracts/memory/operational.ts";
import { memory_methods } from "../../contracts/memory.ts";
import { callerSocket, run_dir } from "../../contracts/paths.ts";
import type { Health } from "../../contracts/service.ts";
import { openBootClock } from "../../wire/boot-clock.ts";
import { createLog, type Log } from "../../wire/log.ts";
import { reconnecting } from "../../wire/reconnect.ts";
import { start_answer_limit_ms, startService } from "../../wire/service.ts";
import { silent } from "../../wire/unix.ts";
import { bundled_alarms } from "../sensors/alarms/index.ts";
import { loadAlarms } from "../sensors/alarms/load.ts";
import { runSensors, type Sensing } from "../sensors/run.ts";
import { toolAsker } from "../shared/ask-tool.ts";
import { Ids } from "../shared/ids.ts";
import { allStanding } from "../shared/standing.ts";
import { carryOut, type Pid1 } from "./act.ts";
import { Adoption } from "./adopt.ts";
import { Decider } from "./decide.ts";
import { Engine } from "./engine.ts";
import { LearnedRules } from "./learned-rules.ts";
import { Ledger } from "./ledger.ts";
import { MetricsPost } from "./metrics-post.ts";
import { loadRules } from "./rule-set.ts";
import { bundled_rules } from "./rules/index.ts";

/** PID 1 answers a restart when the service is ready or has failed; no service is allowed longer than this to start. */
const restart_limit_ms = 120_000;
/** The boot clock is read 10 ms coarse: an event this much older than the subscription still counts as new. */
const clock_slack_ms = 20;

export async function main(): Promise<void> {
  await runReactive(run_dir);
}

export async function runReactive(run: string): Promise<void> {
  const log = createLog();
  const boot_ms = openBootClock();
  const { loaded: rules, refused } = loadRules(bundled_rules);
  const alarms = loadAlarms(bundled_alarms);
  for (const sentence of [...refused, ...alarms.refused]) log.error(sentence);
  let adoption: Adoption | null = null;
  const memory = connectMemory(run, () => {
    void ledger.flush();
    void adoption?.run();
  });
  const ledger = new Ledger(memory.port);
  const metrics = new MetricsPost(() => memory.port()?.appendMetrics ?? null);

  let decider: Decider | null = null;
  let subscribed_ms = Number.POSITIVE_INFINITY;
  const take = (event: Event): void => {
    // Events from before the subscription are PID 1's affair: acting on an old death would end a service that is well.
    if (event.boot_ms >= subscribed_ms - clock_slack_ms) decider?.take(event);
  };
  let sensing: Sensing | null = null;
  let learned: LearnedRules | null = null;
  const health = (): Omit<Health, "resources"> =>
    reactiveHealth({
      rules: rules.length,
      learned: learned?.count ?? 0,
      refused: [...refused, ...alarms.refused],
      blind: sensing?.blind() ?? [],
      remarks: sensing?.remarks() ?? [],
      standing: sensing?.standing() ?? [],
      decisions: decider?.decisions ?? 0,
      ledger,
      memory_away: memory.port() === null,
    });
  const service = await startService({ name: "reactive", run, health, onEvent: take });

  const why = (reason: string) => ({ who: "reactive", reason });
  const pid1: Pid1 = {
    status: async (name) => (await service.init.call("service.list", {})).find((one) => one.name === name) ?? null,
    start: (name, reason) => service.init.call("service.start", { service: name, why: why(reason) }, restart_limit_ms),
    restart: (name, reason) => service.init.call("service.restart", { service: name, why: why(reason) }, restart_limit_ms),
    reclaim: (reason) => service.init.call("system.reclaim", { why: why(reason) }, 30_000),
  };
  const status = () => service.init.call("system.status", {}, start_answer_limit_ms);
  const { boot_id } = await status();
  const { pace } = await service.init.call("config.sensors", {}, start_answer_limit_ms);
  const ids = new Ids("reactive", boot_id, boot_ms());
  const record = (decision: Decision, severity: Severity): void => {
    ledger.putDecision(decision);
    // Said when it is over: what is asked of PID 1 does not wait for a line of log.
    if (decision.outcome.result !== "pending") say(log, decision, severity);
  };
  decider = new Decider(new Engine(rules), ids, {
    boot_ms,
    act: (decision) => carryOut(decision, pid1, Bun.sleep),
    record,
  });
  subscribed_ms = boot_ms();
  await service.init.call("events.subscribe", { after: null }, start_answer_limit_ms);
  const broker = reconnecting({
    path: callerSocket("broker", "reactive", run),
    sides: { ...silent, calls: broker_methods, tells: {} },
  });
  const ask = toolAsker(() => broker.peer);
  const from_playbooks = new LearnedRules({
    ...{ ids, boot: shortBootId(boot_id), boot_ms, ask, log },
    broker: () => broker.peer ?? away("the broker"),
    memory: () => memory.peer() ?? away("memory"),
    record,
  });
  learned = from_playbooks;
  sensing = runSensors({
    ids,
    boot_ms,
    status,
    services: () => service.init.call("service.list", {}),
    ask,
    alarms: alarms.loaded,
    pace,
    emit(event) {
      ledger.addEvent(event);
      take(event);
      from_playbooks.take(event);
    },
    measured: (sample) => void metrics.send(sample),
  });
  const { adopt } = sensing;
  from_playbooks.start();
  adoption = new Adoption({
    boot: shortBootId(boot_id),
    raised: () => memory.port()?.standingAlarms(shortBootId(boot_id)) ?? null,
    adopt(event) {
      adopt(event);
      from_playbooks.adopt(event);
    },
    warn: (sentence) => log.warn(sentence),
  });
  void adoption.run();
  service.ready(`${rules.length} rules`);
}

function away(who: string): never {
  throw new Error(`${who} is away`);
}

function connectMemory(run: string, onUp: () => void) {
  const connection = reconnecting({
    path: callerSocket("memory", "reactive", run),
    sides: { ...silent, calls: memory_methods, tells: {} },
    onUp: () => setImmediate(onUp),
  });
  return {
    peer: () => connection.peer,
    port() {
      const { peer } = connection;
      if (peer === null) return null;
      return {
        appendEvents: (events: Event[]) => peer.call("events.append", { events }),
        standingAlarms: (boot: string) => allStanding((after) => peer.call("alarms.standing", { boot, after })),
        appendDecisions: (decisions: Decision[]) => peer.call("decisions.append", { decisions }),
        appendMetrics: (samples: MetricSample[]) => peer.call("metrics.append", { samples }),
      };
    },
  };
}

function say(log: Log, decision: Decision, severity: Severity): void {
  const { id, rule, reason, action, outcome } = decision;
  const fields = { decision: id, rule, action: action.do, result: outcome.result, detail: outcome.detail };
  if (severity === "critical" || severity === "error") log.error(reason, fields);
  else if (severity === "warning") log.warn(reason, fields);
  else log.info(reason, fields);
}

interface ReactiveState {
  readonly rules: number;
  /** Playbooks that are rules, or on trial. */
  readonly learned: number;
  readonly refused: readonly string[];
  readonly blind: readonly string[];
  /** What is no fault and people are to know. */
  readonly remarks: readonly string[];
  /** Alarms that stand. */
  readonly standing: readonly string[];
  readonly decisions: number;
  readonly ledger: { readonly waiting: number; readonly dropped: number };
  readonly memory_away: boolean;
}

export function reactiveHealth({
  rules,
  learned,
  refused,
  blind,
  remarks,
  standing,
  decisions,
  ledger,
  memory_away,
}: ReactiveState): Omit<Health, "resources"> {
  const wrong = [
    ...refused,
    ...blind,
    ...(memory_away ? [`memory is away; ${ledger.waiting} records wait for it`] : []),
    ...(ledger.dropped > 0 ? [`${ledger.dropped} records lost: more than could wait`] : []),
  ];
  return {
    status: wrong.length === 0 ? "ok" : "degraded",
    detail: [
      ...wrong,
      `${rules} rules, ${learned} from playbooks, ${decisions} decisions`,
      ...standing.map((one) => `alarm ${one}`),
      ...remarks,
    ]
      .join("; ")
      .slice(0, 500),
    facts: {
      rules,
      learned,
      refused: refused.length,
      decisions,
      alarms: standing.length,
      waiting: ledger.waiting,
      dropped: ledger.dropped,
      memory: memory_away ? "away" : "connected",
    },
  };
}
