/**
 * PID 1's part of services, kept in a file of the world: brokers come and go, and what they have defined stays, as it does
 * with the real one (whose own part is tested in init/, and both together in test-vm/scenarios/container/).
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { DefinedService, PackagesConfig } from "../../contracts/config.ts";
import { init_methods } from "../../contracts/init.ts";
import { ModelInUse, ModelTier } from "../../contracts/model/catalogue.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { core_services, type Health, type ServiceStatus } from "../../contracts/service.ts";
import { RpcError } from "../../wire/peer.ts";
import { status_of_ready } from "../../wire/testing/fake-init.ts";

const One = z.strictObject({
  definition: DefinedService.nullable(),
  state: z.enum(["stopped", "ready", "backoff"]),
  /** How often it was started, and with which definition. */
  starts: z.number().int(),
  runs: DefinedService.nullable(),
});
const World = z.record(z.string(), One);
type World = z.infer<typeof World>;

/** Programs with this name in their path fail. */
const failing = /false$/;

function read(path: string): World {
  if (existsSync(path)) return World.parse(JSON.parse(readFileSync(path, "utf8")));
  return Object.fromEntries(core_services.map((name) => [name, { definition: null, state: "ready", starts: 1, runs: null }]));
}

function write(path: string, world: World): void {
  writeFileSync(`${path}.new`, JSON.stringify(world));
  renameSync(`${path}.new`, path);
}

function statusOf(name: string, { state, starts }: z.infer<typeof One>): ServiceStatus {
  return {
    ...status_of_ready,
    name,
    state,
    pid: state === "ready" ? 1000 + starts : null,
    restarts: Math.max(0, starts - 1),
    reason: `it is ${state}`,
  };
}

/** A tier of this world: it loads what it is told to (`run/models`), if that begins as such files do. */
function healthOf(tier: string, folder: string): Health {
  const told = join(folder, "run/models", `${tier}.json`);
  const facts = (model: string, model_error: string): Health => ({
    ...{ status: "ok", detail: "a tier of a test", facts: { model, model_error }, resources: { rss_bytes: 1, cpu_ms: 1, fds: 1 } },
  });
  if (!existsSync(told)) return facts("none", "");
  const { name, path } = ModelInUse.parse(JSON.parse(readFileSync(told, "utf8")));
  const magic = existsSync(path) ? readFileSync(path).subarray(0, 4).toString("latin1") : "";
  return magic === "GGUF" ? facts(name, "") : facts("none", `${name}: it is no GGUF file`);
}

/** What is defined and what runs, for those that observe. */
export function servicesIn(path: string): World {
  return read(path);
}

/** @param path of its file */
export function worldPid1(path: string) {
  const change = (name: string, work: (one: z.infer<typeof One>) => void): ServiceStatus => {
    const world = read(path);
    const one = world[name];
    if (one === undefined) throw new RpcError(rpc_error.not_found, `there is no service "${name}"; service.list names them`);
    work(one);
    write(path, world);
    return statusOf(name, one);
  };
  const run = (one: z.infer<typeof One>): void => {
    one.starts += 1;
    one.runs = one.definition;
    one.state = failing.test(one.definition?.argv[0] ?? "") ? "backoff" : "ready";
  };
  const packages = join(dirname(path), "packages.json");
  const answers: Readonly<Record<string, (params: unknown) => unknown>> = {
    "service.list": () =>
      Object.entries(read(path)).map(([name, one]) => {
        const status = statusOf(name, one);
        return ModelTier.safeParse(name).success && status.state === "ready"
          ? { ...status, health: healthOf(name, dirname(path)) }
          : status;
      }),
    "service.defined": () =>
      Object.entries(read(path)).flatMap(([service, { definition }]) => (definition === null ? [] : [{ service, definition }])),
    "config.packages": () => PackagesConfig.parse(existsSync(packages) ? JSON.parse(readFileSync(packages, "utf8")) : {}),
    "service.define": (params) => {
      const { service, definition } = init_methods["service.define"].params.parse(params);
      const world = read(path);
      const known = world[service];
      if (known !== undefined && known.definition === null) throw new RpcError(rpc_error.conflict, "the system has a service of this name");
      const unknown = definition.after.find((name) => world[name] === undefined);
      if (unknown !== undefined) throw new RpcError(rpc_error.conflict, `it comes after "${unknown}": there is no such service`);
      const one = known ?? { definition, state: "stopped" as const, starts: 0, runs: null };
      world[service] = { ...one, definition };
      write(path, world);
      return statusOf(service, one);
    },
    "service.remove": (params) => {
      const { service } = init_methods["service.remove"].params.parse(params);
      const world = read(path);
      if (world[service]?.definition == null) throw new RpcError(rpc_error.not_found, "no such service was defined");
      if (Object.values(world).some((one) => one.definition?.after.includes(service)))
        throw new RpcError(rpc_error.conflict, "others come after it");
      delete world[service];
      write(path, world);
      return { removed: true };
    },
    "service.start": (params) =>
      change(init_methods["service.start"].params.parse(params).service, (one) => void (one.state === "stopped" && run(one))),
    "service.restart": (params) => change(init_methods["service.restart"].params.parse(params).service, run),
    "service.stop": (params) =>
      change(init_methods["service.stop"].params.parse(params).service, (one) => {
        one.state = "stopped";
        one.runs = null;
      }),
  };
  return {
    knows: (method: string): boolean => Object.hasOwn(answers, method),
    async call(method: string, params: unknown): Promise<unknown> {
      const answer = answers[method];
      if (answer === undefined) throw new RpcError(rpc_error.method_not_found, `this test's PID 1 has no answer to "${method}"`);
      return answer(params);
    },
  };
}
