/** Processes that run away, by the real process.list and the /proc of a process namespace, so that few others are there. */

import { expect, test } from "bun:test";
import { inNamespaces, rig_source } from "./namespaces.ts";

type Look = readonly { readonly subject: string; readonly value: number; readonly detail: string }[];

interface Seen extends Readonly<Record<"first" | "second" | "third" | "fourth", Look>> {
  readonly pids: Readonly<Record<"own" | "stranger" | "late", number>>;
}

test("who wants a processor is told by its share since the look before; who gives way, waits or belongs to the system is not", async () => {
  const value = await inNamespaces(
    ["--pid", "--fork", "--mount-proc", "--kill-child"],
    `${rig_source}
    const { ProcessPatrol } = await import(room("processes.ts"));
    const busy = "while :; do :; done";
    const run = (...argv) => Bun.spawn(argv, { stdin: "ignore" });
    const [own, stranger, polite] = [run("bash", "-c", busy), run("bash", "-c", busy), run("nice", "-n", "19", "bash", "-c", busy)];
    run("sleep", "600");
    const call = async () => [{ pid: own.pid, service: "web" }];
    const patrol = new ProcessPatrol();
    const asks = realTools(() => rig.context({ init: { call } }));
    const look = async () => (await patrol.look(asks, performance.now())).map(({ figure, subject, value, detail, untrusted }) => ({ figure, subject: subject.replace(/@[0-9]+/, "@T"), value, detail, untrusted }));
    const first = await look();
    for (const end = Date.now() + 700; Date.now() < end; ); // this is PID 1 here, and the broker
    await Bun.sleep(800);
    const second = await look();
    const late = run("bash", "-c", busy);
    stranger.kill("SIGKILL");
    await stranger.exited;
    await Bun.sleep(300);
    const third = await look();
    await Bun.sleep(800);
    const fourth = await look();
    say({ pids: { own: own.pid, stranger: stranger.pid, late: late.pid }, first, second, third, fourth });
    `,
  );
  const { pids, first, second, third, fourth } = value as Seen;
  const subjects = (figures: Look) => figures.map(({ subject }) => subject).sort();
  const [web, stranger, late] = [`pid:${pids.own}@T of web`, `pid:${pids.stranger}@T`, `pid:${pids.late}@T`];
  expect(first).toEqual([]);
  expect(subjects(second)).toEqual([stranger, web].sort());
  for (const one of second) {
    // what it got and what it waited for together are the whole time, however busy the machine is
    expect(one.value).toBeGreaterThan(0.6);
    expect(one.value).toBeLessThan(1.5);
    expect(one).toMatchObject({ figure: "process.cpu_ratio", untrusted: "bash" });
  }
  expect(second.find(({ subject }) => subject === web)?.detail).toMatch(/^of service web, [0-9]+ % of a processor$/);
  expect(second.find(({ subject }) => subject === stranger)?.detail).toStartWith("of no service, ");
  expect(subjects(third)).toEqual([web]);
  expect(subjects(fourth)).toEqual([late, web].sort());
}, 300_000);
