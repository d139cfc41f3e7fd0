import { expect, test } from "bun:test";
import type { Decision } from "../../contracts/decision.ts";
import type { Event } from "../../contracts/event.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { RpcError } from "../../wire/peer.ts";
import { exited } from "../testing/events.ts";
import { Ledger, type MemoryPort } from "./ledger.ts";

function decision(n: number, result: Decision["outcome"]["result"] = "pending"): Decision {
  return {
    id: `0badcafe-d-reactive-${n}`,
    time_ms: 0,
    boot_ms: 0,
    tier: "reactive",
    trigger: exited("memory"),
    rule: "r",
    based_on: [],
    reason: "because",
    action: { do: "log" },
    took_us: 1,
    outcome: { result, detail: "", after_ms: null },
  };
}

class FakeMemory implements MemoryPort {
  readonly events: Event[] = [];
  readonly decisions: Decision[] = [];
  largest = 0;
  fails: Error | null = null;
  during: (() => void) | null = null;

  async appendEvents(events: Event[]): Promise<void> {
    if (this.fails !== null) throw this.fails;
    this.events.push(...events);
  }
  async appendDecisions(decisions: Decision[]): Promise<void> {
    const during = this.during;
    this.during = null;
    during?.();
    await Bun.sleep(1);
    if (this.fails !== null) throw this.fails;
    this.largest = Math.max(this.largest, JSON.stringify(decisions).length);
    this.decisions.push(...decisions);
  }
}

test("while memory is away the newest wait, the lost are counted, and the last outcome is what is kept", async () => {
  let memory: FakeMemory | null = null;
  const ledger = new Ledger(() => memory);
  for (let n = 0; n < 2100; n += 1) ledger.putDecision(decision(n));
  for (let n = 2000; n < 2100; n += 1) ledger.putDecision(decision(n, "done"));
  ledger.addEvent(exited("memory"));
  expect([ledger.waiting, ledger.dropped]).toEqual([2001, 100]);
  memory = new FakeMemory();
  await ledger.flush();
  expect(ledger.waiting).toBe(0);
  expect(memory.decisions.map((one) => one.id)).toEqual(Array.from({ length: 2000 }, (_, n) => decision(n + 100).id));
  expect(memory.decisions.at(-1)?.outcome.result).toBe("done");
  expect(memory.events).toHaveLength(1);
});

test("an outcome that comes while its decision is being written is written after it", async () => {
  const memory = new FakeMemory();
  const ledger = new Ledger(() => memory);
  ledger.putDecision(decision(1));
  memory.during = () => ledger.putDecision(decision(1, "done"));
  await ledger.flush();
  expect(memory.decisions.map((one) => one.outcome.result)).toEqual(["pending", "done"]);
  expect(ledger.waiting).toBe(0);
});

test("batches stay below a frame", async () => {
  const memory = new FakeMemory();
  const ledger = new Ledger(() => memory);
  for (let n = 0; n < 60; n += 1)
    ledger.putDecision({ ...decision(n), trigger: { ...exited("memory"), untrusted: "\u0001".repeat(4096) } });
  await ledger.flush();
  expect(memory.decisions).toHaveLength(60);
  expect(memory.largest).toBeLessThan(200 * 1024);
});

test("a failed write is tried again by itself; what memory cannot take is counted and let go", async () => {
  const memory = new FakeMemory();
  const ledger = new Ledger(() => memory);
  memory.fails = new RpcError(rpc_error.unavailable, "the disk is full");
  ledger.putDecision(decision(1));
  await ledger.flush();
  expect([ledger.waiting, ledger.dropped]).toEqual([1, 0]);
  memory.fails = null;
  while (ledger.waiting > 0) await Bun.sleep(20);
  memory.fails = new RpcError(rpc_error.invalid_params, "does not fit");
  ledger.putDecision(decision(2));
  await ledger.flush();
  expect([ledger.waiting, ledger.dropped]).toEqual([0, 1]);
});
