/** A whole broker in a folder, for tests: everything is real but who is allowed to do what, where a test says so. */

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { linuxSystem } from "../../sys/linux.ts";
import { type BrokerOptions, type OpenBroker, openBroker } from "../broker.ts";
import { allTools } from "../catalog/index.ts";
import { brokerClock } from "../clock.ts";
import type { Places } from "../context.ts";
import { checkoutPrograms } from "../exec/testing/programs.ts";
import { Agents } from "../policy/agents.ts";
import type { Question, Verdict } from "../policy/authorise.ts";
import { Grants } from "../policy/grants.ts";
import { permissionPart } from "../policy/permission.ts";
import { permission_schema } from "../policy/permission-schema.ts";
import { resourceEntity } from "../policy/question.ts";
import { Registry } from "../registry.ts";
import { checkout_aios } from "./context.ts";
import { neighboursOf } from "./neighbours.ts";

/** As the image build leaves it; without it only what needs no package fails. */
export const built_userland = {
  pin: join(import.meta.dir, "../../build/userland.json"),
  file: join(import.meta.dir, "../../build/userland.erofs"),
};

export function placesIn(folder: string): Places {
  const data = join(folder, "data");
  // the models of a world: its image has none, unless a case gives it some
  const models = { catalogue: join(folder, "image/catalogue.yaml"), image: join(folder, "image") };
  const run = join(folder, "run");
  return { run, data, broker: join(data, "broker"), cgroup: null, userland: built_userland, models, aios: checkout_aios };
}

/** Everyone may do everything, nobody anything, or everything after a person's approval. */
function always(current: () => string): BrokerOptions["permission"] {
  const decide = (question: Question): Verdict => {
    const effect = effectOf(current());
    // what policies could not be asked about is a fault of the tool
    for (const resource of question.resources) resourceEntity(resource);
    return {
      effect: effect === "approval" && question.context.approved ? "allow" : effect,
      policies: ["test"],
      reason: effect === "allow" ? "" : `this test ${effect === "deny" ? "allows nothing" : "asks for approval"}`,
      uses_grants: [],
    };
  };
  const mayApprove = (question: Question): Verdict => decide({ ...question, context: { ...question.context, approved: true } });
  return {
    schema: permission_schema,
    open: async (db) => {
      const grants = new Grants(db, Date.now());
      const agents = new Agents(db, grants, Date.now());
      return {
        authority: { decide, mayApprove },
        degradation: null,
        warm: () => {},
        stores: { grants, agents },
        agents: () => agents.list(),
        grants: (all) => grants.list(all),
        policies: () => [],
        spend: (ids) => grants.spend(ids, Date.now()),
      };
    },
  };
}

function effectOf(name: string): Verdict["effect"] {
  if (name === "allow" || name === "deny" || name === "approval") return name;
  throw new Error(`choosing the authority "${name}" failed: allow, deny, approval or policies`);
}

/**
 * @param name `policies`: the real ones, with the folders of the test in the place of the system's
 * @param current asked at each call instead of `name`, unless that is `policies`
 */
export function authorityFor(name: string, places?: Places, current = (): string => name): BrokerOptions["permission"] {
  if (name === "policies") return permissionPart({ ...(places && { places: { run: places.run, data: places.data } }) });
  effectOf(name);
  return always(current);
}

/** One boot id a folder: a broker that is started again is the same boot's. */
function bootOf(folder: string): string {
  const file = join(folder, "boot-id");
  if (!existsSync(file)) writeFileSync(file, randomBytes(4).toString("hex"));
  return readFileSync(file, "utf8");
}

export async function openTestBroker(
  folder: string,
  options: { readonly authority: BrokerOptions["permission"] } & Pick<BrokerOptions, "onStep" | "wrapSys" | "wrapExec" | "onOutcome"> &
    Partial<Pick<BrokerOptions, "tools" | "clock" | "restorers" | "remembers" | "chooses" | "neighbours" | "tpm" | "giveUp">>,
): Promise<OpenBroker> {
  const places = placesIn(folder);
  mkdirSync(places.run, { recursive: true });
  mkdirSync(places.data, { recursive: true });
  const sys = linuxSystem();
  const { authority, ...rest } = options;
  return await openBroker({
    places,
    boot: bootOf(folder),
    mode: "container",
    sys,
    programs: checkoutPrograms(),
    clock: brokerClock(sys),
    kmsg: null,
    tpm: null,
    permission: authority,
    tools: async (parts) => Registry.of(await allTools(parts)),
    restorers: [],
    remembers: false,
    chooses: false,
    neighbours: () => neighboursOf(join(folder, "pid1.json")),
    log: (text) => process.stderr.write(`broker: ${text}\n`),
    giveUp: (why) => {
      process.stderr.write(`broker: giving up: ${why}\n`);
      process.exit(70);
    },
    ...rest,
  });
}
