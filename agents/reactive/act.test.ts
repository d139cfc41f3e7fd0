import { expect, test } from "bun:test";
import { rpc_error } from "../../contracts/rpc.ts";
import type { ServiceStatus } from "../../contracts/service.ts";
import { RpcError } from "../../wire/peer.ts";
import { status_of_ready } from "../../wire/testing/fake-init.ts";
import { eventOf, exited } from "../testing/events.ts";
import { carryOut, type Pid1 } from "./act.ts";

const restart = { action: { do: "restart", service: "memory" }, reason: "r", trigger: exited("memory") } as const;
const in_backoff: ServiceStatus = { ...status_of_ready, state: "backoff", pid: null };
const no_wait = async (): Promise<void> => {};

function pid1(answer: () => ServiceStatus): Pid1 {
  const ask = async (): Promise<ServiceStatus> => answer();
  return { status: async () => in_backoff, start: ask, restart: ask, reclaim: async () => ({ freed_bytes: 12_345_678 }) };
}
const throws = (error: Error): Pid1 =>
  pid1(() => {
    throw error;
  });

test("a restart is done when the service is ready, and failed when it is not", async () => {
  expect(
    await carryOut(
      restart,
      pid1(() => status_of_ready),
      no_wait,
    ),
  ).toEqual({ result: "done", detail: "memory is ready after 42 ms" });
  const loop = { ...status_of_ready, state: "crash-loop", reason: "5 exits in 60 s" } as const;
  expect(
    await carryOut(
      restart,
      pid1(() => loop),
      no_wait,
    ),
  ).toEqual({ result: "failed", detail: "memory is crash-loop: 5 exits in 60 s" });
});

test("a refusal, a fault and a time-out are outcomes", async () => {
  const refused = throws(new RpcError(rpc_error.not_permitted, "not for you"));
  expect(await carryOut(restart, refused, no_wait)).toEqual({ result: "refused", detail: "not for you" });
  const late = throws(new RpcError(rpc_error.timeout, "no answer within 5 ms"));
  expect(await carryOut(restart, late, no_wait)).toEqual({ result: "failed", detail: "no answer within 5 ms" });
});

test("while the service is on its way down PID 1 is asked again, for a bounded time", async () => {
  let asked = 0;
  const later = pid1(() => {
    asked += 1;
    if (asked < 4) throw new RpcError(rpc_error.conflict, "it is stopping");
    return status_of_ready;
  });
  expect((await carryOut(restart, later, no_wait)).result).toBe("done");
  const never = throws(new RpcError(rpc_error.conflict, "it is stopping"));
  expect(await carryOut(restart, never, no_wait)).toEqual({ result: "refused", detail: "it is stopping" });
});

test("reclaiming says how much was freed", async () => {
  const outcome = await carryOut(
    { ...restart, action: { do: "reclaim-caches" } },
    pid1(() => status_of_ready),
    no_wait,
  );
  expect(outcome).toEqual({ result: "done", detail: "12.3 MB freed" });
});

test("what waits for its turn is started, not restarted: PID 1 may begin it before it hears that", async () => {
  const port = { ...throws(new Error("what was just started was ended")), start: async () => status_of_ready };
  for (const state of ["backoff", "waiting"] as const) {
    const outcome = await carryOut(restart, { ...port, status: async () => ({ ...in_backoff, state }) }, no_wait);
    expect(outcome).toEqual({ result: "done", detail: "memory is ready after 42 ms" });
  }
});

test("what PID 1 has started meanwhile is not ended again, and waited for", async () => {
  const states: ServiceStatus[] = [
    { ...status_of_ready, state: "starting", pid: 200 },
    { ...status_of_ready, state: "starting", pid: 200 },
    { ...status_of_ready, pid: 200 },
  ];
  const never = throws(new Error("a healthy service was restarted"));
  const outcome = await carryOut(restart, { ...never, status: async () => states.shift() ?? null }, no_wait);
  expect(outcome).toEqual({ result: "done", detail: "memory is ready after 42 ms; PID 1 had started it already" });
});

test("what hangs is restarted although it still runs; what was stopped by request is left stopped", async () => {
  const hangs = { ...pid1(() => status_of_ready), status: async () => ({ ...status_of_ready, pid: 100 }) };
  expect((await carryOut(restart, hangs, no_wait)).detail).toBe("memory is ready after 42 ms");
  const never = throws(new Error("a stopped service was restarted"));
  const stopped = async (): Promise<ServiceStatus> => ({ ...status_of_ready, state: "stopped", pid: null, reason: "stop requested" });
  const outcome = await carryOut(restart, { ...never, status: stopped }, no_wait);
  expect(outcome).toEqual({ result: "refused", detail: "memory was stopped meanwhile: stop requested" });
});

test("what PID 1 holds back after a crash loop stays so", async () => {
  const never = throws(new Error("a service that is held back was restarted"));
  const held = async (): Promise<ServiceStatus> => ({ ...status_of_ready, state: "crash-loop", pid: null, reason: "next try in 300 s" });
  const outcome = await carryOut(restart, { ...never, status: held }, no_wait);
  expect(outcome).toEqual({ result: "refused", detail: "memory keeps ending, and PID 1 holds it back: next try in 300 s" });
});

test("after an event that is about no process, the one that runs begins anew", async () => {
  let restarts = 0;
  const asked = pid1(() => {
    restarts += 1;
    return status_of_ready;
  });
  const trigger = eventOf("clock.lost", { by_ms: -31_536_000_000, service: "chronyd" });
  const chronyd = { action: { do: "restart", service: "chronyd" }, reason: "r", trigger } as const;
  const outcome = await carryOut(chronyd, { ...asked, status: async () => ({ ...status_of_ready, pid: 77 }) }, no_wait);
  expect([restarts, outcome.result]).toEqual([1, "done"]);
});
