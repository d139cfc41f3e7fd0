/** What a call touches, whether the policies allow it, and the locks that keep others away meanwhile. */

import type { Resource, Risk } from "../../contracts/tool.ts";
import type { Question, Verdict } from "../policy/authorise.ts";
import { type Target, ToolError } from "../tool.ts";
import type { Admitted, Attempt } from "./attempt.ts";
import { look } from "./bounded.ts";
import { digestOf } from "./entries.ts";
import { type CallPorts, contextOf, type Ended, resolve_limit_ms, step } from "./ports.ts";

const own_undo: Verdict = { effect: "allow", policies: ["undo of one's own call"], reason: "", uses_grants: [] };

export class Admission {
  readonly #ports: CallPorts;

  constructor(ports: CallPorts) {
    this.#ports = ports;
  }

  /** Resolves, takes the locks, asks the policies. What was resolved before a wait is resolved again after it. */
  async admit(
    attempt: Attempt,
  ): Promise<Admitted | (Ended & { readonly resources: readonly Resource[]; readonly policies: readonly string[] })> {
    const { tool, input, abort, request } = attempt;
    for (let round = 1; ; round += 1) {
      const target = await this.#resolved(attempt);
      let unlock: () => void = () => {};
      const release = (): void => {
        target.close?.();
        unlock();
      };
      try {
        const resources = [...target.resources];
        const risk = tool.riskOf?.(input, target) ?? tool.risk;
        attempt.risk = risk;
        if (!abort.signal.aborted) step(this.#ports, "resolve", attempt);
        // Whoever was allowed to change something may change it back.
        const own = request.undoes?.own === true;
        const verdict = own ? own_undo : this.#judged(attempt, resources, risk);
        if (verdict.effect === "deny") {
          release();
          return { status: "refused", text: verdict.reason, resources, policies: verdict.policies };
        }
        step(this.#ports, "authorise", attempt);
        const waits = verdict.effect === "approval" || request.meta.dry_run;
        if (waits || risk === "observe") return { target, resources, risk, verdict, release };
        const lock = await this.#ports.locks.take(resources, abort.signal);
        unlock = lock.release;
        if (!lock.waited) return { target, resources, risk, verdict, release };
        if (round === 3) throw new ToolError(`calling ${tool.name} failed: others keep changing the same things; try again`);
        // What it touches may be another thing now: it is resolved and judged again, with the lock held only if it is the same.
        const again = await this.#resolved(attempt);
        if (digestOf(again.resources) === digestOf(resources)) {
          target.close?.();
          const both = (): void => {
            again.close?.();
            lock.release();
          };
          return { target: again, resources, risk, verdict, release: both };
        }
        again.close?.();
        release();
      } catch (error) {
        release();
        throw error;
      }
    }
  }

  /**
   * By the policies. They see what an undo touches, not what it brings back: what others did (took a right away, say) a tier
   * takes back only when a person has said so.
   */
  #judged(attempt: Attempt, resources: readonly Resource[], risk: Risk): Verdict {
    const { request, approved_by } = attempt;
    const verdict = this.#ports.authority.decide(this.#question(attempt, resources, risk));
    if (request.undoes === null || request.role !== null || approved_by !== null || verdict.effect !== "allow") return verdict;
    const reason = `"${request.undoes.call}" is not a call of ${request.principal}: taking it back needs a person's approval`;
    return { ...verdict, effect: "approval", reason };
  }

  #resolved(attempt: Attempt): Promise<Target> {
    const { tool, input, abort } = attempt;
    return look(`looking at what ${tool.name} touches`, resolve_limit_ms, abort.signal, async (signal) => {
      const target = await tool.resolve(input, contextOf(this.#ports, attempt, signal));
      if (signal.aborted) target.close?.(); // nobody waits for it any more
      return target;
    });
  }

  #question(attempt: Attempt, resources: readonly Resource[], risk: Risk): Question {
    const { request, tool } = attempt;
    return {
      principal: request.principal,
      role: request.role,
      owner: request.owner,
      tool: tool.name,
      risk,
      resources,
      context: {
        tainted: attempt.tainted.length > 0,
        ...this.#ports.limits.used(request.principal, request.owner),
        now_ms: this.#ports.clock.now_ms(),
        approved: attempt.approved_by !== null,
      },
    };
  }
}
