/**
 * The parts of the broker, put together: `main.ts` does it for the image, `testing/open.ts` for tests.
 *
 * Order matters: first the record, then what the last broker left unfinished, then whoever calls.
 */

import { CallMeta, type CallOutcome, type Principal, Reason as ReasonSchema } from "../contracts/tool.ts";
import type { System } from "../sys/system.ts";
import { Taint } from "../wire/taint.ts";
import { ChainedAudit } from "./audit/chained.ts";
import { redact } from "./audit/redact.ts";
import { Approvals, approvals_schema } from "./call/approvals.ts";
import { Calls } from "./call/calls.ts";
import { Keys, keys_schema } from "./call/keys.ts";
import { Limits } from "./call/limits.ts";
import { Locks } from "./call/locks.ts";
import type { Asked } from "./call/ports.ts";
import { Recovery } from "./call/recovery.ts";
import type { Step } from "./call/steps.ts";
import { ModelChooser } from "./catalog/model/chooser.ts";
import { programsFromBefore } from "./catalog/process/shared/programs.ts";
import { TaskRunner } from "./catalog/task/runner.ts";
import type { Clock, Context, Places } from "./context.ts";
import type { ExecPrograms } from "./exec/argv.ts";
import type { Exec } from "./exec/exec.ts";
import { linuxExecution } from "./exec/linux.ts";
import type { CatalogParts } from "./load.ts";
import { Output } from "./output.ts";
import type { PermissionPart } from "./policy/permission.ts";
import type { Registry } from "./registry.ts";
import { Remembering } from "./remember.ts";
import { type Restorer, restoreAll } from "./restore.ts";
import type { Broker } from "./serve.ts";
import { openState, stateKind } from "./state/open.ts";
import { Values, values_schema } from "./state/values.ts";
import { Confirmations, confirmations_schema } from "./undo/confirm.ts";
import { cutoffIn } from "./undo/cutoff.ts";
import { expiryEntry, imagesKept, imagesWanted } from "./undo/expiry.ts";
import { ImageStore } from "./undo/store.ts";
import { Undo } from "./undo/undo.ts";
import { clearHandouts } from "./vault/handout.ts";
import { handToTiers } from "./vault/tier.ts";
import type { Tpm } from "./vault/tpm/tpm.ts";
import { openVault, type Vault } from "./vault/vault.ts";

export interface BrokerOptions {
  readonly places: Places;
  /** 8 hexadecimal digits of the kernel's boot id. */
  readonly boot: string;
  readonly mode: Context["mode"];
  readonly sys: System;
  readonly programs: ExecPrograms;
  readonly clock: Clock;
  /** `/dev/kmsg`, or null where there is none. */
  readonly kmsg: string | null;
  /** What seals the keys of the vault; null: there is none. */
  readonly tpm: Tpm | null;
  readonly permission: PermissionPart;
  /** What the tools set and the kernel forgets; made again once a boot, before the first call. */
  readonly restorers: readonly Restorer[];
  readonly tools: (parts: CatalogParts) => Registry | Promise<Registry>;
  readonly neighbours: () => Pick<Context, "init" | "logs" | "memory">;
  readonly log: (text: string) => void;
  /** See `Calls`. */
  readonly giveUp: (why: string) => void;
  readonly onOutcome?: (outcome: CallOutcome) => void;
  /** Tells memory of what was done. */
  readonly remembers: boolean;
  /** Gives tiers a model where no person did. */
  readonly chooses: boolean;
  /** For tests: where to end it, and what the tools ask for. */
  readonly onStep?: (step: Step, call: string, tool: string) => void;
  readonly wrapSys?: (sys: System) => System;
  readonly wrapExec?: (exec: Exec) => Exec;
}

export interface OpenBroker extends Broker {
  readonly images: ImageStore;
  readonly vault: Vault;
  /** What does not work and what to do. */
  readonly degradations: () => readonly string[];
  /** Loads what the first call needs. Never throws. */
  warm(): void;
  /** What was found unfinished at the start. */
  readonly recovered: readonly CallOutcome[];
  close(): Promise<void>;
}

export async function openBroker(options: BrokerOptions): Promise<OpenBroker> {
  const { places, clock, log } = options;
  const schema = [values_schema, keys_schema, approvals_schema, confirmations_schema, ...options.permission.schema];
  const state = openState(places.broker, stateKind(schema));
  const audit = new ChainedAudit({
    folder: places.broker,
    clock,
    boot: options.boot,
    kmsg: options.kmsg,
    must_last: options.mode === "machine",
    onProblem: log,
  });
  const permission = await options.permission.open(state.db);
  const values = new Values(state.db);
  const registry: Registry = await options.tools({
    ...{ permission, audit, declared: (family) => values.of(family) },
    toolOf: (name) => registry.tool(name),
  });
  const approvals = new Approvals(state.db);
  const output = new Output();
  const images = new ImageStore({
    folder: `${places.broker}/images`,
    sys: options.sys,
    clock,
    boot: options.boot,
    cutoff: cutoffIn(values.of("undo")),
    onExpiry: async (call, why) => void (await audit.append(expiryEntry(call, why))),
    onProblem: log,
  });
  await images.start((call) => imagesWanted(audit, audit.lossy, call), audit.unfinished().keys());
  const sys = options.wrapSys?.(options.sys) ?? options.sys;

  const { tpm } = options;
  const vault = await openVault({ folder: `${places.broker}/vault`, sys, tpm, now_ms: () => clock.now_ms(), log });
  clearHandouts(places);
  for (const trouble of handToTiers({ vault, places })) log(trouble);
  const execution = linuxExecution({ sys: options.sys, programs: options.programs, places });
  const programs = programsFromBefore(values.of("process"), options.boot);
  await execution.sweep(programs.kept); // before anything of those calls is taken back
  const nobody: Asked = { role: null, owner: null, tainted: [] };
  const contextOf = (call: string, tool: string, principal: Principal, signal: AbortSignal, asked: Asked = nobody): Context => {
    const write = (stream: "stdout" | "stderr", text: string): void => output.write(call, stream, text);
    const exec = execution.forCall({ call, signal, output: write });
    return {
      call,
      principal,
      ...asked,
      signal,
      sys,
      exec: options.wrapExec?.(exec) ?? exec,
      images: images.of(call),
      state: values.of(registry.facts(tool)?.state_of ?? tool.split(".")[0] ?? tool),
      vault,
      places,
      clock,
      mode: options.mode,
      ...options.neighbours(),
      output: write,
    };
  };

  let chooser: ModelChooser | null = null;
  const undo = new Undo({ audit, registry, imagesKept: (call) => imagesKept(audit, call) });
  const confirmations = new Confirmations(state.db, {
    clock,
    onProblem: log,
    takeBack: async (call) => {
      await calls.running(call);
      // whatever came later upon it goes first: nothing that is made meanwhile keeps a change that may have locked everybody out
      const passed_over: string[] = [];
      for (const one of undo.withLater(call)) {
        const failed = undo.stateOf(one, passed_over) === "possible" ? await takeBackOne(one, passed_over) : null;
        if (failed !== null && one === call) throw new Error(failed);
        if (undo.stateOf(one) !== "done") passed_over.push(one);
      }
    },
  });
  const takeBackOne = async (call: string, passed_over: readonly string[]): Promise<string | null> => {
    const reason = ReasonSchema.parse({ text: "nobody confirmed it in time" });
    const { outcomes } = await undo.run({ call }, { principal: "system", role: null, owner: null }, reason, calls, passed_over);
    return outcomes.find(({ status }) => status !== "done")?.text ?? null;
  };
  const calls: Calls = new Calls({
    toolFor: (request) => {
      const { undoes } = request;
      if (undoes === null) return registry.tool(request.tool);
      return undo.toolFor(undoes, (tool, image, past) => calls.undo(tool, image, past, request.principal));
    },
    ...{ authority: permission.authority, audit, approvals, clock, boot: options.boot, contextOf, redact, giveUp: options.giveUp },
    unrecovered: () => recovery.wanting,
    keys: new Keys(state.db),
    limits: new Limits(() => clock.boot_ms()),
    locks: new Locks(),
    taint: new Taint(),
    written: (call) => output.heldOf(call),
    confirmations,
    spendGrants: (ids) => permission.spend(ids),
    onOutcome: (outcome, undoes) => {
      output.end(outcome);
      void endImages(images, outcome, undoes);
      if (options.remembers) remembering.wake();
      chooser?.heard(outcome);
      options.onOutcome?.(outcome);
    },
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
  });

  programs.resume(execution.forCall({ call: `${options.boot}-call-0`, signal: new AbortController().signal, output: () => {} }));
  const recovery = new Recovery({
    ports: { audit, registry, contextOf },
    async onRecovered(outcome) {
      log(`${outcome.tool} (${outcome.call}) was unfinished: ${outcome.status}: ${outcome.text}`);
      const undoes = audit.ofCall(outcome.call).findLast(({ kind }) => kind === "outcome")?.body["undoes"];
      await endImages(images, outcome, typeof undoes === "string" ? undoes : null);
    },
    log,
  });
  const recovered = audit.degradation === null ? await recovery.begin() : [];
  const unrestored = await restoreAll(options.restorers, (restorer, signal) =>
    contextOf(`${options.boot}-call-0`, `${restorer.family}.restore`, "system", signal),
  );
  let expiry: ReturnType<typeof setTimeout> | null = null;
  const expire = async (): Promise<void> => {
    const next_ms = await calls.expire().catch((error: unknown) => {
      log(`ending approvals failed: ${String(error)}`);
      return null;
    });
    expiry = setTimeout(() => void expire(), Math.min(Math.max(next_ms ?? expiry_check_ms, 100), expiry_check_ms));
  };
  await expire();
  const tasks = new TaskRunner({
    ...{ state: values.of("task"), clock, log },
    async call({ tool, arguments: args, reason, principal, role, owner, tainted, key }) {
      const meta = CallMeta.parse({ reason: { text: reason }, tainted, key });
      const { _meta } = await calls.make({ principal, role, owner, tool, arguments: { ...args }, meta, undoes: null, redoes: null });
      return _meta;
    },
  });
  const choosing = new ModelChooser({
    context: {
      places,
      state: values.of("model"),
      get init() {
        return options.neighbours().init;
      },
    },
    async call(tool, args, reason) {
      const asked = { principal: "system", role: null, owner: null, undoes: null, redoes: null } as const;
      const meta = CallMeta.parse({ reason: { text: reason.slice(0, 2000) } });
      return (await calls.make({ ...asked, tool, arguments: { ...args }, meta }))._meta;
    },
    log,
  });
  chooser = options.chooses ? choosing : null;
  const remembering = new Remembering({
    ...{ audit, log, state: values.of("broker") },
    memory: () => options.neighbours().memory,
    tainted: (tool) => registry.facts(tool)?.tainted === true,
  });
  if (options.remembers) remembering.wake();
  tasks.start();
  chooser?.start();
  confirmations.start();

  return {
    registry,
    calls,
    undo,
    audit,
    approvals,
    confirmations,
    confirm(call) {
      if (!confirmations.confirm(call)) return false;
      // who could confirm it was not locked out by what it was made upon
      for (const earlier of confirmations.waiting()) if (undo.isUpon(call, earlier)) confirmations.confirm(earlier);
      return true;
    },
    output,
    images,
    vault,
    clock,
    recovered,
    authority: permission.authority,
    agents: () => permission.agents(),
    grants: (all) => permission.grants(all),
    policies: () => permission.policies(),
    warm: () => permission.warm(),
    degradations: () =>
      [
        state.degradation,
        audit.degradation,
        recovery.wanting,
        images.degradation,
        permission.degradation,
        vault.degradation,
        ...unrestored,
      ].filter((one) => one !== null),
    async close() {
      recovery.stop();
      tasks.stop();
      chooser?.stop();
      await remembering.stop();
      if (expiry !== null) clearTimeout(expiry);
      confirmations.stop();
      await images.close();
      await audit.close();
      state.db.close();
    },
  };
}

/** What becomes of the before-images of a call that has ended, and of the one that it took back: never throws. */
async function endImages(images: ImageStore, { call, status }: CallOutcome, undoes: string | null): Promise<void> {
  // taken back, or nothing was done: its images are of no use any more
  await (status === "done" || status === "uncertain" ? images.settle(call) : images.discard(call));
  if (undoes !== null) await (status === "done" ? images.discard(undoes) : images.settle(undoes));
}

/** Milliseconds between two looks at approvals whose time is over. */
const expiry_check_ms = 5000;
