/** One socket for each caller; what a caller may ask is in the contract. */

import { existsSync } from "node:fs";
import type { working_methods } from "../contracts/memory/working.ts";
import { memory_methods, memory_notifications, memoryPermissions } from "../contracts/memory.ts";
import { callerSocket, callerSocketFolder } from "../contracts/paths.ts";
import { rpc_error } from "../contracts/rpc.ts";
import { core_services } from "../contracts/service.ts";
import { type Handlers, type Peer, RpcError } from "../wire/peer.ts";
import { takeSecretsOut } from "../wire/secrets-in-text.ts";
import { listenUnix, silent } from "../wire/unix.ts";
import { classifierHandlers } from "./classifier/handlers.ts";
import type { Clock } from "./clock.ts";
import type { Batch } from "./group-commit.ts";
import { knowledgeHandlers } from "./knowledge/handlers.ts";
import type { Meaning } from "./knowledge/meaning.ts";
import type { Shipped } from "./knowledge/shipped.ts";
import { learningHandlers } from "./learning/handlers.ts";
import { type LongTermServing, longtermHandlers } from "./longterm/handlers.ts";
import { operationalHandlers } from "./operational/handlers.ts";
import type { Recent } from "./operational/recent.ts";
import { retentionHandlers } from "./retention/handlers.ts";
import { speakingFor } from "./speaks-for.ts";
import { templatesHandlers } from "./templates/handlers.ts";
import type { MineCommit } from "./templates/mine-commit.ts";
import { upkeepHandlers } from "./upkeep/handlers.ts";
import type { Upkeep } from "./upkeep/upkeep.ts";
import { whyOf } from "./why.ts";
import { workingHandlers } from "./working/handlers.ts";

/** What every caller is answered alike. */
type CommonHandlers = Omit<Handlers<typeof memory_methods>, "subscribe" | keyof typeof working_methods>;
type CallerPeer = Peer<typeof memory_methods, Record<never, never>, Record<never, never>, typeof memory_notifications>;

export interface MemoryServer {
  /** Tells those who subscribed. */
  publish(batch: Batch): void;
  /** Callers whose socket could not be made, because their folder is missing. */
  readonly missing: readonly string[];
  close(): void;
}

const socket_mode = 0o660;

export interface Served extends LongTermServing {
  readonly mine: MineCommit;
  readonly recent: Recent;
  readonly clock: Clock;
  readonly shipped: Shipped;
  readonly upkeep: Upkeep;
  readonly meaning: Meaning;
}

export function serveMemory(run: string, served: Served): MemoryServer {
  const subscribers = new Set<CallerPeer>();
  const handlers = memoryHandlers(served);
  const listening: { close(): void }[] = [];
  const missing: string[] = [];
  for (const caller of core_services) {
    const permitted: readonly string[] = memoryPermissions(caller);
    if (permitted.length === 0) continue;
    if (!existsSync(callerSocketFolder("memory", caller, run))) {
      missing.push(caller);
      continue;
    }
    const subscribe = (peer: CallerPeer): Record<string, never> => {
      subscribers.add(peer);
      return {};
    };
    const own = { ...workingHandlers(served.keeper, served.clock, caller), ...speakingFor(caller, handlers) };
    const accept = (peer: () => CallerPeer) => ({
      ...silent,
      serves: { methods: memory_methods, handlers: { ...handlers, ...own, subscribe: () => subscribe(peer()) } },
      calls: {},
      tells: memory_notifications,
      // whatever a caller says, in whatever it says it: a secret is out before anything is done with it
      cleans: takeSecretsOut,
      refuses: (method: string) => (permitted.includes(method) ? null : `"${caller}" may not call "${method}" of memory`),
      onClose: () => void subscribers.delete(peer()),
    });
    listening.push(listenUnix(callerSocket("memory", caller, run), socket_mode, accept));
  }
  return {
    missing,
    publish({ events, decisions }) {
      for (const peer of subscribers) {
        for (const event of events) peer.tell("event", event);
        for (const decision of decisions) peer.tell("decision", decision);
      }
    },
    close: () => listening.forEach((one) => void one.close()),
  };
}

/** What each method does, whoever asks. */
export function memoryHandlers(served: Served): CommonHandlers {
  const { keeper, commit, mine, recent, clock, shipped, meaning, upkeep } = served;
  const append = async (batch: Batch): Promise<{ written: number }> => {
    try {
      return { written: await commit.append(batch) };
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      throw new RpcError(rpc_error.unavailable, `writing to memory failed: ${cause}; keep it and try again`);
    }
  };
  return {
    ...longtermHandlers(served),
    ...operationalHandlers(keeper, recent, clock),
    ...knowledgeHandlers({ keeper, shipped, meaning }),
    ...templatesHandlers(keeper, mine),
    ...learningHandlers(keeper, append),
    ...classifierHandlers(served),
    ...upkeepHandlers(keeper, upkeep),
    ...retentionHandlers(keeper, upkeep),
    "events.append": ({ events }) => append({ events, decisions: [] }),
    "decisions.append": ({ decisions }) => append({ events: [], decisions }),
    "events.list": (filter) => keeper.read(({ store }) => store.newestEvents(filter)),
    "alarms.standing": ({ boot, after }) => keeper.read(({ store }) => store.standingAlarms(boot, after)),
    "decisions.list": ({ limit }) => keeper.read(({ store }) => store.newestDecisions(limit)),
    "decisions.get": ({ ids }) => keeper.read(({ store }) => store.decisionsById(ids)),
    why: ({ id }) => keeper.read((parts) => whyOf(parts, id)),
    counts: () => ({
      events: keeper.store.events,
      decisions: keeper.store.decisions,
      bytes: keeper.bytes(),
      persistent: keeper.persistent,
    }),
  };
}
