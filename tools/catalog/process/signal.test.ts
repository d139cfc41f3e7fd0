/** process.signal and process.kill */

import { afterAll, expect, test } from "bun:test";
import { callTool, takeBack, testPlaces } from "../../testing/context.ts";
import { processKill } from "./kill.ts";
import { processSignal } from "./signal.ts";
import { refusal, sleeper } from "./testing/sleeper.ts";

const places = testPlaces();
afterAll(() => places.remove());
const signal = (input: object) => callTool(processSignal, input, places.context());
const kill = (input: object) => callTool(processKill, input, places.context());

test("STOP freezes and undo lets it go on; CONT the other way round; done twice is done once", async () => {
  const one = await sleeper();
  const stopped = await signal({ process: one.pid, signal: "STOP" });
  expect([one.state(), stopped.output.running]).toEqual(["T", true]);
  const resumed = await signal({ process: one.pid, signal: "CONT" });
  expect(one.state()).not.toBe("T");
  await resumed.undo();
  expect(one.state()).toBe("T");
  await stopped.undo();
  await stopped.undo();
  expect(one.state()).not.toBe("T");
  await one.end();
  await stopped.undo(); // nothing is left to bring back
});

test("TERM ends what does not catch it, is said to be final, and is", async () => {
  const one = await sleeper();
  const context = places.context();
  const input = processSignal.input.parse({ process: one.pid, signal: "TERM" });
  const target = await processSignal.resolve(input, context);
  expect(processSignal.riskOf?.(input, target)).toBe("irreversible");
  expect((await processSignal.preview?.(target, input, context))?.final).toEqual(["what the process does upon it"]);
  target.close?.();
  await signal({ process: one.pid, started_ticks: one.started_ticks, signal: "TERM" });
  expect(await one.ended).toBe("SIGTERM");
  const lasting = await sleeper(["sh", "-c", "trap '' HUP; while :; do sleep 1; done"]);
  const hup = await signal({ process: lasting.pid, signal: "HUP" });
  expect(await refusal(hup.undo)).toContain("cannot be undone");
  await lasting.end();
});

test("kill ends it, whatever it catches, and says what it was", async () => {
  const one = await sleeper(["sh", "-c", "trap '' TERM; while :; do sleep 600; done"]);
  const { output, image } = await kill({ process: one.pid, started_ticks: one.started_ticks });
  expect(output).toMatchObject({ pid: one.pid, name: "sh", service: null });
  expect(await one.ended).toBe("SIGKILL");
  expect(image).toBeNull();
});

test("a pid that belongs to another by now is never hit", async () => {
  const one = await sleeper();
  for (const tool of [kill, (input: object) => signal({ ...input, signal: "TERM" })])
    expect(await refusal(() => tool({ process: one.pid, started_ticks: one.started_ticks - 1 }))).toContain(
      "belongs to another process by now",
    );
  expect(one.state()).toBe("S");
  // it ends between looking and doing: the descriptor means it and nobody else
  const context = places.context();
  const input = processKill.input.parse({ process: one.pid });
  const target = await processKill.resolve(input, context);
  await one.end();
  expect(await refusal(() => processKill.run(target, input, context))).toContain("it has ended by itself");
  target.close?.();
  const freeze = takeBack(
    processSignal,
    { pid: 1, started_ticks: 12345, stopped: true },
    { call: "x", input: processSignal.input.parse({ process: 1, signal: "CONT" }), output: null },
    context,
  );
  await freeze.undo(); // PID 1 did not begin then: it is left alone
});

test("who is protected is an attribute for the policies", async () => {
  const target = await processKill.resolve(processKill.input.parse({ process: 1 }), places.context());
  expect(target.resources).toEqual([
    {
      kind: "process",
      id: "1",
      access: "delete",
      attributes: expect.objectContaining({ core: true, service: "init", kernel: false, spawned_by: "" }),
    },
  ]);
  target.close?.();
  expect(await refusal(() => kill({ process: 1 }))).toContain("the kernel kills neither PID 1");
});

test("bad input: no such process, no such handle, no such signal", async () => {
  expect(await refusal(() => kill({ process: 4_194_304 }))).toContain("there is no process with the pid 4194304");
  expect(await refusal(() => kill({ process: "00000000-call-99" }))).toContain("no program with this handle runs");
  for (const input of [{ process: 0 }, { process: -1 }, { process: 1.5 }, { process: "1; rm" }, { process: 5, signal: "KILL" }, {}])
    expect(
      processSignal.input.safeParse({ signal: "TERM", ...input }).success && processKill.input.safeParse(input).success,
      JSON.stringify(input),
    ).toBe(false);
});
