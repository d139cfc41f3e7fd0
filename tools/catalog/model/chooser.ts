/**
 * Gives tiers a model where no person did: the largest that is here, fits into memory and is quick enough (shared/choose.ts). It
 * makes calls like anybody else, as `system`: they are judged, recorded, and undone when a model does not load.
 *
 * Looked at when the broker has started and when a call has changed what there is (`model.pull`, `remove`, `bench`). A model that
 * came is measured first. One that did not load is not tried again before the broker starts anew or its file comes anew; and a
 * tier that says, at any time, that its model does not load any more gets the next.
 */

import { ModelTier } from "../../../contracts/model/catalogue.ts";
import type { CallOutcome } from "../../../contracts/tool.ts";
import type { Context } from "../../context.ts";
import { catalogueOf } from "./shared/catalogue.ts";
import { type Choice, choose } from "./shared/choose.ts";
import { reportOf, selectionOf, speedOf } from "./shared/selection.ts";
import { presentFile, tiersMemory } from "./shared/store.ts";

interface ChooserPorts {
  readonly context: Pick<Context, "places" | "state" | "init">;
  /** Makes a call as the system; never throws. */
  call(tool: string, args: Readonly<Record<string, unknown>>, reason: string): Promise<Pick<CallOutcome, "status" | "text">>;
  readonly log: (text: string) => void;
  readonly memory_bytes?: () => number;
  readonly watch_ms?: number;
}

/** Milliseconds between two looks at whether the tiers have what they are to use. */
const watch_ms = 60_000;

export class ModelChooser {
  readonly #ports: ChooserPorts;
  /** Models that did not load in a tier. */
  readonly #failed = new Set<string>();
  #measures = false;
  #running: Promise<void> | null = null;
  #again = false;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(ports: ChooserPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.look();
    this.#timer = setInterval(() => void this.#watch(), this.#ports.watch_ms ?? watch_ms);
    this.#timer.unref();
  }

  /** What it is doing then goes on. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#again = false;
  }

  /** Ends when it does nothing. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** After each call. */
  heard({ tool, status, principal }: Pick<CallOutcome, "tool" | "status" | "principal">): void {
    if (status !== "done" || (tool !== "model.pull" && tool !== "model.remove" && tool !== "model.bench")) return;
    if (tool === "model.bench" && principal === "system") return; // that was measured by this
    if (tool === "model.pull") {
      this.#measures = true;
      this.#failed.clear();
    }
    this.look();
  }

  /** Never throws; one look at a time. */
  look(): void {
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    this.#running = this.#chooseAll()
      .catch((error: unknown) => this.#ports.log(`choosing models failed: ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => {
        this.#running = null;
        if (!this.#again) return;
        this.#again = false;
        this.look();
      });
  }

  /** What it would choose now. */
  choice(tier: ModelTier): Choice {
    const { context, memory_bytes = tiersMemory } = this.#ports;
    const catalogue = catalogueOf(context);
    const here = catalogue.models.filter((model) => {
      const file = presentFile(model, context.places);
      return file !== null && file.size_bytes === model.size_bytes && model.sha256 !== null && !this.#failed.has(`${tier} ${model.name}`);
    });
    const candidates = here.map((model) => ({ model, speed: speedOf(model.name, context.state) }));
    return choose(tier, catalogue, memory_bytes(), candidates);
  }

  async #chooseAll(): Promise<void> {
    const { call, log } = this.#ports;
    const wanted = this.#measures ? this.#unmeasured() : [];
    this.#measures = false;
    for (const name of wanted) {
      const { status, text } = await call("model.bench", { name }, `"${name}" came: whether it is quick enough is not known yet`);
      if (status !== "done") log(`measuring "${name}" failed: ${text}`);
    }
    for (const tier of ModelTier.options) await this.#chooseFor(tier);
  }

  /** Those that were fetched to think with, and are not known yet. */
  #unmeasured(): string[] {
    const { context } = this.#ports;
    const thinking = catalogueOf(context).models.filter(({ roles }) => roles.some((role) => role !== "embedding"));
    const fetched = thinking.filter((model) => presentFile(model, context.places)?.origin === "fetched");
    return fetched.map(({ name }) => name).filter((name) => speedOf(name, context.state) === null);
  }

  async #chooseFor(tier: ModelTier): Promise<void> {
    const { call, context, log } = this.#ports;
    for (;;) {
      const now = selectionOf(tier, context.state);
      if (now.pinned) return;
      const { name, reason } = this.choice(tier);
      if (name === (now.model?.name ?? null)) return;
      const { status, text } = await call("model.use", { tier, name, pin: false }, reason);
      if (status === "done") return;
      log(`choosing a model for the ${tier} tier: ${text}`);
      if (name === null || status !== "undone") return;
      this.#failed.add(`${tier} ${name}`);
    }
  }

  /** A model that loaded once may not do so any more: its file or the memory is not what it was. */
  async #watch(): Promise<void> {
    const { context, log } = this.#ports;
    try {
      for (const tier of ModelTier.options) {
        const { model, pinned } = selectionOf(tier, context.state);
        if (model === null || pinned) continue;
        const report = await reportOf(tier, context);
        if (report?.model_error.startsWith(`${model.name}: `) !== true) continue;
        log(`the ${tier} tier does not load "${model.name}" any more: ${report.model_error}`);
        this.#failed.add(`${tier} ${model.name}`);
        this.look();
      }
    } catch {
      // PID 1 is away; the next look sees
    }
  }
}
