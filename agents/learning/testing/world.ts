/**
 * The real memory, and a broker that answers calls of knowledge and memory out of it, as the tools do; calls of `fix.*` do what the
 * case says, and are on account.
 */

import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shortBootId } from "../../../contracts/boot-id.ts";
import { broker_methods } from "../../../contracts/broker.ts";
import { DocumentText } from "../../../contracts/memory/knowledge.ts";
import { memory_methods } from "../../../contracts/memory.ts";
import { callerSocket, callerSocketFolder } from "../../../contracts/paths.ts";
import type { CallOutcome, CallResult, CallStatus, Risk } from "../../../contracts/tool.ts";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryPeer, startMemory } from "../../../memory/testing/service.ts";
import { openBootClock } from "../../../wire/boot-clock.ts";
import { connectUnix, listenUnix, silent } from "../../../wire/unix.ts";
import { Incidents } from "../../loop/incidents.ts";
import type { BasePorts } from "../../loop/ports.ts";
import { triageAll } from "../../loop/triage.ts";
import { operationalJudge } from "../../operational/judge.ts";
import { loadThresholds } from "../../router/thresholds.ts";
import { type BrokerPeer, toolAsker } from "../../shared/ask-tool.ts";
import { Ids } from "../../shared/ids.ts";
import { type AlarmEvent, Standing } from "../../shared/standing.ts";

export type CallerName = "reactive" | "operational" | "tactical" | "strategic";

interface Made {
  readonly caller: CallerName;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly dry_run: boolean;
}

const boot_id = "0badcafe-0000-4000-8000-000000000000";
const risks: Readonly<Record<string, Risk>> = {
  "fix.good": "compensable",
  "fix.asked": "compensable",
  "fix.other": "compensable",
  "fix.final": "irreversible",
};

export class World {
  readonly boot_ms = openBootClock();
  readonly standing = new Standing(shortBootId(boot_id));
  readonly made: Made[] = [];
  /** What comes of a call by tool and subject: done and the alarm is cleared, unless it says otherwise. Of `waits_for` a person is asked. */
  readonly effects = new Map<string, { readonly status?: CallStatus; readonly clears?: boolean; readonly waits_for?: CallerName }>();
  readonly taken_back: string[] = [];
  readonly said: string[] = [];
  /** Told of each alarm that is raised or cleared. */
  onAlarm: (event: AlarmEvent) => void = () => {};
  readonly #alarm_ids = new Ids("reactive", boot_id, this.boot_ms());
  readonly #ids = new Map<CallerName, Ids>();
  readonly #run = mkdtempSync(join(tmpdir(), "learning-"));
  readonly #memory = startMemory(diskFolder("learning"));
  readonly #over = new Map<string, number>();
  #keeper: MemoryPeer | null = null;
  #operational: BasePorts | null = null;

  async memory(caller: Parameters<Awaited<ReturnType<typeof startMemory>>["ask"]>[0]): Promise<MemoryPeer> {
    return await (await this.#memory).ask(caller);
  }

  async kill(): Promise<void> {
    await (await this.#memory).kill();
  }

  async ports(caller: CallerName): Promise<BasePorts> {
    const [memory, broker] = await Promise.all([this.memory(caller), this.#broker(caller)]);
    const ids = this.#ids.get(caller) ?? new Ids(caller, boot_id, this.boot_ms());
    this.#ids.set(caller, ids);
    const say = (text: string): void => void this.said.push(text);
    return {
      ...{ memory: () => memory, broker: () => broker, ask: toolAsker(() => broker), standing: this.standing, ids, boot_ms: this.boot_ms },
      incidents: new Incidents(() => memory, `${caller}-1`),
      wait: () => Bun.sleep(5),
      log: { info: say, warn: say, error: say },
    };
  }

  /** An alarm is raised or cleared: what the sensors would tell. */
  async tell(subject: string, raised: boolean, more: { readonly alarm?: string; readonly untrusted?: string } = {}): Promise<AlarmEvent> {
    const { alarm = "service-unwell", untrusted } = more;
    const event: AlarmEvent = {
      ...{ id: this.#alarm_ids.memory(), time_ms: Date.now(), boot_ms: this.boot_ms(), source: "reactive", severity: "error" },
      ...{ kind: "alarm.changed", facts: { alarm, subject, raised, value: 1, limit: 1, stood_ms: 0, detail: "it is not well" } },
      ...(untrusted === undefined ? {} : { untrusted }),
    };
    this.standing.take(event);
    this.onAlarm(event);
    return event;
  }

  async triage(): Promise<void> {
    this.#operational ??= await this.ports("operational");
    const { incidents, ask, standing, boot_ms } = this.#operational;
    const thresholds = loadThresholds();
    const judge = operationalJudge({ ask, thresholds, playbooks: () => [], tries: async () => [], model: null });
    await triageAll({ incidents, judge, standing, thresholds, boot_ms, over: this.#over });
  }

  async #broker(caller: CallerName): Promise<BrokerPeer> {
    this.#keeper ??= await this.memory("broker");
    const path = callerSocket("broker", caller, this.#run);
    mkdirSync(callerSocketFolder("broker", caller, this.#run), { recursive: true });
    const methods = {
      "tools/get": broker_methods["tools/get"],
      "tools/call": broker_methods["tools/call"],
      "calls/cancel": broker_methods["calls/cancel"],
      "undo/run": broker_methods["undo/run"],
    };
    listenUnix(path, 0o660, () => ({
      ...silent,
      serves: {
        methods,
        handlers: {
          "tools/get": ({ name }) => description(name),
          "tools/call": ({ name, arguments: args, _meta }) => this.#called(caller, name, args, _meta.dry_run, _meta.tainted),
          "calls/cancel": ({ call }) => outcomeOf(caller, "fix", call, "declined"),
          "undo/run": ({ target }) => {
            if ("group" in target) this.taken_back.push(target.group);
            return { outcomes: [], plan: { calls: [], obstacles: [] } };
          },
        },
      },
      calls: {},
      tells: {},
    }));
    return await connectUnix(path, { ...silent, calls: broker_methods, tells: {} });
  }

  async #called(caller: CallerName, tool: string, args: Readonly<Record<string, unknown>>, dry_run: boolean, tainted: readonly string[]) {
    const of = (status: CallStatus, structuredContent: CallResult["structuredContent"]): CallResult => ({
      structuredContent,
      isError: status !== "done",
      _meta: outcomeOf(caller, tool, `0badcafe-call-${this.made.length + 1}`, status),
    });
    if (tool === "service.list") return of("done", { services: [] });
    if (tool === "memory.search") return of("done", { found: [] });
    if (!tool.startsWith("fix.")) return of("done", await this.#told(caller, tool, args, tainted));
    this.made.push({ caller, tool, args, dry_run });
    const subject = String(args["name"]);
    const { status: result = "done", clears = true, waits_for } = this.effects.get(`${tool} ${subject}`) ?? {};
    const waits = waits_for === caller;
    if (dry_run && result === "done") return of("previewed", { effect: waits ? "approval" : "allow" });
    const status = waits ? "waiting" : result;
    if (dry_run) return of(status, null);
    const alarms = this.standing.all().filter(({ facts }) => facts.subject === subject);
    if (status === "done" && clears) for (const { facts } of alarms) await this.tell(subject, false, { alarm: facts.alarm });
    return of(status, null);
  }

  async #told(caller: CallerName, tool: string, args: Readonly<Record<string, unknown>>, tainted: readonly string[]) {
    const keeper = this.#keeper;
    if (keeper === null) throw new Error("memory is not there");
    const id = String(args["id"]);
    const reason = String(args["reason"]);
    const by = { author: `tier:${caller}`, call: null, taint: tainted.length > 0 ? ["call:0badcafe-call-1"] : [] };
    if (tool === "knowledge.list") return await keeper.call("knowledge.list", { kinds: null, prefix: "playbooks/", offset: 0, limit: 100 });
    if (tool === "knowledge.history") return await keeper.call("knowledge.history", { id, before: null, limit: 1 });
    if (tool === "knowledge.show") return await keeper.call("knowledge.show", { id, version: null, section: null });
    if (tool === "knowledge.add") return await keeper.call("knowledge.add", { id, text: DocumentText.parse(args["text"]), reason, ...by });
    if (tool === "knowledge.edit") {
      const change = broker_methods["tools/call"].params.shape.arguments.parse(args["change"]);
      const text = DocumentText.parse(change["text"]);
      return await keeper.call("knowledge.edit", { id, change: { text }, expected: Number(args["expected"]), reason, ...by });
    }
    if (tool === "memory.recall")
      return { memories: await keeper.call("recall", memory_methods.recall.params.parse({ ids: args["ids"] })), unknown: [] };
    throw new Error(`the case does not know the tool "${tool}"`);
  }
}

function outcomeOf(caller: CallerName, tool: string, call: string, status: CallStatus): CallOutcome {
  return {
    ...{ call, tool, principal: `tier:${caller}`, status, text: `it ended as ${status}` },
    ...{ tainted: false, policies: [], undo: "possible", confirm_by_ms: null, took_ms: 1 },
  };
}

function description(name: string) {
  const risk = risks[name];
  if (risk === undefined) throw new Error(`there is no tool "${name}"`);
  return {
    ...{ name, title: name, description: name, inputSchema: {}, outputSchema: {} },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    _meta: { risk, family: "fix", timeout_ms: 1000, undoable: true },
  };
}
