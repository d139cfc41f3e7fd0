/** Incidents of working memory, as a tier works on them. */

import type { JsonObject } from "../../contracts/memory/working/fields.ts";
import type { Covers } from "../../contracts/memory/working/incidents.ts";
import type { WorkItem } from "../../contracts/memory/working/items.ts";
import type { memory_methods, memory_notifications } from "../../contracts/memory.ts";
import type { Thresholds } from "../../contracts/router.ts";
import type { Peer } from "../../wire/peer.ts";
import { allPages } from "../shared/all-pages.ts";
import { type AlarmEvent, matterOf } from "../shared/standing.ts";
import { WorkLease } from "./lease.ts";

export type MemoryPeer = Peer<Record<never, never>, typeof memory_notifications, typeof memory_methods, Record<never, never>>;
export type Incident = Extract<WorkItem, { kind: "incident" }>;

const listed_max = 100;
/** As many as an incident names. */
const events_max = 32;

export class Incidents {
  readonly #memory: () => MemoryPeer;
  readonly #holder: string;

  /** @param memory throws while memory is away @param holder names this process, not the tier: after a restart it is another one */
  constructor(memory: () => MemoryPeer, holder: string) {
    this.#memory = memory;
    this.#holder = holder;
  }

  /** Those that are open, oldest first. */
  async open(): Promise<Incident[]> {
    const page = (before: string | undefined) =>
      this.#memory().call("work.list", { kinds: ["incident"], ended: false, limit: listed_max, before });
    return (await allPages(page)).filter((item): item is Incident => item.kind === "incident").reverse();
  }

  /**
   * For how long an alarm that still stands after its incident has ended is left alone: what was handed to a person may be done
   * later, unless somebody or a policy has refused it. A wall clock that was wrong then, or is now, makes it no longer than it is from the
   * end of an incident. @returns milliseconds from now; null: no incident about this very alarm has ended
   */
  async restsFor(event: AlarmEvent, { after_ms, most_ms }: Thresholds["again"]): Promise<number | null> {
    const { items } = await this.#memory().call("work.list", { kinds: ["incident"], key: matterOf(event), limit: listed_max });
    const own = items.filter((item): item is Incident => item.kind === "incident" && item.body.events.includes(event.id));
    const [newest] = own;
    if (newest === undefined || newest.id !== items[0]?.id || !newest.ended) return null;
    if (newest.state !== "handed-over" || (await this.#wasRefused(newest))) return Number.POSITIVE_INFINITY;
    const times = own.filter(({ state }) => state === "handed-over").length;
    const rest_ms = Math.min(most_ms, after_ms * 2 ** (times - 1));
    return Math.min(rest_ms, Math.max(0, newest.changed_ms + rest_ms - Date.now()));
  }

  async #wasRefused({ body: { decisions } }: Incident): Promise<boolean> {
    if (decisions.length === 0) return false;
    const made = await this.#memory().call("decisions.get", { ids: decisions });
    return made.some(({ outcome }) => outcome.result === "refused");
  }

  /** Opens an incident about the first of some alarms, or adds to the one that is open. @param covers which others belong to it */
  async report([lead, ...others]: readonly [AlarmEvent, ...AlarmEvent[]], covers: Covers | null = null): Promise<void> {
    const { alarm, subject, detail } = lead.facts;
    const more = others.length === 0 ? "" : ` (and ${others.length} more alarms)`;
    const body = {
      key: matterOf(lead),
      summary: `${alarm} of ${subject}: ${detail}${more}`.slice(0, 1000),
      severity: lead.severity,
      service: alarm.startsWith("service-") ? subject.slice(0, 100) : null,
      events: [...others.slice(0, events_max - 1).map(({ id }) => id), lead.id],
      taint: [lead, ...others].some(({ untrusted }) => untrusted !== undefined) ? [`event:${lead.kind}`] : [],
      ...(covers === null ? {} : { covers: { ...covers } }),
    };
    await this.#memory().call("work.change", { changes: [{ do: "incident", body }], why: `alarm ${alarm} stands${more}`.slice(0, 500) });
  }

  /** @returns null while somebody else works on it */
  async take(incident: Incident): Promise<Held | null> {
    const lease = await WorkLease.take(this.#memory, incident.id, this.#holder);
    if (lease === null) return null;
    const held = new Held(this.#memory, incident, lease);
    await held.look();
    return held;
  }
}

/** An incident under the lease of this process. */
export class Held {
  readonly #memory: () => MemoryPeer;
  readonly #lease: WorkLease;
  #item: Incident;

  constructor(memory: () => MemoryPeer, item: Incident, lease: WorkLease) {
    this.#memory = memory;
    this.#item = item;
    this.#lease = lease;
  }

  get item(): Incident {
    return this.#item;
  }

  async look(): Promise<Incident> {
    const { item } = await this.#memory().call("work.get", { id: this.#item.id });
    if (item.kind !== "incident") throw new Error(`looking at "${item.id}" failed: it is a ${item.kind}, no incident`);
    this.#item = item;
    return item;
  }

  async move(to: Incident["state"], why: string, patch: JsonObject = {}): Promise<Incident> {
    const { id, version } = this.#item;
    await this.#lease.change([{ do: "move", id, version, to, patch }], why);
    return await this.look();
  }

  async edit(patch: JsonObject, why: string): Promise<Incident> {
    const { id, version } = this.#item;
    await this.#lease.change([{ do: "edit", id, version, patch }], why);
    return await this.look();
  }

  async release(): Promise<void> {
    await this.#lease.release();
  }
}
