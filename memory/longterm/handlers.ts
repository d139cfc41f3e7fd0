/** Long-term memory, as it is asked over the socket. */

import type { longterm_methods } from "../../contracts/memory/longterm.ts";
import type { Memory, Recalled } from "../../contracts/memory/record.ts";
import type { DiskState } from "../../contracts/memory/upkeep.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { type Handlers, RpcError } from "../../wire/peer.ts";
import type { GroupCommit } from "../group-commit.ts";
import type { Keeper } from "../keeper.ts";
import type { Background } from "./background.ts";
import type { Embedder } from "./embedder.ts";
import { fitted } from "./fit.ts";
import { type QueryVector, QueryVectors } from "./query-vector.ts";
import type { Around } from "./timeline.ts";

export interface LongTermServing {
  readonly keeper: Keeper;
  readonly commit: GroupCommit;
  readonly embedder: Embedder;
  readonly background: Background;
  /** The room on its disk. */
  readonly upkeep: { readonly disk: DiskState };
}

const body_bytes_max = 64 * 1024;

export function longtermHandlers({ keeper, commit, embedder, background, upkeep }: LongTermServing): Handlers<typeof longterm_methods> {
  const vectors = new QueryVectors(embedder);
  return {
    async append({ memories }) {
      for (const memory of memories) refuseUnfit(keeper, memory);
      return { written: await written(commit, memories) };
    },
    async search({ query, mode, filter, limit }) {
      const begin_ms = performance.now();
      const made = mode === "words" ? { vector: null, note: null } : await vectors.of(query);
      const question = { query, filter, limit, mode, now_ms: Date.now() };
      const answer = keeper.read(({ longterm }) => longterm.search({ ...question, vector: usable(keeper, made) }));
      const note = notes([answer.note, made.note, mode === "words" ? null : unfinished(keeper, background, made)]);
      return { found: answer.found, mode: answer.mode, note, took_ms: performance.now() - begin_ms };
    },
    recall: ({ ids }) => fitted(keeper.read(({ longterm }) => longterm.recall(ids))),
    timeline(around) {
      const memories = keeper.read(({ longterm }) => longterm.timeline(around));
      if (memories === null) throw unknown(String(around.around));
      const shown = fitted(memories);
      return { memories: shown, note: notes([keeper.parts.longterm.cold_degradation, deletedIn(keeper, around, shown)]) };
    },
    async link({ from, link }) {
      const added = await change(keeper, (longterm) => (longterm.holds(from) ? longterm.link(from, link) : null));
      if (added === null) throw unknown(from);
      return { added };
    },
    async unlink({ from, link }) {
      const removed = await change(keeper, (longterm) => (longterm.holds(from) ? longterm.unlink(from, link) : null));
      if (removed === null) throw unknown(from);
      return { removed };
    },
    trace: ({ id, direction, limit }) => keeper.read(({ longterm }) => longterm.links.trace(id, direction, limit)),
    async pin({ id, pinned }) {
      const was = await change(keeper, (longterm) => longterm.pin(id, pinned));
      if (was === null) throw unknown(id);
      return { was };
    },
    async quarantine({ id, reason, influenced }) {
      const changed = await change(keeper, (longterm) => (longterm.holds(id) ? longterm.links.quarantine(id, reason, influenced) : null));
      if (changed === null) throw unknown(id);
      return { changed };
    },
    async used({ ids, worked }) {
      await change(keeper, (longterm) => longterm.used(ids, worked));
      return {};
    },
    stats: () => ({ ...keeper.read(({ longterm }) => longterm.stats(keeper.bytes())), disk: upkeep.disk }),
  };
}

function refuseUnfit(keeper: Keeper, memory: Memory): void {
  const bytes = Buffer.byteLength(JSON.stringify(memory.body));
  if (bytes > body_bytes_max) {
    const what = `remembering "${memory.id}" failed: its body is ${bytes} bytes, more than ${body_bytes_max}`;
    throw new RpcError(rpc_error.invalid_params, `${what}; put the rest into a file or into memories of their own`);
  }
  const refusal = keeper.read(({ longterm }) => longterm.refusal(memory));
  if (refusal !== null) throw new RpcError(rpc_error.conflict, `remembering "${memory.id}" failed: ${refusal}; give it an id of its own`);
}

async function written(commit: GroupCommit, memories: readonly Memory[]): Promise<number> {
  try {
    return await commit.append({ events: [], decisions: [], memories });
  } catch (error) {
    throw notWritten(error);
  }
}

async function change<T>(keeper: Keeper, work: (longterm: Keeper["parts"]["longterm"]) => T): Promise<T> {
  try {
    return await keeper.share(({ longterm }) => work(longterm));
  } catch (error) {
    throw notWritten(error);
  }
}

function notWritten(error: unknown): RpcError {
  const cause = error instanceof Error ? error.message : String(error);
  return new RpcError(rpc_error.unavailable, `writing to memory failed: ${cause}; keep it and try again`);
}

function unknown(id: string): RpcError {
  return new RpcError(rpc_error.not_found, `looking for the memory "${id}" failed: there is none; search for its id first`);
}

/** Vectors are compared with those of the same model only. */
function usable(keeper: Keeper, { vector }: QueryVector): Float32Array | null {
  const { degradation, model } = keeper.parts.longterm.vectors;
  return degradation === null && model !== null ? vector : null;
}

function unfinished(keeper: Keeper, background: Background, { vector }: QueryVector): string | null {
  const { vectors, cold_degradation } = keeper.parts.longterm;
  if (vectors.degradation !== null) return vectors.degradation;
  const left = vector === null ? 0 : vectors.waitingCount();
  const why = background.trouble === null ? "" : ` (${background.trouble})`;
  return notes([left === 0 ? null : `${left} texts have no vector yet and are found by word only${why}`, cold_degradation]);
}

/** What is missing of a timeline, because a rule said so, or null. */
function deletedIn(keeper: Keeper, { around, before, after }: Around, shown: readonly Recalled[]): string | null {
  const is_before =
    typeof around === "number" ? shown.filter(({ time_ms }) => time_ms < around).length : shown.findIndex(({ id }) => id === around);
  const is_after = shown.length - is_before - (typeof around === "number" ? 0 : 1);
  const ids = shown.map(({ id }) => id);
  const gaps = keeper.read(({ retention }) => retention.gaps(ids, { earlier: is_before >= before, later: is_after >= after }));
  return notes(gaps.map(({ rule, memories }) => `${memories} memories were deleted here by rule ${rule} of retention`));
}

function notes(said: readonly (string | null)[]): string | null {
  const all = [...new Set(said.filter((one) => one !== null))];
  return all.length === 0 ? null : all.join("; ");
}
