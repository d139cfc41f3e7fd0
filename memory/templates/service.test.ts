import { expect, test } from "bun:test";
import type { LogRecord } from "../../contracts/event.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import type { ChildPeer } from "../../wire/testing/fake-init.ts";
import { openDatabase } from "../store/open.ts";
import { diskFolder } from "../testing/folder.ts";
import { LogLines } from "../testing/log-lines.ts";
import { exitedEvent } from "../testing/records.ts";
import { startMemory } from "../testing/service.ts";

const now_ms = Date.now();

function linesInFile(data: string): number {
  const { db } = openDatabase(`${data}/memory`);
  const { lines } = db.prepare<[], { lines: number | null }>("SELECT sum(lines) AS lines FROM templates").get() ?? {};
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  db.close();
  return lines ?? 0;
}

test("lines over the socket: template, typed parameters, what is new; listed, shown, with what happened next", async () => {
  const service = await startMemory(diskFolder("templates-service"));
  const broker = await service.ask("broker");
  const line = (text: string, after_ms: number) => ({ source: "sshd", time_ms: now_ms + after_ms, text });
  const { lines } = await broker.call("templates.ingest", {
    lines: [
      line("Failed password for bob from 203.0.113.9 port 4711 ssh2", 0),
      line("Failed password for eve from 203.0.113.8 port 4712 ssh2", 1000),
      line("Connection closed by 203.0.113.8 port 4712", 2000),
      line("Failed password for bob from 203.0.113.9 port 4711 ssh2", 70_000),
      line("Connection closed by 203.0.113.8 port 4712", 71_000),
      line("Failed password for bob from 203.0.113.9 port 4711 ssh2", 140_000),
    ],
  });
  expect(lines[0]).toEqual({
    template: 1,
    parameters: [
      { kind: "ip", untrusted: "203.0.113.9" },
      { kind: "number", untrusted: "4711" },
    ],
    cut: false,
    new: true,
    burst: false,
  });
  expect(lines[1]).toMatchObject({ template: 1, new: false, parameters: [{ kind: "text", untrusted: "eve" }, {}, {}] });
  const shown = await broker.call("templates.show", { id: 1 });
  expect(shown).toMatchObject({
    shown: "Failed password for <text> from <ip> port <number> ssh2",
    provisional: true,
    lines: 4,
    watched: 2,
    sources: [{ source: "sshd", lines: 4 }],
    followers: [{ follower: "template:2", times: 2, shown: "Connection closed by <ip> port <number>" }],
  });
  expect(shown?.examples[0]?.parameters[0]).toEqual({ kind: "ip", untrusted: "203.0.113.9" });
  const list = await broker.call("templates.list", { filter: { source: "sshd" }, order: "most", limit: 1 });
  expect(list).toMatchObject({ total: 2, templates: [{ id: 1 }] });
  const unusual = await broker.call("templates.rates", { since_ms: now_ms, limit: 10 });
  expect(unusual.map((one) => [one.template.id, one.new])).toEqual([
    [1, true],
    [2, true],
  ]);
  expect(await broker.call("templates.show", { id: 99 })).toBeNull();
  const tactical = await service.ask("tactical");
  const refused = await tactical.call("templates.ingest", { lines: [line("x", 0)] }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: rpc_error.not_permitted });
  await service.kill();
}, 30_000);

test("the largest answer fits into a frame, and says what was left out", async () => {
  const service = await startMemory(diskFolder("templates-large"));
  const broker = await service.ask("broker");
  const text = Array.from({ length: 90 }, (_, n) => n).join(" ");
  const { lines } = await broker.call("templates.ingest", {
    lines: Array.from({ length: 500 }, () => ({ source: "x", time_ms: now_ms, text })),
  });
  expect(lines).toHaveLength(500);
  expect(lines[0]).toMatchObject({ cut: false });
  expect(lines[499]).toMatchObject({ cut: true, template: 1 });
  await service.kill();
}, 30_000);

test("the logs of PID 1 are mined, the events of the system can follow, and health counts", async () => {
  const data = diskFolder("templates-logs");
  const service = await startMemory(data);
  await service.init.until("the subscription", () => service.init.calls.some(({ method }) => method === "logs.unsubscribe"));
  const child = service.init.child as ChildPeer;
  const tell = (seq: number, message: string): void => {
    const record: LogRecord = {
      seq,
      time_ms: 1_700_000_000_000 + seq,
      boot_ms: seq,
      service: "kernel",
      stream: "kernel",
      level: "info",
      message,
    };
    child.tell("log", { subscription: 1, record });
  };
  for (let seq = 1; seq <= 100; seq += 1) tell(seq, `usb 1-${seq}: USB disconnect, device number ${seq}`);
  service.init.emit(exitedEvent(1));
  tell(200_000, "usb 1-1: USB disconnect, device number 1");
  await service.init.until("all lines to be counted", () => service.init.healths.at(-1)?.facts["log_lines"] === 101);
  expect(service.init.healths.at(-1)).toMatchObject({ facts: { log_lines_held: 0, log_lines_dropped: 0 } });
  const broker = await service.ask("broker");
  expect(await broker.call("templates.show", { id: 1 })).toMatchObject({
    lines: 101,
    sources: [{ source: "kernel", lines: 101 }],
    followers: [{ follower: "event:service.exited:console", times: 1 }],
  });
  await service.kill();
  expect(linesInFile(data)).toBe(101);
}, 30_000);

test("killed at random while it mines: every acknowledged line is counted, and ids are what they were", async () => {
  const data = diskFolder("templates-kill");
  const made = new LogLines(8);
  const template_of = new Map<number, number>();
  let acknowledged = 0;
  let sent = 0;
  for (let round = 0; round < 4; round += 1) {
    const service = await startMemory(data);
    const broker = await service.ask("broker");
    const enough = acknowledged + 2000;
    let dying = false;
    for (;;) {
      const batch = made.take(100);
      sent += batch.length;
      try {
        const { lines } = await broker.call("templates.ingest", {
          lines: batch.map(({ source, text }) => ({ source, text, time_ms: now_ms })),
        });
        acknowledged += lines.length;
        for (const [at, { template }] of lines.entries()) {
          const known = batch[at]?.known ?? -1;
          // a template that came in its final form keeps its id for all time
          if (round === 0) template_of.set(known, template);
        }
      } catch {
        break;
      }
      if (dying || acknowledged < enough) continue;
      dying = true;
      setTimeout(() => service.child.kill("SIGKILL"), Math.random() * 50);
    }
    await service.kill();
  }
  const counted = linesInFile(data);
  expect(counted).toBeGreaterThanOrEqual(acknowledged);
  expect(counted).toBeLessThanOrEqual(sent);
  const service = await startMemory(data);
  const broker = await service.ask("broker");
  for (const id of template_of.values()) expect(await broker.call("templates.show", { id })).not.toBeNull();
  await service.kill();
}, 120_000);
