/** Something of working memory under the lease of this process: changes under a lease that is over are refused by memory. */

import type { WorkChange, WorkDone } from "../../contracts/memory/working/changes.ts";
import type { MemoryPeer } from "./incidents.ts";

const lease_ms = 60_000;
const renew_every_ms = 20_000;

export class WorkLease {
  readonly #memory: () => MemoryPeer;
  readonly #root: string;
  readonly #fence: number;
  readonly #renewing: ReturnType<typeof setInterval>;

  private constructor(memory: () => MemoryPeer, root: string, fence: number) {
    this.#memory = memory;
    this.#root = root;
    this.#fence = fence;
    // one that is not renewed ends, and memory then refuses the next change
    this.#renewing = setInterval(() => void this.#renew().catch(() => {}), renew_every_ms);
  }

  /** @param holder names the process, not the tier @returns null while somebody else has it */
  static async take(memory: () => MemoryPeer, root: string, holder: string): Promise<WorkLease | null> {
    const { granted, lease } = await memory().call("lease.acquire", { id: root, holder, ttl_ms: lease_ms });
    return granted ? new WorkLease(memory, root, lease.fence) : null;
  }

  /** All of the changes or none. */
  async change(changes: WorkChange[], why: string): Promise<readonly WorkDone[]> {
    const fences = { [this.#root]: this.#fence };
    return (await this.#memory().call("work.change", { changes, why: why.slice(0, 500), fences })).done;
  }

  async release(): Promise<void> {
    clearInterval(this.#renewing);
    await this.#memory().call("lease.release", { id: this.#root, fence: this.#fence });
  }

  async #renew(): Promise<void> {
    await this.#memory().call("lease.renew", { id: this.#root, fence: this.#fence, ttl_ms: lease_ms });
  }
}
