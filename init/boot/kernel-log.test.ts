import { expect, test } from "bun:test";
import fc from "fast-check";
import { fakeSystem } from "../../sys/fake.ts";
import { kernelRecordTaker, parseOomKill, parseRecord, RecordCutter } from "./kernel-log.ts";
import { testBoot } from "./testing.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("records come out whole, however the reads cut them; what processes wrote is not the kernel's", () => {
  const text =
    "4,10,500,-;usb 1-1: odd\\x0adevice\n SUBSYSTEM=usb\n12,11,600,-;Out of memory: Killed process 1 (init), fake\n6,12,700,-;fine\n";
  for (let cut = 0; cut < text.length; cut++) {
    const cutter = new RecordCutter();
    const records = [...cutter.push(bytes(text.slice(0, cut))), ...cutter.push(bytes(text.slice(cut)))];
    expect(records).toEqual([
      { priority: 4, sequence: 10, at_us: 500, message: "usb 1-1: odd device" },
      { priority: 6, sequence: 12, at_us: 700, message: "fine" },
    ]);
  }
  expect(parseRecord("nonsense")).toBeNull();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => void new RecordCutter().push(noise)));
});

test("an OOM kill is known by the kernel's own words, at the start of its line", () => {
  expect(parseOomKill("Out of memory: Killed process 77 (model) total-vm:1kB, anon-rss:2kB")).toEqual({ pid: 77, name: "model" });
  expect(parseOomKill("Memory cgroup out of memory: Killed process 8 (a) b) total-vm:1kB")).toEqual({ pid: 8, name: "a) b" });
  expect(parseOomKill("device said Out of memory: Killed process 77 (x) total-vm")).toBeNull();
});

test("every record is a line; those of weight are events with untrusted text; a flood is slowed down; none comes twice", () => {
  const boot = testBoot(fakeSystem([]));
  let now = 0;
  const take = kernelRecordTaker(boot, () => now);
  take({ priority: 6, sequence: 1, at_us: 1, message: "quiet" });
  take({ priority: 3, sequence: 2, at_us: 2, message: "ata1: failed" });
  take({ priority: 3, sequence: 2, at_us: 2, message: "ata1: failed" });
  take({ priority: 3, sequence: 3, at_us: 3, message: "Out of memory: Killed process 5 (x) total-vm:1kB" });
  expect(boot.told.kernel_lines).toHaveLength(3);
  expect(boot.told.events).toEqual([
    { kind: "kernel.log", severity: "error", facts: { priority: 3, sequence: 2, at_us: 2 }, untrusted: "ata1: failed" },
    {
      kind: "kernel.oom-kill",
      severity: "error",
      facts: { pid: 5, killed: "x" },
      untrusted: "Out of memory: Killed process 5 (x) total-vm:1kB",
    },
  ]);
  for (let sequence = 4; sequence < 1004; sequence++) take({ priority: 4, sequence, at_us: 0, message: "again" });
  expect(boot.told.events.length).toBeLessThan(60);
  expect(boot.told.kernel_lines).toHaveLength(1003);
  now = 10_000;
  take({ priority: 4, sequence: 2000, at_us: 0, message: "again" });
  expect(boot.told.logs[0]).toContain("kernel lines came too fast");
});
