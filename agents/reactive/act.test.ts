import { expect, test } from "bun:test";
import { rpc_error } from "../../contracts/rpc.ts";
import type { ServiceStatus } from "../../contracts/service.ts";
import { RpcError } from "../../wire/peer.ts";
import { status_of_ready } from "../../wire/testing/fake-init.ts";
import { carryOut, type Pid1 } from "./act.ts";

const restart = { do: "restart", service: "memory" } as const;
const no_wait = async (): Promise<void> => {};

function pid1(answer: () => ServiceStatus): Pid1 {
  return { restart: async () => answer(), reclaim: async () => ({ freed_bytes: 12_345_678 }) };
}
const throws = (error: Error): Pid1 =>
  pid1(() => {
    throw error;
  });

test("a restart is done when the service is ready, and failed when it is not", async () => {
  expect(
    await carryOut(
      restart,
      "r",
      pid1(() => status_of_ready),
      no_wait,
    ),
  ).toEqual({ result: "done", detail: "memory is ready after 42 ms" });
  const loop = { ...status_of_ready, state: "crash-loop", reason: "5 exits in 60 s" } as const;
  expect(
    await carryOut(
      restart,
      "r",
      pid1(() => loop),
      no_wait,
    ),
  ).toEqual({ result: "failed", detail: "memory is crash-loop: 5 exits in 60 s" });
});

test("a refusal, a fault and a time-out are outcomes", async () => {
  const refused = throws(new RpcError(rpc_error.not_permitted, "not for you"));
  expect(await carryOut(restart, "r", refused, no_wait)).toEqual({ result: "refused", detail: "not for you" });
  const late = throws(new RpcError(rpc_error.timeout, "no answer within 5 ms"));
  expect(await carryOut(restart, "r", late, no_wait)).toEqual({ result: "failed", detail: "no answer within 5 ms" });
});

test("while the service is on its way down PID 1 is asked again, for a bounded time", async () => {
  let asked = 0;
  const later = pid1(() => {
    asked += 1;
    if (asked < 4) throw new RpcError(rpc_error.conflict, "it is stopping");
    return status_of_ready;
  });
  expect((await carryOut(restart, "r", later, no_wait)).result).toBe("done");
  const never = throws(new RpcError(rpc_error.conflict, "it is stopping"));
  expect(await carryOut(restart, "r", never, no_wait)).toEqual({ result: "failed", detail: "it is stopping" });
});

test("reclaiming says how much was freed", async () => {
  const outcome = await carryOut(
    { do: "reclaim-caches" },
    "r",
    pid1(() => status_of_ready),
    no_wait,
  );
  expect(outcome).toEqual({ result: "done", detail: "12.3 MB freed" });
});
