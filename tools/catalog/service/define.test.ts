/** Defining services, and what becomes of them at the next boot. The properties of all tools: ../properties.test.ts */

import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callTool, testPlaces } from "../../testing/context.ts";
import { serviceDefine } from "./define.ts";
import { serviceDisable } from "./disable.ts";
import { serviceList } from "./list.ts";
import { service_restorer } from "./restore.ts";
import { serviceStatus } from "./status.ts";
import { serviceStop } from "./stop.ts";
import { serviceRig } from "./testing/rig.ts";

const places = testPlaces();
afterAll(() => places.remove());

async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "it did not fail";
}

test("PID 1 gets the definition with a uid of its own and its folder; never root, never more", async () => {
  const rig = serviceRig(places);
  const { output } = await callTool(
    serviceDefine,
    { name: "one", argv: ["/bin/sleep", "1"], ports: [{ protocol: "tcp", port: 80 }] },
    rig.context(),
  );
  expect(output).toMatchObject({ created: true, uid: 20_000, status: { state: "ready" } });
  expect(rig.services()["one"]?.definition).toMatchObject({ uid: 20_000, writes: [output.folder], network: false, root: null });
  expect(statSync(output.folder)).toMatchObject({ uid: 20_000, gid: 20_000, mode: 0o40700 });
  const second = await callTool(serviceDefine, { name: "two", argv: ["/bin/sleep", "1"] }, rig.context());
  expect(second.output.uid).toBe(20_001);
  await second.undo();
  const third = await callTool(serviceDefine, { name: "three", argv: ["/bin/sleep", "1"] }, rig.context());
  expect(third.output.uid).toBe(20_002); // a uid is never another name's, for files of it may be left
});

test("one that does not stay up is no service: the error says why, and undo leaves nothing", async () => {
  const rig = serviceRig(places);
  const logs = {
    held: async () => [{ seq: 1, time_ms: 1, boot_ms: 1, service: "bad", stream: "stderr", level: "notice", message: "no port" } as const],
  };
  const error = await refusal(() => callTool(serviceDefine, { name: "bad", argv: ["/bin/false"] }, rig.context({ logs })));
  expect(error).toBe('starting the service "bad" failed: it is backoff; it last wrote "no port"');
});

test("what policies see: the program behind links, the userland, each folder", async () => {
  const rig = serviceRig(places);
  const root = join(places.work, "userland");
  mkdirSync(join(root, "bin"), { recursive: true });
  writeFileSync(join(root, "bin/real"), "#!");
  chmodSync(join(root, "bin/real"), 0o755);
  symlinkSync("/bin/real", join(root, "bin/web")); // as the userland sees it: no way out
  symlinkSync("/../../../../etc/passwd", join(root, "bin/out"));
  const look = async (input: object) =>
    await serviceDefine.resolve(serviceDefine.input.parse({ name: "web", argv: ["/bin/web"], ...input }), rig.context());
  const { resources } = await look({ root, writes: [places.work], network: true });
  expect(resources.find(({ access }) => access === "execute")).toMatchObject({
    kind: "path",
    id: join(root, "bin/real"),
    attributes: { root },
  });
  expect(resources[0]).toMatchObject({
    kind: "service",
    id: "web",
    attributes: { network: true, core: false, defined: false, root, writes: 1 },
  });
  expect(resources.find(({ access, kind }) => kind === "path" && access === "write")?.id).toBe(places.work);
  expect(await refusal(() => look({ root, argv: ["/bin/out"] }))).toContain("there is nothing (ENOENT)");
  const link = join(places.work, "link");
  symlinkSync("/etc", link);
  expect(await refusal(() => look({ argv: ["/bin/sh"], writes: [link] }))).toContain('leads to "/etc"; give that path');
  expect(await refusal(() => look({ name: "console", argv: ["/bin/sh"] }))).toContain("the system has a service of this name");
});

test("at the next boot PID 1 is told of all again; the enabled start, in order; a broker's restart starts nothing that was stopped", async () => {
  const rig = serviceRig(places);
  const define = (name: string, more: object = {}) => callTool(serviceDefine, { name, argv: ["/bin/sleep", "1"], ...more }, rig.context());
  await define("db");
  await define("app", { after: ["db"] });
  await define("off");
  await callTool(serviceDisable, { name: "off" }, rig.context());
  await callTool(serviceStop, { name: "db" }, rig.context());
  await service_restorer.restore(rig.context());
  expect(rig.services()["db"]).toMatchObject({ state: "stopped", starts: 1 });

  const next = serviceRig({ ...places, work: join(places.work, "userland") }); // another boot: PID 1 knows none of them
  await service_restorer.restore(next.context({ state: rig.state }));
  await Bun.sleep(0);
  const { services } = (await callTool(serviceList, { defined: true }, next.context({ state: rig.state }))).output;
  expect(services.map(({ name, state, enabled }) => ({ name, state, enabled }))).toEqual([
    { name: "db", state: "ready", enabled: true },
    { name: "app", state: "ready", enabled: true },
    { name: "off", state: "stopped", enabled: false },
  ]);
  const { output } = await callTool(serviceStatus, { name: "app" }, next.context({ state: rig.state }));
  expect(output.definition).toMatchObject({ argv: ["/bin/sleep", "1"], after: ["db"] });
});

test("without PID 1 nothing is changed, and that is said", async () => {
  const rig = serviceRig(places);
  expect(await refusal(() => callTool(serviceDefine, { name: "x", argv: ["/bin/sh"] }, rig.context({ init: null })))).toContain(
    "PID 1 is not connected",
  );
});
