/**
 * Which model a tier has now. The broker says it by a file that appears, changes and goes (`ModelInUse`). When it changes, the
 * model before goes on answering until the new one is loaded. Where there is no memory for both, that is said, with the figures,
 * and the one before stays until the broker takes its choice back or chooses none in between.
 */

import { readFileSync } from "node:fs";
import { ModelInUse, type TierModelFacts } from "../../../contracts/model/catalogue.ts";
import type { ChatAnswer, ChatRequest, ChoiceAnswer, ChoiceRequest } from "../../../contracts/model/chat.ts";
import { ChatError, type ChatOptions, type ChoiceModel } from "../port.ts";
import { LocalModel, type LocalModelOptions, threadWords } from "./local-model.ts";
import { AnswerRecord } from "./record.ts";

const look_ms = 1000;
const none = "no model chosen";

interface TierModelOptions extends Omit<LocalModelOptions, "model" | "onChange"> {
  /** Where the broker says which. */
  readonly file: string;
  /** Why none is loaded whichever it says. */
  readonly off?: string | null;
  readonly look_ms?: number;
}

export class TierModel implements ChoiceModel {
  readonly #options: TierModelOptions;
  readonly #record = new AnswerRecord();
  readonly #timer: ReturnType<typeof setInterval>;
  /** The one that answers, or is to; the one that takes its place when it is loaded. */
  #current: LocalModel | null = null;
  #next: LocalModel | null = null;
  #file_text: string | null = null;
  /** What is wrong with the file itself. */
  #wrong: string | null = null;

  constructor(options: TierModelOptions) {
    this.#options = options;
    this.#wrong = options.off ?? null;
    this.#timer = setInterval(() => this.#look(), options.look_ms ?? look_ms);
    this.#timer.unref();
    this.#look();
  }

  async chat(request: ChatRequest, options?: ChatOptions): Promise<ChatAnswer> {
    return await this.#record.of(this.#answering().chat(request, options));
  }

  async choose(request: ChoiceRequest, options?: Pick<ChatOptions, "signal">): Promise<ChoiceAnswer> {
    return await this.#record.of(this.#answering().choose(request, options));
  }

  /** What health says of it, in words and as facts. */
  health(): { readonly detail: string; readonly facts: TierModelFacts } {
    const loaded = this.#current?.loaded ?? null;
    const error = this.#error().slice(0, 500);
    // whoever chose it waits for an end: that it is being loaded is none
    const model_error = this.#wrong === null && (this.#next ?? this.#current)?.is_loading === true ? "" : error;
    const threads = loaded === null ? "" : `${loaded.on}, ${threadWords(loaded.threads)}`;
    const has = loaded === null ? null : `model "${loaded.model}" (${threads})`;
    const lacks = `no model loaded: ${error === "" ? none : error}`;
    const detail = has === null ? lacks : error === "" ? has : `${has}; not the one that was chosen: ${error}`;
    return { detail, facts: { model: loaded?.model ?? "none", model_error, model_off: this.#options.off != null, ...this.#record.facts } };
  }

  /** The process of the model that answers, for tests that end it. */
  get pid(): number | null {
    return this.#current?.loaded?.pid ?? null;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#next?.stop("the tier is stopping");
    this.#current?.stop("the tier is stopping");
  }

  #answering(): LocalModel {
    const model = this.#current;
    if (model !== null) return model;
    throw new ChatError("absent", `asking a model of this machine failed: ${this.#wrong ?? `${none}; choose one with model.use`}`);
  }

  #error(): string {
    if (this.#wrong !== null) return this.#wrong;
    const waited_for = this.#next ?? this.#current;
    if (waited_for === null || waited_for.loaded !== null) return "";
    return `${waited_for.model.name}: ${waited_for.reason ?? "it is not loaded yet"}`;
  }

  #look(): void {
    const text = textOf(this.#options.file);
    if (text !== this.#file_text) {
      this.#file_text = text;
      this.#chosen(text);
    }
    this.#settle();
  }

  #chosen(text: string | null): void {
    this.#wrong = this.#options.off ?? null;
    this.#drop();
    if (text === null || this.#wrong !== null) {
      this.#current?.stop(none);
      this.#current = null;
      return;
    }
    const model = modelIn(text);
    if (typeof model === "string") {
      this.#wrong = `the file "${this.#options.file}" does not say which model: ${model}`;
      return;
    }
    if (this.#current !== null && JSON.stringify(this.#current.model) === JSON.stringify(model)) return;
    const opened = this.#open(model);
    if (this.#current?.loaded != null) {
      this.#next = opened;
      return;
    }
    this.#current?.stop("another model was chosen");
    this.#current = opened;
    this.#record.clear();
  }

  /** The new one takes over as soon as it is loaded. */
  #settle(): void {
    if (this.#next === null || this.#next.loaded === null) return;
    this.#current?.stop("another model took its place");
    [this.#current, this.#next] = [this.#next, null];
    this.#record.clear();
  }

  #drop(): void {
    this.#next?.stop("another model was chosen");
    this.#next = null;
  }

  #open(model: ModelInUse): LocalModel {
    return new LocalModel({ ...this.#options, model, onChange: () => this.#settle() });
  }
}

/** @returns what is wrong with it, when it is none */
function modelIn(text: string): ModelInUse | string {
  try {
    const read = ModelInUse.safeParse(JSON.parse(text));
    return read.success ? read.data : (read.error.issues[0]?.message ?? "it does not fit");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
