/**
 * A scripted system for tests: it answers the calls that the script foresees, in that order, and throws on every other.
 *
 *   const sys = fakeSystem([
 *     { call: "mount.mount", args: [{ source: "proc", target: "/proc", type: "proc" }] },
 *     { call: "process.kill", args: [7, 9], fails: "ESRCH" },
 *     { call: "process.peekDead", returns: 12 },
 *   ]);
 *   …
 *   sys.done(); // throws when a call that the script foresees did not come
 */

import { isDeepStrictEqual } from "node:util";
import { errno_by_code, SysError } from "./errors.ts";
import type { System } from "./system.ts";

type Family = keyof System;
type Method = (...args: never[]) => unknown;
type Signature<F extends Family, C extends keyof System[F]> = System[F][C] extends Method ? System[F][C] : never;

/** One foreseen call. Without `args` any will do; without `returns` and `fails` it returns undefined. */
type StepOf<F extends Family, C extends keyof System[F] & string> = {
  readonly call: `${F}.${C}`;
  readonly args?: Readonly<Parameters<Signature<F, C>>>;
  readonly returns?: ReturnType<Signature<F, C>>;
  /** The symbol of the errno with which it fails: `EBUSY`. */
  readonly fails?: string;
  /** Sees the real arguments: takes a callback, fills a buffer. What it returns is the answer, unless `returns` is given. */
  readonly does?: (...args: Parameters<Signature<F, C>>) => ReturnType<Signature<F, C>>;
};

export type Step = { [F in Family]: { [C in keyof System[F] & string]: StepOf<F, C> }[keyof System[F] & string] }[Family];

export interface FakeSystem extends System {
  /** @throws when the script is not at its end */
  done(): void;
}

/** A call that the script did not foresee at this point. */
export class UnscriptedCall extends Error {
  override readonly name = "UnscriptedCall";
}

export function fakeSystem(script: readonly Step[]): FakeSystem {
  let at = 0;
  const answer = (call: string, args: readonly unknown[]): unknown => {
    const step = script[at];
    const shown = `${call}(${args.map(show).join(", ")})`;
    if (step === undefined) throw new UnscriptedCall(`calling ${shown} failed: the script ended after ${at} calls`);
    if (step.call !== call) throw new UnscriptedCall(`calling ${shown} failed: step ${at + 1} of the script is ${step.call}`);
    if (step.args !== undefined && !isDeepStrictEqual([...step.args], args))
      throw new UnscriptedCall(`calling ${shown} failed: step ${at + 1} of the script is ${step.call}(${step.args.map(show).join(", ")})`);
    at += 1;
    if (step.fails !== undefined) throw new SysError(shown, errno_by_code.get(step.fails) ?? 0, step.fails, "scripted");
    if (step.does === undefined) return step.returns;
    const result: unknown = Reflect.apply(step.does, undefined, args);
    return step.returns ?? result;
  };
  const family = <F extends Family>(name: F): System[F] =>
    new Proxy({} as System[F], {
      get: (_target, call) => (typeof call === "string" ? (...args: unknown[]) => answer(`${name}.${call}`, args) : undefined),
    });
  return {
    process: family("process"),
    power: family("power"),
    mount: family("mount"),
    clock: family("clock"),
    entropy: family("entropy"),
    host: family("host"),
    device: family("device"),
    descriptor: family("descriptor"),
    datagram: family("datagram"),
    file: family("file"),
    inotify: family("inotify"),
    netlink: family("netlink"),
    done() {
      const next = script[at];
      if (next !== undefined) throw new Error(`ending the script failed: step ${at + 1} of ${script.length}, ${next.call}, did not come`);
    },
  };
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "function") return "a callback";
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
}
