/** The real memory, and a broker that answers as each case says and keeps account of what it was asked, for tests of the loop. */

import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shortBootId } from "../../../contracts/boot-id.ts";
import { broker_methods } from "../../../contracts/broker.ts";
import type { Try } from "../../../contracts/learning.ts";
import { callerSocket, callerSocketFolder } from "../../../contracts/paths.ts";
import { Approval } from "../../../contracts/permission.ts";
import { Playbook } from "../../../contracts/playbook.ts";
import { rpc_error } from "../../../contracts/rpc.ts";
import type { CallOutcome, CallResult, CallStatus, Risk, ToolDescription } from "../../../contracts/tool.ts";
import { diskFolder } from "../../../memory/testing/folder.ts";
import { type MemoryPeer, type MemoryService, startMemory } from "../../../memory/testing/service.ts";
import { openBootClock } from "../../../wire/boot-clock.ts";
import { RpcError } from "../../../wire/peer.ts";
import { connectUnix, listenUnix, silent } from "../../../wire/unix.ts";
import { operationalJudge } from "../../operational/judge.ts";
import { loadThresholds } from "../../router/thresholds.ts";
import { type BrokerPeer, toolAsker } from "../../shared/ask-tool.ts";
import { Ids } from "../../shared/ids.ts";
import { type AlarmEvent, Standing } from "../../shared/standing.ts";
import { type Incident, Incidents } from "../incidents.ts";
import { playbookSource } from "../options.ts";
import type { LoopPorts } from "../ports.ts";
import { triageAll } from "../triage.ts";
import { work } from "../work.ts";

const boot_id = "0badcafe-0000-4000-8000-000000000000";
export const boot_ms = openBootClock();
export const thresholds = loadThresholds();
export const playbooks = ["gentle", "harsh"].map((name, rank) =>
  Playbook.parse({
    ...{ name, rank, alarms: ["service-down"], does: `the ${name} thing`, watch_ms: 1000 },
    steps: [{ tool: `fix.${name}`, arguments: { name: "{subject}" }, why: "it may help" }],
  }),
);

/** What comes of a call, by tool and subject: its status, and whether it clears the alarm or makes something else worse. */
interface Effect {
  readonly status: CallStatus;
  readonly clears?: boolean;
  readonly breaks?: boolean;
  readonly unchanged?: true;
}
export const effects = new Map<string, Effect>();
export const made: { readonly tool: string; readonly name: string; readonly key: string | null; readonly call: string }[] = [];
export const taken_back: string[] = [];
export const approvals = new Map<string, CallStatus>();
export const withdrawn: string[] = [];
/** What each case may change. */
export const world: { broken_services: number /** Whether a tier above runs. */; above: "strategic" | null } = {
  broken_services: 0,
  above: null,
};

export let memory: MemoryService;
export let peer: MemoryPeer;
let operational: MemoryPeer;
let broker: BrokerPeer;
let standing: Standing;
export let ports: LoopPorts;
const ids = new Ids("tactical", boot_id, boot_ms());
const alarm_ids = new Ids("reactive", boot_id, boot_ms());

function outcome(tool: string, call: string, status: CallStatus): CallOutcome {
  const fixed = { tainted: false, undo: "possible", confirm_by_ms: null, took_ms: 1 } as const;
  return { call, tool, principal: "tier:tactical", status, text: `it ended as ${status}`, policies: [], ...fixed };
}

function answered(tool: string, args: Readonly<Record<string, unknown>>, key: string | null): CallResult {
  if (tool === "service.list") {
    const services = Array.from({ length: world.broken_services }, (_, at) => ({ name: `s${at}`, state: "backoff" }));
    return { structuredContent: { services }, isError: false, _meta: outcome(tool, "0badcafe-call-1", "done") };
  }
  if (tool === "memory.search")
    return { structuredContent: { found: [] }, isError: false, _meta: outcome(tool, "0badcafe-call-1", "done") };
  const known = made.find((one) => key !== null && one.key === key);
  const call = known?.call ?? `0badcafe-call-${made.length + 2}`;
  const name = String(args["name"]);
  const effect = effects.get(`${tool} ${name}`) ?? { status: "done" };
  if (known === undefined) {
    made.push({ tool, name, key, call });
    if (effect.clears === true) tell(name, false);
    if (effect.breaks === true) world.broken_services += 1;
  }
  return {
    structuredContent: null,
    isError: effect.status !== "done",
    _meta: { ...outcome(tool, call, effect.status), ...(effect.unchanged === undefined ? {} : { unchanged: true }) },
  };
}

/** Nobody has decided about it yet. */
function approvalOf(call: string, status: CallStatus | undefined): Approval | null {
  if (status !== undefined || withdrawn.includes(call)) return null;
  const asked = {
    call,
    principal: "tier:tactical",
    tool: "fix.gentle",
    risk: "compensable",
    arguments: {},
    reason: { text: "it may help" },
  } as const;
  const undecided = { state: "waiting", decided_by: null, decided_ms: null, decided_why: null, review: null } as const;
  return Approval.parse({ ...asked, ...undecided, resources: [], tainted: [], preview: [], final: [], asked_ms: 0, deadline_ms: 0 });
}

const risks: Readonly<Record<string, Risk>> = {
  ...{ "fix.exact": "reversible", "fix.gentle": "compensable", "fix.harsh": "compensable", "fix.final": "irreversible" },
};

function described(name: string): ToolDescription {
  const risk = risks[name];
  if (risk === undefined) throw new RpcError(rpc_error.not_found, `there is no tool "${name}"`);
  return {
    ...{ name, title: name, description: name, inputSchema: {}, outputSchema: {} },
    annotations: { readOnlyHint: false, destructiveHint: risk === "irreversible", idempotentHint: false, openWorldHint: false },
    _meta: { risk, family: "fix", timeout_ms: 1000, undoable: risk !== "irreversible" },
  };
}

export function tell(subject: string, raised: boolean, alarm = "service-down", severity: AlarmEvent["severity"] = "error"): AlarmEvent {
  const facts = { alarm, subject, raised, value: 1, limit: 1, stood_ms: 0, detail: "it does not run" };
  const event: AlarmEvent = {
    ...{ id: alarm_ids.memory(), time_ms: Date.now(), boot_ms: boot_ms() + made.length + 1, source: "reactive", severity },
    ...{ kind: "alarm.changed", facts },
  };
  standing.take(event);
  return event;
}

export async function startRig(): Promise<void> {
  for (const one of [effects, approvals, over]) one.clear();
  for (const one of [made, taken_back, withdrawn]) one.splice(0);
  memory = await startMemory(diskFolder("loop"));
  [peer, operational] = await Promise.all([memory.ask("tactical"), memory.ask("operational")]);
  const run = mkdtempSync(join(tmpdir(), "loop-"));
  mkdirSync(callerSocketFolder("broker", "tactical", run), { recursive: true });
  const methods = {
    "tools/get": broker_methods["tools/get"],
    "tools/call": broker_methods["tools/call"],
    "calls/get": broker_methods["calls/get"],
    "calls/cancel": broker_methods["calls/cancel"],
    "undo/run": broker_methods["undo/run"],
  };
  listenUnix(callerSocket("broker", "tactical", run), 0o660, () => ({
    ...silent,
    serves: {
      methods,
      handlers: {
        "tools/get": ({ name }) => described(name),
        "tools/call": ({ name, arguments: args, _meta }) => answered(name, args, _meta.key),
        "calls/get": ({ call }) => {
          const status = approvals.get(call);
          return {
            outcome: status === undefined ? null : outcome("fix.gentle", call, status),
            entries: [],
            approval: approvalOf(call, status),
          };
        },
        "calls/cancel": ({ call }) => {
          withdrawn.push(call);
          return outcome("fix.gentle", call, "declined");
        },
        "undo/run": ({ target }) => {
          if ("group" in target) taken_back.push(target.group);
          return { outcomes: [], plan: { calls: [], obstacles: [] } };
        },
      },
    },
    calls: {},
    tells: {},
  }));
  broker = await connectUnix(callerSocket("broker", "tactical", run), { ...silent, calls: broker_methods, tells: {} });
  standing = new Standing(shortBootId(boot_id));
  const ask = toolAsker(() => broker);
  ports = {
    ...{ tier: "tactical", broker: () => broker, memory: () => peer, ask, standing, ids, boot_ms },
    thresholds,
    sources: [playbookSource(() => playbooks)],
    above: async () => world.above,
    wait: () => Bun.sleep(5),
  };
}

export const stopRig = async (): Promise<void> => await memory?.kill();

export const triage = (now_ms = boot_ms) => {
  const tries = (): Promise<Try[]> => operational.call("learning.tries", { limit: 1000 });
  const judge = operationalJudge({ ask: ports.ask, thresholds, playbooks: () => playbooks, tries, model: null });
  return triageAll({ incidents: new Incidents(() => operational, "o1"), judge, standing, thresholds, boot_ms: now_ms, over });
};
const over = new Map<string, number>();
export const open = async (subject: string): Promise<Incident> => {
  const found = (await new Incidents(() => peer, "t").open()).find(({ body }) => body.key === `service-down ${subject}`);
  if (found === undefined) throw new Error(`there is no open incident about "${subject}"`);
  return found;
};
export const last = async (subject: string): Promise<Incident> => {
  const { items } = await peer.call("work.list", { kinds: ["incident"], key: `service-down ${subject}`, limit: 1 });
  const [item] = items;
  if (item?.kind !== "incident") throw new Error(`there is no incident about "${subject}"`);
  return item;
};
/** Works on it until it ends or waits, as one process of the tier. */
export async function worked(subject: string, holder = "t1"): Promise<Incident> {
  const held = await new Incidents(() => peer, holder).take(await open(subject));
  if (held === null) throw new Error("somebody else holds it");
  await work(held, ports).finally(() => held.release());
  return await last(subject);
}
export const decisionsOf = async ({ body }: Incident) =>
  (await peer.call("decisions.list", { limit: 100 })).filter(({ id }) => body.decisions.includes(id));
