/** process.priority and process.limits */

import { afterAll, expect, test } from "bun:test";
import { readStat } from "../../../sys/procfs.ts";
import { callTool, testPlaces } from "../../testing/context.ts";
import { processLimits } from "./limits.ts";
import { processPriority } from "./priority.ts";
import { refusal, sleeper } from "./testing/sleeper.ts";

const places = testPlaces();
afterAll(() => places.remove());
const { sys } = places;
const priority = (input: object, hooks = {}) => callTool(processPriority, input, places.context(), hooks);
const limits = (input: object) => callTool(processLimits, input, places.context());

test("nice value and I/O priority of all threads, and back", async () => {
  const many = await sleeper([process.execPath, "-e", "setInterval(() => {}, 1000)"]);
  const state = () => ({ nice: readStat(many.pid)?.nice, io: sys.process.ioPriority(many.pid) });
  const before = state();
  const made = await priority({ process: many.pid, nice: 9, io_class: "best-effort", io_level: 6 });
  expect(state()).toEqual({ nice: 9, io: { class: "best-effort", level: 6 } });
  expect(made.output.threads).toBeGreaterThan(1);
  await made.undo();
  expect(state()).toEqual(before);
  await made.undo();
  const half = await priority({ process: many.pid, nice: 5 }, { before_run: () => sys.process.setNice(many.pid, 5) });
  await half.undo();
  expect(state()).toEqual(before);
  await many.end();
  await half.undo(); // it has ended: nothing to bring back
});

test("limits, and back; a hard one only where it can be raised again", async () => {
  const one = await sleeper();
  const before = sys.process.limit(one.pid, "nofile");
  const made = await limits({ process: one.pid, rlimits: [{ resource: "nofile", soft: 32, hard: before.hard }] });
  expect(sys.process.limit(one.pid, "nofile")).toEqual({ soft: 32, hard: before.hard });
  await made.undo();
  expect(sys.process.limit(one.pid, "nofile")).toEqual(before);
  await made.undo();
  const lower = limits({ process: one.pid, rlimits: [{ resource: "nofile", soft: 32, hard: 64 }] });
  const refused = await refusal(async () => await (await lower).undo());
  if (refused !== "it did not fail") expect(refused).toContain("it could not be raised again, for the broker has no CAP_SYS_RESOURCE");
  expect(sys.process.limit(one.pid, "nofile")).toEqual(before);
  await one.end();
});

test("bad input is refused with its cause and without effect", async () => {
  const one = await sleeper();
  const before = readStat(one.pid)?.nice ?? Number.NaN;
  expect(await refusal(() => priority({ process: one.pid }))).toContain("nothing to change is given");
  expect(await refusal(() => limits({ process: one.pid }))).toContain("nothing to change is given");
  expect(await refusal(() => limits({ process: one.pid, rlimits: [{ resource: "nofile", soft: 5, hard: 4 }] }))).toContain(
    "is above the hard one",
  );
  expect(await refusal(() => priority({ process: one.pid, cpu_weight: 50 }))).toContain('it is in none below "work"');
  expect(await refusal(() => limits({ process: one.pid, pids_max: 50 }))).toContain('it is in none below "work"');
  expect(readStat(one.pid)?.nice).toBe(before);
  for (const input of [{ nice: 20 }, { nice: 1.5 }, { io_class: "realtime" }, { cpu_weight: 0 }])
    expect(processPriority.input.safeParse({ process: one.pid, ...input }).success).toBe(false);
  await one.end();
});
