/** What a caller may send that no client of ours would, and who it may claim to be. */

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { BrokerCaller } from "../../contracts/broker.ts";
import { frame_bytes_max } from "../../contracts/rpc.ts";
import { type Attempt, demand, same } from "./attempt.ts";
import { admin, observer, type Stage } from "./stage.ts";

const meta = { reason: { text: "an attempt" } };

function frame(body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as string);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(bytes.length);
  return Buffer.concat([header, bytes]);
}

/** Sends bytes as they are. @returns all that came back within a moment, or until the broker closed */
async function sent(
  stage: Stage,
  caller: BrokerCaller,
  bytes: Uint8Array,
  wait_ms = 150,
): Promise<{ readonly text: string; readonly closed: boolean }> {
  const socket = connect(stage.socketOf(caller));
  let text = "";
  let closed = false;
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
  });
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  for (let waited = 0; waited < wait_ms && !closed; waited += 10) await Bun.sleep(10);
  socket.destroy();
  return { text, closed };
}

const request = (params: string, method = "tools/call"): string => `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`;

/** A call of the broker with its text as it is. */
const calls = (tool: string, args: string, more = ""): string =>
  request(`{"name":"${tool}","arguments":${args},"_meta":{"reason":{"text":"x"}}${more}}`);

const outside = (stage: Stage): string[] => [...readdirSync(stage.outside), ...readdirSync(stage.work)].sort();

/** Sends each, and demands that nothing came of it. */
function bytes(name: string, make: (stage: Stage) => readonly (string | Uint8Array)[], by = "whoever reaches a tier's socket"): Attempt {
  return {
    name,
    by,
    async run(stage) {
      const before = outside(stage);
      for (const body of make(stage)) await sent(stage, "tactical", typeof body === "string" ? frame(body) : body);
      same("the folders", outside(stage), before);
    },
  };
}

const write = (path: string): string => JSON.stringify({ path, content: "planted", how: "write" });

export const protocol: readonly Attempt[] = [
  bytes("a frame whose header says more than a frame may have", () => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(frame_bytes_max + 1);
    return [Buffer.from([0xff, 0xff, 0xff, 0xff]), header, Buffer.concat([header, Buffer.alloc(frame_bytes_max + 1, "[")])];
  }),
  bytes("frames that are never finished, and empty ones", () => [Buffer.from([0, 0]), Buffer.from([0, 0, 1, 0, 0x7b]), Buffer.alloc(4000)]),
  bytes("JSON as deep as a frame allows", (stage) => {
    const deep = (open: string, close: string, inner: string, levels: number): string => open.repeat(levels) + inner + close.repeat(levels);
    return [
      deep("[", "]", "1", 120_000),
      deep('{"a":', "}", "1", 40_000),
      calls("fs.write", deep('{"a":', "}", "1", 40_000)),
      calls("fs.write", `{"path":${deep("[", "]", '"x"', 100_000)},"content":"x","how":"write"}`),
      calls(
        "task.schedule",
        `{"name":"deep","tool":"fs.write","reason":"x","schedule":{"at_ms":99999999999999},"arguments":${deep('{"a":', "}", "1", 35_000)}}`,
      ),
      calls(
        "task.schedule",
        `{"name":"deep","tool":"fs.write","reason":"x","schedule":{"at_ms":99999999999999},"arguments":${deep('{"a":', "}", "1", 3000)}}`,
      ),
      calls("fs.write", `{"path":"${stage.outside}/x","content":"x","how":"write","x":${deep("[", "]", "1", 5000)}}`),
    ];
  }),
  bytes("JSON with a hundred thousand members", () => [
    calls("fs.write", `{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":1`).join(",")}}`),
    `[${"0,".repeat(100_000)}0]`,
    `[${Array.from({ length: 2000 }, () => calls("fs.list", '{"path":"/etc"}')).join(",")}]`,
  ]),
  bytes("broken UTF-8, half a surrogate pair, an overlong slash", (stage) => [
    frame(
      Buffer.concat([
        Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"`),
        Buffer.from([0xff, 0xfe, 0xc0, 0xaf]),
        Buffer.from('"}'),
      ]),
    ),
    frame(calls("fs.write", `{"path":"${stage.outside}/\\ud800","content":"x","how":"write"}`)),
    frame(Buffer.concat([Buffer.from(calls("fs.write", write(`${stage.work}/..`)).slice(0, -2)), Buffer.from([0xc0, 0xaf])])),
  ]),
  bytes("members twice: the first harmless, the second not, and the other way round", (stage) => [
    calls("fs.write", `{"path":"${stage.work}/../../outside/twice","path":"${stage.outside}/twice","content":"x","how":"write"}`),
    `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"approvals/list","params":{}}`,
    calls("fs.stat", `{"path":"/etc"}`, `,"name":"fs.write","arguments":${write(`${stage.outside}/twice`)}`),
    calls("fs.write", write(`${stage.outside}/twice`), `,"name":"fs.stat"`),
  ]),
  bytes("__proto__, constructor and toString as members, methods and tools", (stage) => [
    calls("fs.write", `{"__proto__":{"path":"${stage.outside}/x","content":"x","how":"write"}}`),
    calls("fs.write", `{"path":"${stage.outside}/x","content":"x","how":"write","__proto__":{"role":"admin"}}`),
    calls("fs.write", write(`${stage.outside}/x`), `,"__proto__":{"person":{"name":"alice","role":"admin"}}`),
    calls("fs.write", write(`${stage.outside}/x`), `,"constructor":{"prototype":{"person":{"name":"alice","role":"admin"}}}`),
    ...["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"].flatMap((name) => [
      calls(name, "{}"),
      request("{}", name),
      calls(`fs.${name}`, "{}"),
    ]),
  ]),
  {
    name: "__proto__ in what is kept for later",
    by: "tactical",
    async run(stage) {
      await sent(
        stage,
        "tactical",
        frame(
          calls(
            "task.schedule",
            `{"name":"proto","tool":"fs.write","reason":"x","schedule":{"at_ms":99999999999999},"arguments":{"path":"${stage.work}/x","content":"x","how":"write","__proto__":{"role":"admin","principal":"person:alice"}}}`,
          ),
        ),
      );
      const { tasks } = (await stage.must(admin, "task.list", {})).out as { tasks: { name: string; principal?: string }[] };
      for (const task of tasks) demand(`the task is ${JSON.stringify(task)}`, !JSON.stringify(task).includes("person:alice"));
      const answer = await stage.call("tactical", "fs.write", { path: join(stage.outside, "x"), content: "x", how: "write" });
      demand(`the tier may everything now: ${answer.status}`, answer.status !== "done");
    },
  },
  bytes("zero bytes and control characters in every text", (stage) => [
    calls("fs.write", `{"path":"${stage.outside}/x\\u0000y","content":"x","how":"write"}`),
    calls("fs.write\\u0000", write(`${stage.outside}/x`)),
    calls("fs.write\\n", write(`${stage.outside}/x`)),
    request(`{"name":"fs.stat","arguments":{"path":"/etc"},"_meta":{"reason":{"text":"\\u001b]0;taken\\u0007\\u0000"},"key":"\\u0000"}}`),
  ]),
  {
    name: "control characters in reasons and names, to forge lines of the record",
    by: "tactical",
    async run(stage) {
      const forged = '\n{"seq":1,"kind":"permission","principal":"person:alice"}\u001b[2J\r\u0000';
      await stage.call(
        "tactical",
        "fs.write",
        { path: join(stage.work, "a\nb\u001b[2J"), content: "x", how: "write" },
        { reason: { text: forged } as never },
      );
      const { entries } = (await stage.ask(admin, "audit/query", { query: { kind: "permission" } })) as { entries: unknown[] };
      same("entries about permission", entries, []);
      same("the audit is whole", (await stage.ask(admin, "audit/verify", {}))["whole"], true);
    },
  },
  bytes("numbers out of range", (stage) => [
    ...["1e309", "-1", "9007199254740993", "1.5", "-0", "4294967295", "1e21"].map((n) =>
      calls("fs.chown", `{"path":"${stage.work}","uid":${n}}`),
    ),
    ...["1e309", "-1", "99999999999999999999"].flatMap((n) => [
      `{"jsonrpc":"2.0","id":${n},"method":"tools/list","params":{}}`,
      request(`{"target":{"since_ms":${n}}}`, "undo/plan"),
      request(`{"limit":${n}}`, "tools/list"),
    ]),
  ]),
  {
    name: "a tier that says it is a person",
    by: "every tier",
    async run(stage) {
      const path = join(stage.outside, "planted");
      for (const tier of ["reactive", "operational", "tactical", "strategic"] as const) {
        const params = { name: "fs.write", arguments: { path, content: "x", how: "write" }, _meta: meta };
        for (const person of [{ name: "alice", role: "admin" }, { name: "system", role: "admin" }, null])
          await stage.refusal(tier, "tools/call", { ...params, person });
        for (const method of ["undo/run", "calls/get", "calls/cancel"] as const)
          demand(
            method,
            (await stage.refusal(tier, method, {
              target: { since_ms: 0 },
              call: "00000000-call-1",
              reason: method === "undo/run" ? meta.reason : "x",
              person: admin,
            })) !== null,
          );
      }
      demand("it was written", !existsSync(path));
    },
  },
  {
    name: "the console without a person, or with one that is none",
    by: "whoever reaches the console's socket",
    async run(stage) {
      const path = join(stage.outside, "planted");
      const persons = [
        "",
        ',"person":null',
        ',"person":{}',
        ',"person":"alice"',
        ',"person":{"name":"alice"}',
        ',"person":{"name":"alice","role":"root"}',
        ',"person":{"name":"alice","role":["admin"]}',
        ',"person":{"name":"","role":"admin"}',
        ',"person":{"name":"system","role":"system"}',
        ',"person":{"name":"tier:tactical","role":"admin"}',
        ',"person":{"name":"alice\\nadmin","role":"admin"}',
        ',"person":{"name":"alice","role":"admin","principal":"system"}',
        ',"principal":"person:alice"',
      ];
      for (const person of persons) await sent(stage, "console", frame(calls("fs.write", write(path), person)), 60);
      demand("it was written", !existsSync(path));
    },
  },
  {
    name: "people whose names look like tiers, agents or the broker itself",
    by: "an observer",
    async run(stage) {
      const path = join(stage.work, "planted");
      for (const name of ["system", "tactical", "tier.tactical", "agent.x", "admin", "tier-tactical", "root"]) {
        const answer = await stage.call({ name, role: "observer" }, "fs.write", { path, content: "x", how: "write" });
        demand(`${name} ended as ${answer.status}`, answer.status === "refused");
      }
      demand("it was written", !existsSync(path));
    },
  },
  {
    name: "methods that are not the caller's",
    by: "every tier",
    async run(stage) {
      for (const tier of ["reactive", "operational", "tactical", "strategic"] as const)
        for (const [method, params] of [
          ["approvals/list", {}],
          ["approvals/decide", { call: "00000000-call-1", approve: true, reason: "x" }],
          ["grants/list", {}],
          ["policies/list", {}],
          ["audit/verify", {}],
        ] as const)
          demand(`${tier} ${method}`, (await stage.refusal(tier, method, params)) !== null);
    },
  },
  {
    name: "a claim to be somebody else's agent, or one that there is not",
    by: "every tier",
    async run(stage) {
      await stage.must("strategic", "sec.lease", { name: "spied-on", task: "x" });
      const path = join(stage.work, "planted");
      for (const tier of ["reactive", "operational", "tactical"] as const)
        for (const as of ["spied-on", "nobody", "system", "tactical"]) {
          const answer = await stage.call(tier, "fs.write", { path, content: "x", how: "write" }, { as });
          demand(`${tier} as ${as} ended as ${answer.status}`, answer.status === "rpc");
        }
      const answer = await stage.call(admin, "fs.stat", { path: "/" }, { as: "spied-on" });
      demand(`a person as an agent ended as ${answer.status}`, answer.status === "rpc");
      demand("it was written", !existsSync(path));
    },
  },
  {
    name: "a hundred connections, none of which reads or ends",
    by: "whoever reaches a tier's socket",
    async run(stage) {
      const sockets: Socket[] = [];
      for (let count = 0; count < 100; count += 1) {
        const socket = connect(stage.socketOf("reactive"));
        socket.on("error", () => {});
        socket.pause();
        socket.write(frame(request("{}", "tools/list")));
        socket.write(Buffer.from([0, 3, 0, 0, 0x7b]));
        sockets.push(socket);
      }
      await Bun.sleep(200);
      for (const who of ["strategic", "tactical"] as const) await stage.must(who, "fs.stat", { path: "/" });
      for (const socket of sockets) socket.destroy();
      await Bun.sleep(100);
      await stage.must("reactive", "sys.info", {});
    },
  },
  {
    name: "a caller that asks without reading the answers",
    by: "whoever reaches a tier's socket",
    async run(stage) {
      const socket = connect(stage.socketOf("reactive"));
      socket.on("error", () => {});
      socket.pause();
      for (let count = 0; count < 3000; count += 1) socket.write(frame(request("{}", "tools/list")));
      await Bun.sleep(300);
      await stage.must("strategic", "fs.stat", { path: "/" });
      const resident = Number(/VmRSS:\s+(\d+)/.exec(await Bun.file(`/proc/${stage.broker_pid}/status`).text())?.[1]);
      socket.destroy();
      demand(`the broker has grown to ${resident} KiB`, resident < 1_000_000);
    },
  },
  {
    name: "another's running call: its output, its end, its confirmation",
    by: "tactical, operational and an observer",
    async run(stage) {
      const secret = "token-of-another-caller";
      const argv = ["/usr/bin/sh", "-c", `echo ${secret}; exec sleep 3`];
      const running = stage.call(admin, "process.spawn", { argv });
      await Bun.sleep(700);
      const { entries } = (await stage.ask(admin, "audit/query", { query: { tool: "process.spawn", kind: "intent", limit: 1 } })) as {
        entries: { call: string }[];
      };
      const call = entries[0]?.call ?? "";
      for (const tier of ["tactical", "operational"] as const) {
        const { text } = await sent(stage, tier, frame(request(`{"call":"${call}"}`, "calls/follow")), 150);
        demand(`${tier} heard what it writes`, !text.includes(secret));
        demand(`${tier} ended it`, (await stage.refusal(tier, "calls/cancel", { call, reason: "x" })) !== null);
        demand(`${tier} saw it`, (await stage.refusal(tier, "calls/get", { call })) !== null);
      }
      demand("an observer ended it", (await stage.refusal(observer, "calls/cancel", { call, reason: "x" })) !== null);
      demand("an observer confirmed it", (await stage.refusal(observer, "calls/confirm", { call })) !== null);
      const answer = await running;
      demand(`it ended as ${answer.status}: ${JSON.stringify(answer.out)}`, answer.status === "done" && answer.out["status"] === 0);
    },
  },
  {
    name: "another's running call that only looks, before it is on record",
    by: "operational and an observer",
    async run(stage) {
      writeFileSync(join(stage.outside, "watched"), "x");
      const running = stage.call(admin, "fs.watch", { path: stage.outside, duration_ms: 1500 });
      await Bun.sleep(200);
      const { call } = await stage.call(admin, "fs.stat", { path: "/" });
      const [boot, number] = call.split("-call-");
      for (const who of ["operational", observer] as const)
        for (let back = 1; back < 4; back += 1)
          await stage.refusal(who, "calls/cancel", { call: `${boot}-call-${Number(number) - back}`, reason: "x" });
      const answer = await running;
      demand(`it ended as ${answer.status}: ${answer.text}`, answer.status === "done");
    },
  },
];
