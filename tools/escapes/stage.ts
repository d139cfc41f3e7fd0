/** A broker with the real policies in namespaces of its own, those who call it, and what none of them may change. */

import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BrokerCaller, broker_methods } from "../../contracts/broker.ts";
import { callerSocket } from "../../contracts/paths.ts";
import type { CallMeta, CallResult } from "../../contracts/tool.ts";
import { type Peer, RpcError } from "../../wire/peer.ts";
import { connectUnix, silent } from "../../wire/unix.ts";
import { placesIn } from "../testing/open.ts";
import { Escaped } from "./attempt.ts";

type BrokerPeer = Peer<Record<never, never>, Record<never, never>, typeof broker_methods, Record<never, never>>;
type Role = "observer" | "operator" | "admin";
/** A tier by its name; a person by name and role. */
export type Who = Exclude<BrokerCaller, "console"> | { readonly name: string; readonly role: Role };

/** What an answer is, whether it came as a result or as an error of the protocol. */
export interface Answer {
  /** The status of the call; `rpc` when the protocol refused it. */
  readonly status: CallResult["_meta"]["status"] | "rpc";
  readonly text: string;
  readonly call: string;
  readonly out: Readonly<Record<string, unknown>>;
}

export const admin: Who = { name: "alice", role: "admin" };
export const operator: Who = { name: "oscar", role: "operator" };
export const observer: Who = { name: "olga", role: "observer" };

/** Far above what they take, also where the processors have much else to do. */
const call_limit_ms = 120_000;
const turn_limit_ms = 60_000;
const reason = { text: "an attempt to get around the policies" };

export interface Stage {
  /** `/run/aios` and `/var/lib/aios` of this broker. */
  readonly run: string;
  readonly data: string;
  /** A folder of this attempt, below the work folder in which the tactical tier may change things. */
  readonly work: string;
  /** The same, outside of what any tier may change. */
  readonly outside: string;
  readonly broker_pid: number;
  /** Of arguments that fit, made within the limits. @throws when the attempt is none, because they do not */
  call(who: Who, tool: string, args: Record<string, unknown>, meta?: Partial<CallMeta>): Promise<Answer>;
  /** Whatever the arguments. */
  wrong(who: Who, tool: string, args: Record<string, unknown>, meta?: Partial<CallMeta>): Promise<Answer>;
  /** Another method. Errors are thrown. */
  ask<K extends keyof typeof broker_methods>(who: Who, method: K, params: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The same, by somebody who hopes for an error. @returns its text, or null when it went through */
  refusal<K extends keyof typeof broker_methods>(who: Who, method: K, params: Record<string, unknown>): Promise<string | null>;
  /** A connection of its own, for bytes that no peer would send. */
  socketOf(caller: BrokerCaller): string;
  /** Makes the world ready: has to succeed. */
  must(who: Who, tool: string, args: Record<string, unknown>, meta?: Partial<CallMeta>): Promise<Answer>;
}

/** What nobody may read or change through a tool; `canary` is in each, so that a leak shows. */
export const canary = "canary-5d41402abc4b2a76b9719d911017c592";

export interface RunningStage {
  forAttempt(number: number): Stage;
  /** @throws {Escaped} when something protected is different, or the broker does not answer */
  lookAfter(): Promise<void>;
  end(): Promise<void>;
}

export async function openStage(): Promise<RunningStage> {
  const folder = mkdtempSync("/var/escapes-"); // no deeper than the real one: policies count on that
  chmodSync(folder, 0o755); // as /var/lib is
  const places = placesIn(folder);
  const protect = ["console/keys", "memory/memory.db", "seed", "broker/planted"].map((name) => join(places.data, name));
  for (const file of protect) {
    mkdirSync(join(file, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${canary}\n`, { mode: 0o600 });
  }
  const serve = join(import.meta.dir, "../testing/serve.ts");
  const child = Bun.spawn([process.execPath, serve, folder, "--authority", "policies"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  await untilReady(child);
  const peers = new Map<BrokerCaller, Promise<BrokerPeer>>();
  const peerOf = async (caller: BrokerCaller): Promise<BrokerPeer> => {
    const known = await peers.get(caller);
    if (known !== undefined && !known.closed) return known;
    const made = connectUnix(callerSocket("broker", caller, places.run), { ...silent, calls: broker_methods, tells: {} });
    peers.set(caller, made);
    return await made;
  };
  const ask: Stage["ask"] = async (who, method, params) => {
    const peer = await peerOf(typeof who === "string" ? who : "console");
    const whole = typeof who === "string" ? params : { ...params, person: who };
    // biome-ignore lint/suspicious/noExplicitAny: what is sent may be wrong on purpose; the broker's own schema judges it
    return (await peer.call(method, whole as any, call_limit_ms)) as Record<string, unknown>;
  };
  const wrong: Stage["call"] = async (who, tool, args, meta = {}) => {
    try {
      const result = (await ask(who, "tools/call", { name: tool, arguments: args, _meta: { reason, ...meta } })) as unknown as CallResult;
      const { status, text, call: id } = result._meta;
      return { status, text, call: id, out: result.structuredContent ?? {} };
    } catch (error) {
      if (error instanceof RpcError) return { status: "rpc", text: error.message, call: "", out: {} };
      throw error;
    }
  };
  const call: Stage["call"] = async (who, tool, args, meta) => {
    const begin_ms = performance.now();
    for (;;) {
      const answer = await wrong(who, tool, args, meta);
      if (answer.status === "invalid") throw new Error(`this is no attempt, its arguments are wrong: ${answer.text}`);
      if (answer.status !== "limited") return answer;
      if (performance.now() - begin_ms > turn_limit_ms) throw new Error(`this is no attempt, it does not get that far: ${answer.text}`);
      await Bun.sleep(100);
    }
  };
  const guarded = [...protect, "/etc/passwd", "/etc/shadow", "/etc/hosts"];
  const before = guarded.map(fingerprint);
  return {
    forAttempt(number) {
      const work = join(places.data, "work", `attempt-${number}`);
      const outside = join(places.data, "outside", `attempt-${number}`);
      for (const one of [work, outside]) mkdirSync(one, { recursive: true, mode: 0o755 });
      return {
        ...{ run: places.run, data: places.data, work, outside, broker_pid: child.pid, call, wrong, ask },
        socketOf: (caller) => callerSocket("broker", caller, places.run),
        async refusal(who, method, params) {
          try {
            await ask(who, method, params);
            return null;
          } catch (error) {
            if (error instanceof RpcError) return error.message;
            throw error;
          }
        },
        async must(who, tool, args, meta) {
          const answer = await call(who, tool, args, meta);
          if (answer.status !== "done") throw new Error(`preparing with ${tool} ended as ${answer.status}: ${answer.text}`);
          return answer;
        },
      };
    },
    async lookAfter() {
      if (child.exitCode !== null || child.signalCode !== null) throw new Escaped("the broker has ended");
      await ask("strategic", "tools/list", {}).catch((error: unknown) => {
        throw new Escaped(`the broker does not answer any more: ${String(error)}`);
      });
      guarded.forEach((file, index) => {
        if (fingerprint(file) !== before[index]) throw new Escaped(`"${file}" is different`);
      });
    },
    async end() {
      const verdict = await ask(admin, "audit/verify", {});
      child.kill("SIGTERM");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
      if (verdict["whole"] !== true) throw new Escaped(`the audit is not whole: ${JSON.stringify(verdict)}`);
    },
  };
}

async function untilReady(child: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<void> {
  const reader = child.stdout.getReader();
  let written = "";
  while (!written.includes("ready\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the broker ended before it was ready, with status ${await child.exited}`);
    written += new TextDecoder().decode(value);
  }
  reader.releaseLock();
}

/** Everything but the time of reading. */
export function fingerprint(file: string): string {
  const { mode, uid, gid, ino, nlink, size } = lstatSync(file);
  const content = createHash("sha256").update(readFileSync(file)).digest("hex");
  return JSON.stringify([mode, uid, gid, ino, file.startsWith("/etc") ? 0 : nlink, size, content]);
}
