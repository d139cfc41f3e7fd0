/** What the loop of a tier works with. */

import type { Decision } from "../../contracts/decision.ts";
import type { Thresholds } from "../../contracts/router.ts";
import type { Log } from "../../wire/log.ts";
import type { AskTool, BrokerPeer } from "../shared/ask-tool.ts";
import type { Ids } from "../shared/ids.ts";
import type { Standing } from "../shared/standing.ts";
import type { Incident, Incidents, MemoryPeer } from "./incidents.ts";
import type { OptionSource } from "./options.ts";

/** Tries that chances are counted by: as many as fit into one answer of memory (`learning.tries`). */
export const tries_looked_at = 1000;
/** The newest decisions, in which one that the reactive tier makes at the moment is found. */
export const decisions_looked_at = 50;

/** Of every tier that has a loop. */
export interface BasePorts {
  /** Each throws while its server is away. */
  readonly broker: () => BrokerPeer;
  readonly memory: () => MemoryPeer;
  readonly ask: AskTool;
  readonly standing: Standing;
  readonly incidents: Incidents;
  readonly ids: Ids;
  readonly boot_ms: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
  /** As the sensors have it: what is waited for comes so many times sooner. */
  readonly pace?: number;
  readonly log: Log;
}

/** Of a tier that acts. */
export interface LoopPorts extends Omit<BasePorts, "incidents" | "log"> {
  readonly tier: "tactical" | "strategic";
  readonly thresholds: Thresholds;
  /** Who is asked what to do, in this order. */
  readonly sources: readonly OptionSource[];
  /** The tier above, when there is one that runs. */
  readonly above: () => Promise<"strategic" | null>;
  /** Told of what was solved, and by what. */
  readonly learned?: (decision: Decision, incident: Incident) => Promise<void>;
}
