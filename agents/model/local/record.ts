/** How the last answers of a tier's model were: in time, and as they were asked for. Too few say nothing. */

import { ChatError } from "../port.ts";

const kept = 20;
const answers_min = 5;

export class AnswerRecord {
  readonly #last: ("good" | "late" | "wrong")[] = [];

  /** Keeps account of one answer. What says nothing about the model (none is loaded, it was called off) does not count. */
  async of<T>(answer: Promise<T>): Promise<T> {
    try {
      const given = await answer;
      this.#take("good");
      return given;
    } catch (error) {
      if (error instanceof ChatError && error.kind === "timeout") this.#take("late");
      if (error instanceof ChatError && error.kind === "nonsense") this.#take("wrong");
      throw error;
    }
  }

  /** Another model begins anew. */
  clear(): void {
    this.#last.splice(0);
  }

  get facts(): { readonly model_late_ratio: number; readonly model_wrong_ratio: number } {
    const share = (which: "late" | "wrong"): number =>
      this.#last.length < answers_min ? 0 : this.#last.filter((one) => one === which).length / this.#last.length;
    return { model_late_ratio: share("late"), model_wrong_ratio: share("wrong") };
  }

  #take(one: "good" | "late" | "wrong"): void {
    this.#last.push(one);
    if (this.#last.length > kept) this.#last.shift();
  }
}
