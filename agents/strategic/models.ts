/**
 * The models of the machine config as one that can be asked: which of them have a key, by which way, at which price; and what
 * health says of them. A key of the vault may come, change and go while the tier runs; it is looked at again before each request.
 */

import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { ChatAnswer, ChatRequest } from "../../contracts/model/chat.ts";
import { ApiKey, type ApiProvider, type StrategicSettings } from "../../contracts/model/provider.ts";
import type { ApiOptions } from "../model/api.ts";
import type { Budget, Left } from "../model/budget/budget.ts";
import { ChatError, type ChatModel, type ChatOptions, type Provider } from "../model/port.ts";
import { priceOf } from "../model/prices.ts";
import { Breaker, type BreakerState } from "../model/reach/breaker.ts";
import { type Member, Reach } from "../model/reach/reach.ts";

export interface ModelsOptions {
  readonly settings: StrategicSettings;
  /** Null: its record cannot be written, and nothing is spent. */
  readonly budget: Budget | null;
  /** Where the vault's secrets are. */
  readonly secrets: string;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  readonly warn: (text: string) => void;
}

interface Place {
  readonly config: ApiProvider;
  key: string | null;
  member: Member | null;
}

export interface ModelsState {
  /** The first that can be asked. */
  readonly provider: string | null;
  readonly model: string | null;
  readonly breaker: BreakerState | null;
  /** How many are left alone for a while, because they fail. */
  readonly failing: number;
  /** How many can be asked, and how many there are. */
  readonly usable: number;
  readonly configured: number;
  readonly offline: boolean;
  readonly left: Left | null;
  /** What is wrong, in words. */
  readonly problems: readonly string[];
}

const defaults = { anthropic: "https://api.anthropic.com", openai: "https://api.openai.com/v1" } as const;
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export class Models implements ChatModel {
  readonly #options: ModelsOptions;
  readonly #places: Place[];

  constructor(options: ModelsOptions) {
    this.#options = options;
    this.#places = options.settings.config.providers.map((config) => ({ config, key: null, member: null }));
  }

  /** To be waited for once, before the first look at its state. */
  async start(): Promise<void> {
    for (const problem of this.#options.settings.problems) this.#options.warn(problem);
    for (const { config } of this.#places)
      if (!priceOf(config.model, config.price).known)
        this.#options.warn(
          `the price of "${config.model}" is not known: it counts as the dearest there is; give it as "price" of the provider`,
        );
    await this.refresh();
  }

  /** Whoever has a key now can be asked; a new key is a new chance for a provider that refused the old one. */
  async refresh(): Promise<void> {
    for (const place of this.#places) {
      const key = this.#keyOf(place.config);
      if (key === place.key && (key === null) === (place.member === null)) continue;
      place.key = key;
      place.member = key === null ? null : await this.#memberOf(place.config, key);
    }
  }

  async chat(request: ChatRequest, options: ChatOptions = {}): Promise<ChatAnswer> {
    await this.refresh();
    const { budget } = this.#options;
    const members = this.#places.flatMap(({ member }) => (member === null ? [] : [member]));
    if (members.length === 0) throw new ChatError("absent", `asking a model failed: ${no_key}`);
    if (budget === null)
      throw new ChatError("budget", "asking a model failed: what is spent cannot be written down; look after the data partition");
    return await new Reach({ members, budget }).chat(request, options);
  }

  state(): ModelsState {
    const usable = this.#places.filter(({ member }) => member !== null);
    const [first] = usable;
    return {
      provider: first?.config.kind ?? null,
      model: first?.config.model ?? null,
      breaker: first?.member?.breaker.state ?? null,
      failing: usable.filter(({ member }) => member !== null && member.breaker.state !== "closed").length,
      usable: usable.length,
      configured: this.#places.length,
      offline: this.#offline(),
      left: this.#options.budget?.left() ?? null,
      problems: [
        ...(usable.length === 0
          ? [no_key]
          : this.#places.filter(({ member }) => member === null).map(({ config }) => `${config.kind} ${config.model} has no key`)),
        ...(this.#options.budget === null ? ["what is spent cannot be written down, so nothing is spent"] : []),
      ],
    };
  }

  /** Whether no network interface has an address, and none of the providers is on this machine. */
  #offline(): boolean {
    const local = this.#places.some(({ config }) => loopback.test(new URL(config.base_url ?? defaults[config.kind]).hostname));
    if (local || this.#places.length === 0) return false;
    return !Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal));
  }

  /** @returns null when it has none; empty when it needs none */
  #keyOf({ key, base_url }: ApiProvider): string | null {
    if (key === undefined) return base_url === undefined ? null : "";
    if ("value" in key) return key.value;
    if ("file" in key) return null; // PID 1 could not read it
    try {
      const read = ApiKey.safeParse(readFileSync(join(this.#options.secrets, key.secret), "utf8").trim());
      return read.success ? read.data : null;
    } catch {
      return null;
    }
  }

  async #memberOf(config: ApiProvider, key: string): Promise<Member> {
    const { kind, model, base_url = defaults[kind], ca = null, price, silence_ms } = config;
    const provider = await open(kind, { model, base_url, key, way: { ca, silence_ms } });
    return { provider, price: priceOf(model, price).price, breaker: new Breaker({ clock: this.#options.clock }) };
  }
}

export const no_key = "no API key configured";

/** An SDK is loaded when it is used: it takes a quarter of a second and 15 MB. */
async function open(kind: ApiProvider["kind"], options: ApiOptions): Promise<Provider> {
  if (kind === "anthropic") return (await import("../model/anthropic/provider.ts")).anthropicProvider(options);
  return (await import("../model/openai/provider.ts")).openaiProvider(options);
}
