/**
 * What each service may see. A sandbox is made by bubblewrap after the uid has been dropped, so none of it needs
 * privilege; the read-only root, the empty /run and /tmp, no capabilities, no_new_privs, the seccomp filter and
 * namespaces of its own for IPC, UTS and cgroups are the same for all (`argv.ts`). The lines here are the differences.
 */

import type { DefinedService } from "../../contracts/config.ts";
import { data_dir, run_dir, secrets_inside, secretsFolder } from "../../contracts/paths.ts";
import type { CoreService } from "../../contracts/service.ts";

export interface Profile {
  /** Namespaces that it shares with the system, against the rule. */
  readonly shares: readonly ("pid" | "net")[];
  /** Services on whose socket for this caller it calls. */
  readonly calls: readonly ("init" | "memory" | "broker")[];
  /** Folders below which it may write; made before it starts, its own. */
  readonly writes: readonly string[];
  /** Folders that it sees where they are, to read only; those that are there when it starts. */
  readonly reads: readonly string[];
  /** The device nodes of these virtio-serial ports. */
  readonly ports: readonly string[];
  /** Another root instead of the system's own. */
  readonly root?: string;
  /** It sees what the system is for, to read only. */
  readonly serves?: true;
  /** A folder that it sees under another path, to read only. */
  readonly shows?: readonly [from: string, to: string];
}

const nothing: Profile = { shares: [], calls: ["init"], writes: [], reads: [], ports: [] };

/** The broker makes both before a tier starts: the models that were fetched, and which one each tier is to use. */
const of_models = [`${data_dir}/models`, `${run_dir}/models`] as const;

export const profiles: Readonly<Record<Exclude<CoreService, "broker">, Profile>> = {
  // Serves HTTP in its own folder on /run; asks memory for what happened and broker for its tools; and on a virtual
  // machine its way to the world is a serial port.
  console: { ...nothing, calls: ["init", "memory", "broker"], writes: ["/run/aios/console/http"], ports: ["aios.console"] },
  // The only writer of memory.db; serves its callers in its own folder on /run; calls nobody but PID 1.
  memory: { ...nothing, writes: ["/var/lib/aios/memory", "/run/aios/memory"] },
  // Its sensors read /proc, /sys and pressure of the whole system: the pid namespace and /proc have to be the real ones.
  reactive: { ...nothing, shares: ["pid"], calls: ["init", "memory", "broker"] },
  operational: { ...nothing, calls: ["init", "memory", "broker"], reads: of_models },
  tactical: { ...nothing, calls: ["init", "memory", "broker"], reads: of_models },
  // The one tier with a way out: it calls the models' APIs. It keeps what it spent, and sees the keys that the vault hands it.
  strategic: {
    ...nothing,
    shares: ["net"],
    calls: ["init", "memory", "broker"],
    writes: [`${data_dir}/strategic`],
    shows: [secretsFolder("strategic"), secrets_inside],
  },
  // broker has none: it is root and changes the system, which is what the others must not be able to do.
};

/** An extra program of the config: no sockets of ours, the network only when the config says so. */
export function extraProfile(network: boolean): Profile {
  return { shares: network ? ["net"] : [], calls: [], writes: [], reads: [], ports: [] };
}

/** A service that the broker defined: as an extra program, and what its definition names. */
export function definedProfile(name: string, { network, writes, root, ...handed }: DefinedService): Profile {
  const shows = hasSecrets(handed) ? { shows: [secretsFolder(name), secrets_inside] as const } : {};
  return { ...extraProfile(network), writes, serves: true, ...shows, ...(root === null ? {} : { root }) };
}

/** The broker hands it files. */
export function hasSecrets({ secrets, certificates }: Pick<DefinedService, "secrets" | "certificates">): boolean {
  return secrets.length + certificates.length > 0;
}
