/**
 * Writers for the kill tests: each keeps sending one kind of change over the real socket, and notes each acknowledgement
 * in a file outside of memory's folder before it sends the next one. Afterwards the file says what must be there.
 */

import { appendFileSync, readFileSync } from "node:fs";
import type Sqlite from "better-sqlite3";
import type { CoreService } from "../../../contracts/service.ts";
import type { Parts } from "../../parts.ts";
import { boot, decisionOn, exitedEvent, noteMemory } from "../../testing/records.ts";
import type { MemoryPeer } from "../../testing/service.ts";

export interface Stream {
  readonly name: string;
  readonly caller: CoreService;
  /** Sends the change with this number. @returns what has to be there once it is acknowledged, one line each */
  send(peer: MemoryPeer, number: number): Promise<string[]>;
  /** @returns whether what a line says is there */
  holds(line: string, parts: Parts, db: Sqlite.Database): boolean;
}

/** Milliseconds that an answer may take on a machine with much else to do. */
export const patient_ms = 60_000;
const batch_max = 12;

export const events: Stream = {
  name: "events",
  caller: "reactive",
  async send(peer, number) {
    const sent = Array.from({ length: 1 + (number % batch_max) }, (_, n) => exitedEvent(number * batch_max + n));
    await peer.call("events.append", { events: sent }, patient_ms);
    return sent.map(({ id }) => id);
  },
  holds: (id, { store }) => store.event(id) !== null,
};

/** Each decision is written as pending, and later with its outcome, which then must be the one that is there. */
export const decisions: Stream = {
  name: "decisions",
  caller: "reactive",
  async send(peer, number) {
    const about = Math.floor(number / 2);
    const decision = decisionOn(exitedEvent(about), about, number % 2 === 0 ? "pending" : "done");
    await peer.call("decisions.append", { decisions: [decision] }, patient_ms);
    return [`${decision.id} ${decision.outcome.result}`];
  },
  holds(line, { store }) {
    const [id = "", result] = line.split(" ");
    const found = store.decision(id)?.outcome.result;
    return found === result || (result === "pending" && found === "done");
  },
};

/** Each is appended without an outcome, and later with one; its text and body have to be there whole, hot or cold. */
export const memories: Stream = {
  name: "memories",
  caller: "reactive",
  async send(peer, number) {
    const about = Math.floor(number / 2) * batch_max;
    const outcome = number % 2 === 0 ? "pending" : "worked";
    const sent = Array.from({ length: 1 + (about % 7) }, (_, n) => noteMemory(about + n, outcome));
    await peer.call("append", { memories: sent }, patient_ms);
    return sent.map(({ id }) => `${id} ${outcome}`);
  },
  holds(line, { longterm }) {
    const [id = "", outcome] = line.split(" ");
    const [found] = longterm.recall([id]);
    const meant = noteMemory(Number(id.split("-").at(-1)), null);
    if (found === undefined || found.text !== meant.text || JSON.stringify(found.body) !== JSON.stringify(meant.body)) return false;
    return found.outcome === outcome || (outcome === "pending" && found.outcome === "worked");
  },
};

export const links: Stream = {
  name: "links",
  caller: "broker",
  async send(peer, number) {
    const memory = { ...noteMemory(number, null), id: `${boot}-broker-${number}` };
    const link = { relation: "about", to: `${boot}-broker-${number + 1}` } as const;
    await peer.call("append", { memories: [memory] }, patient_ms);
    await peer.call("link", { from: memory.id, link }, patient_ms);
    return [`${memory.id} ${link.to}`];
  },
  holds(line, _, db) {
    const [from, to] = line.split(" ");
    return db.prepare("SELECT 1 FROM links WHERE from_id = ? AND to_id = ?").get(from, to) !== undefined;
  },
};

export class Ledger {
  readonly #path: string;
  #fresh: string[] = [];

  constructor(path: string) {
    this.#path = path;
    appendFileSync(path, "");
  }

  note(lines: readonly string[]): void {
    this.#fresh.push(...lines);
    appendFileSync(this.#path, lines.map((line) => `${line}\n`).join(""));
  }

  /** What was noted since it was asked for the last time. */
  fresh(): string[] {
    return this.#fresh.splice(0);
  }

  lines(): string[] {
    return readFileSync(this.#path, "utf8").split("\n").slice(0, -1);
  }
}
