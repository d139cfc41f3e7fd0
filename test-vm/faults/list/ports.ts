/** Ports: closed, taken, opened by whoever was not declared. */

import { waitFor } from "../../wait.ts";
import type { Fault } from "../fault.ts";
import type { Served } from "../ground.ts";

export const port_faults: readonly Fault<Served>[] = [
  {
    name: "port-closed",
    family: "network",
    what: "a service runs, but does not listen any more where it was declared to",
    noticed: { alarms: ["declared-port-closed"], subject: "tcp:8080" },
    traces: [/^service\/web$/],
    async inject(ground) {
      await ground.patient("web").tell("mute");
      return async () => (await ground.answerOn(8080)) === "well";
    },
  },
  {
    name: "undeclared-listener-of-service",
    family: "security",
    what: "a service listens on a port that nobody declared",
    noticed: { alarms: ["undeclared-listener"], subject: "tcp:4444" },
    traces: [/^service\/web$/],
    async inject(ground) {
      await ground.patient("web").tell("listen 4444");
      return async () => !(await ground.listeners()).includes("tcp:4444") && (await ground.answerOn(8080)) === "well";
    },
  },
  {
    name: "undeclared-listener-of-stranger",
    family: "security",
    what: "a process that belongs to no service listens on a port",
    noticed: { alarms: ["undeclared-listener"], subject: "tcp:31337" },
    async inject(ground) {
      await ground.stranger({ listen: 31337 });
      return async () => !(await ground.listeners()).includes("tcp:31337");
    },
    clean: (ground) => ground.endStrangers(),
  },
  {
    name: "wrong-listener",
    family: "network",
    what: "a service has taken the port of another one, which was closed for a moment",
    noticed: { alarms: ["wrong-listener", "declared-port-closed"], subject: "tcp:8080" },
    traces: [/^service\/(web|clerk)$/],
    async inject(ground) {
      await ground.patient("web").tell("mute");
      const closed = async (): Promise<boolean> => !(await ground.listeners()).includes("tcp:8080");
      await waitFor("the port to be closed", closed, { limit_ms: 10_000, every_ms: 20 });
      const clerk = await ground.patient("clerk").pid();
      await ground.patient("clerk").tell("listen 8080");
      return async () => {
        const now = await ground.patient("clerk").pid();
        return now !== null && now !== clerk && (await ground.answerOn(8080)) === "well" && (await ground.answerOn(8090)) === "well";
      };
    },
  },
];
