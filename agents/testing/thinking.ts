/**
 * The operational and tactical tiers as they think, with nothing that is made up: the real memory with its documents, the real
 * broker with its policies, a real model. Only that the broker is asked of each call that changes something what it would do, instead
 * of doing it: that is kept account of, and told to the tier as the broker tells it.
 */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shortBootId } from "../../contracts/boot-id.ts";
import { broker_methods } from "../../contracts/broker.ts";
import { callerSocket } from "../../contracts/paths.ts";
import type { Playbook } from "../../contracts/playbook.ts";
import type { Thresholds } from "../../contracts/router.ts";
import { type AnsweringTool, type ToolAnswer, tool_answers } from "../../contracts/tool-answers.ts";
import { diskFolder } from "../../memory/testing/folder.ts";
import { type MemoryPeer, startMemory } from "../../memory/testing/service.ts";
import { openBootClock } from "../../wire/boot-clock.ts";
import { connectUnix, silent } from "../../wire/unix.ts";
import { type Incident, Incidents } from "../loop/incidents.ts";
import { playbookSource } from "../loop/options.ts";
import { type LoopPorts, tries_looked_at } from "../loop/ports.ts";
import { type Judge, triageAll } from "../loop/triage.ts";
import { work } from "../loop/work.ts";
import type { ChoiceModel } from "../model/port.ts";
import { ClassifierSignal } from "../operational/classifier-signal.ts";
import { candidateOf, operationalJudge } from "../operational/judge.ts";
import { ModelSignal } from "../operational/model-signal.ts";
import { bundled_playbooks } from "../playbooks/index.ts";
import { loadPlaybooks } from "../playbooks/playbooks.ts";
import { type AskTool, type BrokerPeer, toolAsker } from "../shared/ask-tool.ts";
import { Ids } from "../shared/ids.ts";
import { type AlarmEvent, matterOf, Standing } from "../shared/standing.ts";
import { ModelSource } from "../tactical/model-source.ts";

const boot_id = "0badcafe-0000-4000-8000-000000000000";
/** As the build of models leaves it; without it memory searches by word. */
const sentence_model = join(import.meta.dir, "../../build/models/all-minilm-l6-v2.gguf");
const ready_limit_ms = 60_000;
const patience_ms = 300_000;

/** A call that a tier wanted to make, and what the broker says of it. */
export interface WantedCall {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly tainted: readonly string[];
  /** `allow`: it would have been made; else why not. */
  readonly verdict: string;
  /** That were decisive. */
  readonly policies: readonly string[];
}

export interface Thinking {
  /** Raises an alarm, and lets both tiers go on with it until they are at their end. @returns the calls that they wanted to make */
  meet(alarm: Pick<AlarmEvent["facts"], "alarm" | "subject" | "detail"> & { readonly untrusted?: string }): Promise<WantedCall[]>;
  /** As the tiers look at an alarm, without working on it. */
  readonly judge: Judge;
  readonly source: ModelSource;
  sourceWith(thresholds: Thresholds): ModelSource;
  /** Whom a tier asks, as what is above does. */
  readonly parts: { readonly ask: AskTool; broker(): BrokerPeer };
  event(alarm: Parameters<Thinking["meet"]>[0]): AlarmEvent;
  incidentOf(event: AlarmEvent): Incident;
  /** Calls of which the broker was asked beforehand what they would do. */
  readonly shown: readonly WantedCall[];
  readonly memory: MemoryPeer;
  /** As the broker asks it. */
  readonly memory_of_broker: MemoryPeer;
  stop(): Promise<void>;
}

interface ThinkingOptions {
  readonly playbooks?: readonly Playbook[];
  readonly refit_every_ms?: number;
  /** Which model it is; null: it is asked each time. */
  readonly model_name?: () => string | null;
  /** Told how long each tool took that was asked. */
  readonly onAsked?: (tool: string, ms: number) => void;
}

/** A model's word is taken as it is, however long it takes: what keeps the system safe has to do so without its doubts. */
export function credulous(begin: Thresholds): Thresholds {
  return {
    ...begin,
    acting: { ...begin.acting, tactical: { sure_min: 0, try_min: 0 } },
    learning: { ...begin.learning, least: 0 },
    calibration: { ...begin.calibration, unproven_factor: 1 },
    deadlines: {
      ...begin.deadlines,
      ...{ operational_choice_ms: patience_ms, tactical_choice_ms: patience_ms, tactical_arguments_ms: patience_ms },
    },
  };
}

export async function startThinking(
  model: ChoiceModel,
  thresholds: Thresholds,
  {
    playbooks = loadPlaybooks(bundled_playbooks).loaded,
    refit_every_ms = 30_000,
    onAsked = () => {},
    model_name = () => null,
  }: ThinkingOptions = {},
): Promise<Thinking> {
  const memory = await startMemory(diskFolder("thinking"), [], existsSync(sentence_model) ? sentence_model : null);
  const [operational, tactical, searching] = await Promise.all([memory.ask("operational"), memory.ask("tactical"), memory.ask("broker")]);
  const { broker, stop } = await startBroker();
  const boot_ms = openBootClock();
  const standing = new Standing(shortBootId(boot_id));
  const alarm_ids = new Ids("reactive", boot_id, boot_ms());
  const wanted: WantedCall[] = [];
  const shown: WantedCall[] = [];
  const asked = showing(broker, wanted, shown);
  const asking = searchingIn(
    searching,
    toolAsker(() => asked),
  );
  const ask: AskTool = async (tool, args, why) => {
    const begin_ms = performance.now();
    try {
      return await asking(tool, args, why);
    } finally {
      onAsked(tool, performance.now() - begin_ms);
    }
  };
  const judge = operationalJudge({
    ask,
    thresholds,
    playbooks: () => playbooks,
    tries: () => operational.call("learning.tries", { limit: tries_looked_at }),
    model: new ModelSignal({ model, deadlines: thresholds.deadlines, all: () => playbooks.map(candidateOf), name: model_name }),
    others: [new ClassifierSignal(() => operational)],
    refit_every_ms,
  });
  const sourceWith = (others: Thresholds): ModelSource =>
    new ModelSource({ model, broker: () => asked, memory: () => tactical, ask, thresholds: others, name: model_name });
  const source = sourceWith(thresholds);
  const ports: LoopPorts = {
    ...{ tier: "tactical", broker: () => asked, memory: () => tactical, ask, standing, boot_ms, thresholds },
    ids: new Ids("tactical", boot_id, boot_ms()),
    sources: [playbookSource(() => playbooks), source],
    above: async () => null,
    wait: () => Bun.sleep(5),
  };
  const event = ({ untrusted, ...facts }: Parameters<Thinking["meet"]>[0]): AlarmEvent => ({
    ...{ id: alarm_ids.memory(), time_ms: Date.now(), boot_ms: boot_ms(), source: "reactive", severity: "error", kind: "alarm.changed" },
    facts: { ...facts, raised: true, value: 1, limit: 1, stood_ms: 0 },
    ...(untrusted === undefined ? {} : { untrusted }),
  });
  return {
    judge,
    source,
    sourceWith,
    parts: { ask, broker: () => asked },
    shown,
    memory: tactical,
    memory_of_broker: searching,
    event,
    incidentOf,
    async meet(alarm) {
      const met = event(alarm);
      const before = wanted.length;
      standing.take(met);
      await triageAll({ incidents: new Incidents(() => operational, "o1"), judge, standing, thresholds, boot_ms, over: new Map() });
      const incidents = new Incidents(() => tactical, "t1");
      const incident = (await incidents.open()).find(({ body }) => body.key === matterOf(met));
      const held = incident === undefined ? null : await incidents.take(incident);
      if (held === null) throw new Error(`there is no open incident about "${matterOf(met)}"`);
      await work(held, ports).finally(() => held.release());
      standing.take({ ...met, id: alarm_ids.memory(), boot_ms: boot_ms(), facts: { ...met.facts, raised: false } });
      return wanted.slice(before);
    },
    async stop() {
      await memory.kill();
      await stop();
    },
  };
}

export interface RealBroker {
  /** As this caller has it. */
  readonly broker: BrokerPeer;
  /** In which it keeps all: below `data` is what is below /var/lib/aios otherwise. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** With the real policies, in a folder of its own. */
export async function startBroker(caller: "tactical" | "strategic" = "tactical"): Promise<RealBroker> {
  const folder = mkdtempSync(join(tmpdir(), "thinking-broker-"));
  const serve = join(import.meta.dir, "../../tools/testing/serve.ts");
  // What it mounts (the userland of packages) ends with it, however it ends.
  const alone = process.getuid?.() === 0 ? ["unshare", "--mount"] : [];
  const child = Bun.spawn([...alone, process.execPath, serve, folder, "--authority", "policies"], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const kill = (): void => child.kill("SIGKILL");
  process.on("exit", kill);
  const limit = setTimeout(kill, ready_limit_ms);
  let written = "";
  for await (const bytes of child.stdout) {
    written += Buffer.from(bytes).toString();
    if (written.includes("ready\n")) break;
  }
  clearTimeout(limit);
  if (!written.includes("ready\n")) throw new Error(`starting a broker failed: it ended with status ${await child.exited}`);
  const path = callerSocket("broker", caller, join(folder, "run"));
  const broker = await connectUnix(path, { ...silent, calls: broker_methods, tells: {} });
  return {
    broker,
    folder,
    async stop() {
      kill();
      await child.exited;
      process.off("exit", kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The broker, asked for all that is no question what it would do. What was wanted goes into `wanted`, what was only to be shown into `shown`.
 * @param isMade of those that are made nevertheless
 */
export function showing(
  broker: BrokerPeer,
  wanted: WantedCall[],
  shown: WantedCall[],
  isMade: (tool: string, args: WantedCall["arguments"]) => boolean = () => false,
): BrokerPeer {
  const call = async (method: string, params: unknown, limit_ms?: number): Promise<unknown> => {
    const asked = method === "tools/call" ? broker_methods[method].params.parse(params) : null;
    if (asked === null) return await Reflect.apply(broker.call, broker, [method, params, limit_ms]);
    const { name, arguments: args, _meta } = asked;
    if (!_meta.dry_run && (await broker.call("tools/get", { name }))._meta.risk === "observe")
      return await broker.call("tools/call", asked, limit_ms);
    const dry_run = _meta.dry_run || !isMade(name, args);
    const result = await broker.call("tools/call", { ...asked, _meta: { ..._meta, dry_run } }, limit_ms);
    const { status, text, policies } = result._meta;
    const verdict = status === "previewed" ? String(result.structuredContent?.["effect"]) : `${status}: ${text}`;
    (_meta.dry_run ? shown : wanted).push({ tool: name, arguments: args, tainted: _meta.tainted, verdict, policies });
    return result;
  };
  return new Proxy(broker, { get: (peer, name) => (name === "call" ? call : Reflect.get(peer, name)) });
}

/** Memory is asked itself: the broker of a test has one of its own. */
function searchingIn(memory: MemoryPeer, others: AskTool): AskTool {
  return async <T extends AnsweringTool>(tool: T, args: Readonly<Record<string, unknown>>, why: string) => {
    if (!["memory.search", "knowledge.search", "knowledge.list"].includes(tool)) return await others(tool, args, why);
    const { query, limit, ...filter } = args;
    const method = tool === "memory.search" ? "search" : tool;
    const params = tool === "knowledge.list" ? { prefix: "", ...args } : { query, mode: "hybrid", filter, limit };
    return tool_answers[tool].parse(await Reflect.apply(memory.call, memory, [method, params])) as ToolAnswer<T>;
  };
}

/** An incident as triage has not seen it yet. */
function incidentOf(event: AlarmEvent): Incident {
  const { alarm, subject, detail } = event.facts;
  const by = { created_ms: event.time_ms, changed_ms: event.time_ms, made_by: "operational", changed_by: "operational", reason: "" };
  return {
    ...{
      id: "0badcafe-incident-1",
      kind: "incident",
      state: "deciding",
      ended: false,
      version: 1,
      parent: null,
      root: "0badcafe-incident-1",
    },
    ...by,
    body: {
      ...{ key: matterOf(event), summary: `${alarm} of ${subject}: ${detail}`, severity: event.severity, service: null },
      ...{ events: [event.id], events_total: 1, memories: [], decisions: [], calls: [], tier: "tactical", escalations: 0 },
      ...{ spent: { calls: 0, tokens: 0, model_ms: 0 }, health_before: null, waits_for: null, lesson: null },
      taint: event.untrusted === undefined ? [] : [`event:${event.kind}`],
    },
  };
}
