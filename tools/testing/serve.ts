/**
 * A whole broker in a folder, as a process of its own that tests talk to and kill:
 *
 *   bun tools/testing/serve.ts FOLDER [--authority allow|deny|approval|policies]
 *
 * FOLDER/run has its sockets, FOLDER/data what it keeps. What it does besides is told on its standard input, a line each,
 * and answered on its standard output by `ok`:
 *
 *   authority NAME         from now on; not for `policies`
 *   kill-step TOOL STEP    ends by SIGKILL when a call of the tool reaches that step
 *   kill-sys TOOL N        ends by SIGKILL before the Nth system call or program between the intent and the outcome of the tool
 *   count TOOL             counts them; after the outcome `asked N` is written
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
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    authority: { type: "string", default: "allow" },
  },
});
const folder = positionals[0];
if (folder === undefined) throw new Error("starting a broker failed: give a folder");

type Order = { readonly what: "kill-step" | "kill-sys" | "count"; readonly tool: string; readonly at: string };
let order: Order | null = null;
/** Between the intent and the outcome of the tool that the order is about. */
let changing = false;
let asked = 0;

function ask(): void {
  if (!changing) return;
  asked += 1;
  if (order?.what === "kill-sys" && asked === Number(order.at)) die();
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  for (;;) Bun.sleepSync(1000);
}

function onStep(step: Step, _call: string, tool: string): void {
  if (order === null || tool !== order.tool) return;
  if (step === "intent") changing = true;
  if (step === "outcome") {
    changing = false;
    if (order.what === "count") process.stdout.write(`asked ${asked}\n`);
  }
  if (order.what === "kill-step" && step === order.at) die();
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
let authority = values.authority;
const broker = await openTestBroker(folder, {
  authority: authorityFor(authority, placesIn(folder), () => authority),
  onStep,
  wrapSys: countedSystem,
  wrapExec: (exec: Exec) => counted(exec),
});
serveBroker(run, broker);
process.stdout.write("ready\n");

for await (const line of console) {
  const [what, tool = "", at = ""] = line.split(" ");
  if (what === "authority") authority = tool;
  else if (what === "kill-step" || what === "kill-sys" || what === "count") {
    order = { what, tool, at };
    asked = 0;
  } else throw new Error(`ordering "${line}" failed: authority, kill-step, kill-sys or count`);
  process.stdout.write("ok\n");
}
