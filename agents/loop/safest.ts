/** What is left, ordered by what it may do instead of by its chance: for a tier that decides because nobody above could be asked. */

import { rpc_error } from "../../contracts/rpc.ts";
import type { Risk } from "../../contracts/tool.ts";
import { RpcError } from "../../wire/peer.ts";
import type { BrokerPeer } from "../shared/ask-tool.ts";
import type { Option } from "./options.ts";

const answer_limit_ms = 30_000;
/** From harmless to what can just be made up for. What is not in it is not tried. */
const safe_risks: readonly Risk[] = ["observe", "reversible", "compensable"];

/**
 * Leaves out what would make a call that nothing takes back, or one that rests on text from outside.
 * @param ranked the likeliest first
 * @returns what can be taken back exactly first, then the gentler one, then the likelier one
 * @throws when the broker is away
 */
export async function safestFirst<T extends { readonly option: Option }>(ranked: readonly T[], broker: () => BrokerPeer): Promise<T[]> {
  const risks = await risksOf(new Set(ranked.flatMap(({ option }) => option.calls.map(({ tool }) => tool))), broker);
  const worst = ({ option: { calls } }: T): number =>
    Math.max(...calls.map(({ tool }) => safe_risks.indexOf(risks.get(tool) ?? "irreversible")));
  const isSafe = ({ option: { calls } }: T): boolean =>
    calls.every(({ tool, tainted = [] }) => tainted.length === 0 && safe_risks.includes(risks.get(tool) ?? "irreversible"));
  return ranked.filter(isSafe).sort((a, b) => worst(a) - worst(b) || a.option.rank - b.option.rank);
}

/** The worst that a call of each can do; a tool that there is not is left out. */
async function risksOf(names: ReadonlySet<string>, broker: () => BrokerPeer): Promise<ReadonlyMap<string, Risk>> {
  const risks = new Map<string, Risk>();
  for (const name of names) {
    try {
      risks.set(name, (await broker().call("tools/get", { name }, answer_limit_ms))._meta.risk);
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== rpc_error.not_found) throw error;
    }
  }
  return risks;
}
