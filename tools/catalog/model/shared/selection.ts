/**
 * Which model a tier uses: kept in the broker's values, and told to the tier by `/run/aios/models/<tier>.json`, which is not
 * there when it uses none. What a person chose is pinned; the rest the system chooses anew when there is reason to.
 */

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ModelInUse, ModelSpeed, ModelTier, TierModelFacts } from "../../../../contracts/model/catalogue.ts";
import { writeDurably } from "../../../../wire/files.ts";
import type { Context, Places, State } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";

export const Selection = z.lazy(() => z.strictObject({ model: ModelInUse.nullable(), pinned: z.boolean() }));
export type Selection = z.infer<typeof Selection>;

const none: Selection = { model: null, pinned: false };
const keyOf = (tier: ModelTier): string => `in-use/${tier}`;

export function selectionOf(tier: ModelTier, state: Pick<State, "get">): Selection {
  const kept = Selection.safeParse(state.get(keyOf(tier)));
  return kept.success ? kept.data : none;
}

/** Durable when it returns; the tier then reads the other file. */
export function select(tier: ModelTier, selection: Selection, { state, places }: Pick<Context, "state" | "places">): void {
  state.put(keyOf(tier), selection);
  publish(tier, selection.model, places);
}

const toldPath = ({ run }: Pick<Places, "run">, tier: ModelTier): string => join(run, "models", `${tier}.json`);

/** Tells the tier, again where it was told before. */
export function publish(tier: ModelTier, model: ModelInUse | null, places: Pick<Places, "run">): void {
  const path = toldPath(places, tier);
  mkdirSync(join(places.run, "models"), { recursive: true, mode: 0o755 });
  if (model === null) rmSync(path, { force: true });
  else writeDurably(path, `${JSON.stringify(model)}\n`);
}

/** What it was told last. */
export function toldOf(tier: ModelTier, places: Pick<Places, "run">): string | null {
  const path = toldPath(places, tier);
  return existsSync(path) ? ModelInUse.parse(JSON.parse(readFileSync(path, "utf8"))).name : null;
}

/** The tiers that use it. */
export function usersOf(name: string, state: Pick<State, "get">): ModelTier[] {
  return ModelTier.options.filter((tier) => selectionOf(tier, state).model?.name === name);
}

/** What a tier says of its model; null: it is not running, or says nothing of it. @throws when PID 1 is away */
export async function reportOf(tier: ModelTier, { init }: Pick<Context, "init">): Promise<TierModelFacts | null> {
  if (init === null) throw new ToolError(`asking how the ${tier} tier is failed: PID 1 is not connected`);
  const status = (await init.call("service.list", {})).find(({ name }) => name === tier);
  if (status === undefined || status.state !== "ready" || status.health === null) return null;
  const facts = TierModelFacts.safeParse(status.health.facts);
  return facts.success ? facts.data : null; // one that loads none says nothing of it
}

const speedKey = (name: string): string => `speed/${name}`;

export function speedOf(name: string, state: Pick<State, "get">): ModelSpeed | null {
  const kept = ModelSpeed.safeParse(state.get(speedKey(name)));
  return kept.success ? kept.data : null;
}

export function keepSpeed(name: string, speed: ModelSpeed | null, state: Pick<State, "put" | "delete">): void {
  if (speed === null) state.delete(speedKey(name));
  else state.put(speedKey(name), speed);
}
