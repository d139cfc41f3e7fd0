/**
 * A whole broker in a folder, as a process of its own that tests talk to and kill:
 *
 *   bun tools/testing/serve.ts FOLDER [--authority allow|deny|approval|policies] [--kill-step STEP] [--kill-sys N] [--tool NAME]
 *
 * FOLDER/run has its sockets, FOLDER/data what it keeps. `--kill-step` ends it by SIGKILL when a call of the tool reaches
 * that step; `--kill-sys` before the Nth system call or program that the tool asks for between its intent and its outcome.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { broker_callers } from "../../contracts/broker.ts";
import { callerSocketFolder } from "../../contracts/paths.ts";
import type { System } from "../../sys/system.ts";
import type { Step } from "../call/steps.ts";
import type { Exec } from "../exec/exec.ts";
import { serveBroker } from "../serve.ts";
import { authorityFor, openTestBroker, placesIn } from "./open.ts";

const { positionals, values } = parseArgs({
  args: Bun.argv.slice(2),
  allowPositionals: true,
  options: {
    authority: { type: "string", default: "allow" },
    "kill-step": { type: "string" },
    "kill-sys": { type: "string" },
    "count-sys": { type: "boolean", default: false },
    tool: { type: "string" },
  },
});
const folder = positionals[0];
if (folder === undefined) throw new Error("starting a broker failed: give a folder");
const kill_sys = values["kill-sys"] === undefined ? null : Number(values["kill-sys"]);

/** Between its intent and its outcome, of the tool that is to be killed. */
let changing = false;
let asked = 0;

function ask(): void {
  if (!changing) return;
  asked += 1;
  if (asked === kill_sys) die();
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  for (;;) Bun.sleepSync(1000);
}

function onStep(step: Step, _call: string, tool: string): void {
  if (values.tool !== undefined && tool !== values.tool) return;
  if (step === "intent") changing = true;
  if (step === "outcome") {
    changing = false;
    if (values["count-sys"]) process.stdout.write(`asked ${asked}\n`);
  }
  if (step === values["kill-step"]) die();
}

/** Counts what is asked of each family. */
function counted<T extends object>(family: T): T {
  return new Proxy(family, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        ask();
        return Reflect.apply(member, target, args);
      };
    },
  });
}

function countedSystem(sys: System): System {
  return new Proxy(sys, {
    get(target, name, receiver) {
      const family: unknown = Reflect.get(target, name, receiver);
      return typeof family === "object" && family !== null ? counted(family) : family;
    },
  });
}

const run = join(folder, "run");
for (const caller of broker_callers) mkdirSync(callerSocketFolder("broker", caller, run), { recursive: true });
const broker = await openTestBroker(folder, {
  authority: authorityFor(values.authority, placesIn(folder)),
  onStep,
  wrapSys: countedSystem,
  wrapExec: (exec: Exec) => counted(exec),
});
serveBroker(run, broker);
process.stdout.write("ready\n");
