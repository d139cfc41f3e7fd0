/** What the broker says of tools: how risky they are, and which words their schemas list. Asked once each. */

import { rpc_error } from "../../contracts/rpc.ts";
import { RpcError } from "../../wire/peer.ts";
import type { BrokerPeer } from "../shared/ask-tool.ts";
import { type KnownTool, wordsOf } from "./distil.ts";

const answer_limit_ms = 30_000;

export class KnownTools {
  readonly #broker: () => BrokerPeer;
  readonly #known = new Map<string, KnownTool>();

  constructor(broker: () => BrokerPeer) {
    this.#broker = broker;
  }

  /** @throws when the broker is away; a tool that there is not is left out */
  async of(names: Iterable<string>): Promise<ReadonlyMap<string, KnownTool>> {
    for (const name of new Set(names)) {
      if (this.#known.has(name)) continue;
      const broker = this.#broker();
      try {
        const { inputSchema, _meta } = await broker.call("tools/get", { name }, answer_limit_ms);
        this.#known.set(name, { risk: _meta.risk, words: wordsOf(inputSchema) });
      } catch (error) {
        if (!(error instanceof RpcError) || error.code !== rpc_error.not_found) throw error;
      }
    }
    return this.#known;
  }
}
