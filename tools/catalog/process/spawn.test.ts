import { afterAll, describe, expect, test } from "bun:test";
import { chownSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRunning } from "../../../sys/procfs.ts";
import { tools_uid } from "../../exec/exec.ts";
import { testCgroup } from "../../exec/testing/cgroup.ts";
import { execRig } from "../../exec/testing/context.ts";
import { callTool, takeBack, testPlaces } from "../../testing/context.ts";
import { processInfo } from "./info.ts";
import { programsFromBefore } from "./shared/programs.ts";
import { processSpawn } from "./spawn.ts";
import { refusal } from "./testing/sleeper.ts";

const places = testPlaces();
const tree = testCgroup("spawn");
const rig = execRig(places, tree?.path ?? null);
afterAll(async () => {
  places.remove();
  await tree?.remove();
});

const sh = (script: string, more: object = {}) => ({ argv: ["/bin/sh", "-c", script], ...more });
const spawn = (input: object, context = rig.context()) => callTool(processSpawn, input, context);
const until = async (what: string, condition: () => Promise<boolean> | boolean): Promise<void> => {
  for (let round = 0; !(await condition()); round += 1) {
    if (round > 1000) throw new Error(`waiting for ${what} failed`);
    await Bun.sleep(10);
  }
};

describe("a program that ends", () => {
  test("status, output, stdin, variables; nothing of them is a shell's matter", async () => {
    const { output } = await spawn({
      argv: ["/bin/sh", "-c", 'cat; echo "$1 $GREETING" >&2; exit 3', "sh", "$(id); `id` > /tmp/x *"],
      stdin: "given\n",
      env: { GREETING: "hello" },
    });
    expect(output).toMatchObject({ status: 3, signal: null, ended_for: null, handle: null, stdout: "given\n" });
    expect(output.stderr).toBe("$(id); `id` > /tmp/x * hello\n");
    expect(output.cpu_ms).toBeGreaterThan(0);
  });

  test("is killed when its time is over, and its output is bounded, also in JSON", async () => {
    const late = await spawn(sh("echo begun; sleep 100", { timeout_ms: 300 }));
    expect(late.output).toMatchObject({ status: null, signal: "SIGKILL", ended_for: "timeout", stdout: "begun\n" });
    const { output } = await spawn(sh("head -c 1000000 /dev/zero; head -c 100 /dev/urandom >&2"));
    expect(JSON.stringify(output).length).toBeLessThan(70_000);
    expect(output.stdout.length + output.stdout_dropped_bytes).toBe(1_000_000);
  });

  test("what it writes is told to those who follow", async () => {
    const context = rig.context();
    await spawn(sh("echo one; echo two >&2"), context);
    expect(context.outputs.map(({ stream, text }) => `${stream} ${text}`).sort()).toEqual(["stderr two\n", "stdout one\n"]);
  });

  test("sees what it was given, under its own name, and nothing else of the data", async () => {
    const [given, hidden] = [join(places.work, "given"), join(places.work, "hidden")];
    for (const folder of [given, hidden]) {
      mkdirSync(folder);
      writeFileSync(join(folder, "file"), "content");
    }
    const { output } = await spawn(sh(`cat ${given}/file; ls ${hidden}; touch ${given}/new`, { reads: [given] }));
    expect(output.stdout).toBe("content");
    expect(output.stderr).toContain(`${hidden}`);
    expect(output.stderr).toContain("Read-only file system");
    chownSync(given, tools_uid, tools_uid);
    await spawn(sh(`echo more > ${given}/new`, { writes: [given] }));
    expect(readFileSync(join(given, "new"), "utf8")).toBe("more\n");
  });

  test("what is authorised is what it sees, when a folder is swapped for a link after that", async () => {
    const [asked, secret] = [join(places.work, "asked"), join(places.work, "secret")];
    for (const [folder, content] of [
      [asked, "mine"],
      [secret, "secret"],
    ] as const) {
      mkdirSync(folder);
      writeFileSync(join(folder, "file"), content);
    }
    const context = rig.context();
    const input = processSpawn.input.parse(sh(`cat ${asked}/file`, { reads: [asked] }));
    const target = await processSpawn.resolve(input, context);
    renameSync(asked, `${asked}.away`);
    symlinkSync(secret, asked);
    const output = await processSpawn.run(target, input, context);
    target.close?.();
    expect(output.stdout).toBe("mine");
  });
});

test("what policies see: the program behind links, the sandbox, each folder; and the risk that follows", async () => {
  const link = join(places.work, "innocent");
  symlinkSync("/bin/sh", link);
  const context = rig.context();
  const look = async (more: object) => {
    const input = processSpawn.input.parse({ argv: [link], ...more });
    const target = await processSpawn.resolve(input, context);
    target.close?.();
    return { target, risk: processSpawn.riskOf?.(input, target), preview: await processSpawn.preview?.(target, input, context) };
  };
  const { target, risk } = await look({ reads: ["/etc"] });
  const program = target.resources.find(({ kind, access }) => kind === "path" && access === "execute");
  expect(program?.id).toMatch(/^\/(usr\/)?bin\/(da|ba)?sh$/);
  expect(target.resources[0]).toMatchObject({
    kind: "process",
    access: "execute",
    attributes: { sandbox: "closed", network: false, uid: tools_uid },
  });
  expect(target.resources.find(({ id }) => id === "/etc")).toMatchObject({ access: "read", attributes: { recursive: true } });
  expect(risk).toBe("compensable");
  expect((await look({ sandbox: "network" })).risk).toBe("irreversible");
  const writing = await look({ writes: [places.work] });
  expect([writing.risk, writing.preview?.final]).toEqual(["irreversible", [`what it changes in ${places.work}`]]);
});

test("bad input is refused with its cause, and nothing runs", async () => {
  const fails = (input: object) => refusal(() => spawn(input));
  expect(await fails({ argv: ["/no/such/program"] })).toContain("does not exist (ENOENT)");
  expect(await fails({ argv: ["/etc/passwd"] })).toContain('starting "/etc/passwd" failed: it is no executable file');
  expect(await fails({ argv: ["sh"] })).toContain("it is not absolute");
  expect(await fails(sh("true", { env: { LD_PRELOAD: "/x.so" } }))).toContain("it changes what code a program runs");
  expect(await fails(sh("true", { background: true, stdin: "x" }))).toContain("with stdin failed");
  expect(await fails(sh("true", { reads: ["/proc/self/root/etc"] }))).toContain("failed");
  expect(await fails(sh("true", { cwd: "/no/such" }))).toContain("changing directory");
  for (const input of [
    { argv: [] },
    { argv: ["/bin/sh", "a\0b"] },
    sh("true", { sandbox: "none" }),
    sh("true", { uid: 0 }),
    sh("true", { env: { "A=B": "1" } }),
    sh("true", { memory_max_bytes: 1 }),
  ])
    expect(processSpawn.input.safeParse(input).success, JSON.stringify(input)).toBe(false);
});

describe("a program in the background", () => {
  const info = async (handle: string | null) => (await callTool(processInfo, { process: handle }, rig.context())).output;

  test("goes on under its handle, is heard, and undo ends it with all it started", async () => {
    const made = await spawn(sh("echo up; sleep 300 & sleep 300", { background: true }));
    const { handle, pid } = made.output;
    await until("its word", async () => (await info(handle)).program?.stdout === "up\n");
    const seen = await info(handle);
    expect(seen.process).toMatchObject({ pid: pid ?? 0, uid: tools_uid, core: false });
    expect(seen.details).toMatchObject({ capabilities: "0000000000000000", no_new_privs: true, seccomp: true });
    expect(await made.settled()).toBe(true);
    const started = seen.process?.started_ticks ?? 0;
    await made.undo();
    expect(isRunning(pid ?? 0, started)).toBe(false);
    await made.undo();
    expect(await refusal(() => info(handle))).toContain("nothing is known of this handle");
  });

  test("how it ended is known after", async () => {
    const { output } = await spawn(sh("echo out; echo err >&2; exit 5", { background: true }));
    await until("its end", async () => (await info(output.handle)).program?.running === false);
    expect((await info(output.handle)).program).toMatchObject({ status: 5, signal: null, stdout: "out\n", stderr: "err\n" });
  });

  test("a crash between start and record leaves nothing: undo finds it by its call", async () => {
    const context = rig.context();
    const input = processSpawn.input.parse(sh("sleep 300", { background: true }));
    const started = await context.exec.start({ argv: ["/bin/sh", "-c", "sleep 300"], sandbox: {} });
    const later = rig.context();
    const { undo, settled } = takeBack(processSpawn, { handle: context.call }, { call: context.call, input, output: null }, later);
    expect(await settled()).toBe(false);
    await undo();
    await started.ended;
    expect(started.running).toBe(false);
  });

  test("the next broker finds it again, and sweeps away only the others", async () => {
    const { output } = await spawn(sh("echo tick; sleep 300", { background: true }));
    const other = await rig.context().exec.start({ argv: ["/bin/sleep", "300"], sandbox: {} });
    const next = execRig(places, tree?.path ?? null);
    const state = rig.context().state;
    const before = programsFromBefore(state, "00000000");
    expect(before.kept.length).toBe(1);
    await next.execution.sweep(before.kept);
    before.resume(next.context().exec);
    if (tree !== null) await other.ended;
    other.end();
    const look = async () => (await callTool(processInfo, { process: output.handle }, next.context({ state }))).output;
    expect((await look()).program).toMatchObject({ running: true, argv: ["/bin/sh", "-c", expect.stringContaining("tick")] });
    await rig.context().exec.endCall(output.handle ?? "");
  });
});
