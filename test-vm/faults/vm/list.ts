/** What is tried in a machine: faults that only a machine has, and of those of a container one of each kind. */

import { served_controls } from "../controls/served.ts";
import type { Control, Fault } from "../fault.ts";
import type { Served } from "../ground.ts";
import { package_faults } from "../list/packages.ts";
import { port_faults } from "../list/ports.ts";
import { process_faults } from "../list/process.ts";
import { security_faults } from "../list/security.ts";
import { machine_faults } from "./machine.ts";
import type { VmGround } from "./system.ts";

const served: readonly string[] = [
  "memory-leak",
  "runaway-stranger",
  "port-closed",
  "undeclared-listener-of-stranger",
  "passwords-tried",
  "setuid-file",
  "certificate-ends",
  "database-damaged",
];

const package_names: readonly string[] = ["package-update-breaks", "package-vulnerable"];

/** Not `declared-listener`: emulated, the service listens later than a declared port may be closed at the pace. */
const left_alone: readonly string[] = [
  "download-that-ends",
  "short-computation",
  "some-children",
  "log-full-of-errors",
  "one-failed-login",
  "restart-by-a-person",
  "fresh-certificate",
];

/** The same as in a container; emulated it takes as many times longer, so its results have a name of their own. */
function inMachine<T extends { readonly name: string }>(all: readonly T[], names: readonly string[]): T[] {
  return all.filter(({ name }) => names.includes(name)).map((one) => ({ ...one, name: `vm-${one.name}` }));
}

const served_faults: readonly Fault<Served>[] = [...process_faults, ...port_faults, ...security_faults];

export const vm_faults: readonly Fault<VmGround>[] = [
  ...machine_faults,
  ...inMachine(served_faults, served),
  ...inMachine(package_faults, package_names),
];
export const vm_controls: readonly Control<VmGround>[] = inMachine(served_controls, left_alone);
