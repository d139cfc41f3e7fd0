/**
 * Banned addresses: the table `inet aios_bans` of nftables, made whole from what is declared, in one transaction. It is
 * looked into before connections are followed and before the firewall (`net/shared/wall.ts`), so that it needs none, ends
 * what a banned host has open, and stays whatever becomes of the firewall.
 *
 * One set for each prefix length, and a rule that compares the masked source with it: in such sets nothing can overlap, and
 * the kernel lifts each ban by itself when its time is over, also when no broker runs.
 */

import { z } from "zod";
import { Principal } from "../../../../contracts/tool.ts";
import type { Context, State } from "../../../context.ts";
import { maskText, type Network, networkOf } from "../../net/shared/network.ts";
import { dropTable, type Json, readTable, transact } from "../../shared/nft.ts";
import { turns } from "../../shared/turns.ts";

export const Ban = z.lazy(() =>
  z.strictObject({
    /** With its prefix length, as the kernel writes it. */
    network: z.string(),
    why: z.string(),
    by: Principal,
    call: z.string(),
    since_ms: z.number(),
    /** When it ends by itself, milliseconds since 1970; null: never. */
    until_ms: z.number().nullable(),
  }),
);
export type Ban = z.infer<typeof Ban>;

const prefix = "ban/";
const table = "aios_bans";
const chain = "prerouting";
/** NF_IP_PRI_RAW (linux/netfilter_ipv4.h): before connections are followed. */
const priority = -300;

export const bans_max = 1000;

type Ports = Pick<Context, "exec" | "state" | "clock">;

/** What is in force, in the order of the texts. */
export function bansNow({ state, clock }: Pick<Context, "state" | "clock">): Ban[] {
  return state
    .list(prefix)
    .map(({ value }) => Ban.parse(value))
    .filter((ban) => inForce(ban, clock.now_ms()));
}

export function inForce({ until_ms }: Ban, now_ms: number): boolean {
  return until_ms === null || until_ms > now_ms;
}

/** The ban of that very network. */
export function banOf({ state, clock }: Pick<Context, "state" | "clock">, network: string): Ban | null {
  const ban = Ban.nullable().parse(state.get(prefix + network) ?? null);
  return ban !== null && inForce(ban, clock.now_ms()) ? ban : null;
}

/** @param ban null: none */
export function declareBan(state: State, network: string, ban: Ban | null): void {
  if (ban === null) state.delete(prefix + network);
  else state.put(prefix + network, ban);
}

function setName({ bytes, prefix: length }: Network): string {
  return `${bytes.length === 4 ? "ip" : "ip6"}_${length}`;
}

function address(network: Network): string {
  return network.text.slice(0, network.text.indexOf("/"));
}

const ms = 1000;

/** Whole seconds, which is what nft takes in JSON; rounded up. */
function timeoutOf({ since_ms, until_ms }: Pick<Ban, "since_ms" | "until_ms">): number | undefined {
  return until_ms === null ? undefined : Math.ceil((until_ms - since_ms) / ms);
}

function element({ network, since_ms, until_ms }: Ban, now_ms: number): unknown {
  const val = address(networkOf(network));
  const timeout = timeoutOf({ since_ms, until_ms });
  if (until_ms === null || timeout === undefined) return val;
  return { elem: { val, timeout, expires: Math.min(timeout, Math.max(1, Math.ceil((until_ms - now_ms) / ms))) } };
}

/** The whole transaction; without bans there is no table. */
export function renderBans(bans: readonly Ban[], now_ms: number): Json[] {
  if (bans.length === 0) return dropTable(table);
  const here = { family: "inet", table } as const;
  const sets = Map.groupBy(bans, ({ network }) => setName(networkOf(network)));
  const rule = (expr: readonly Json[], comment: string): Json => ({ add: { rule: { ...here, chain, expr, comment } } });
  return [
    ...dropTable(table),
    { add: { table: { family: "inet", name: table } } },
    { add: { chain: { ...here, name: chain, type: "filter", hook: chain, prio: priority, policy: "accept" } } },
    rule([{ match: { op: "==", left: { meta: { key: "iifname" } }, right: "lo" } }, { accept: null }], "this machine itself"),
    ...[...sets].flatMap(([name, members]): Json[] => {
      const network = networkOf(members[0]?.network ?? "");
      const protocol = network.bytes.length === 4 ? "ip" : "ip6";
      const source: Json = { payload: { protocol, field: "saddr" } };
      const left = network.prefix === network.bytes.length * 8 ? source : { "&": [source, maskText(network)] };
      const elem = members.map((ban) => element(ban, now_ms));
      return [
        { add: { set: { ...here, name, type: protocol === "ip" ? "ipv4_addr" : "ipv6_addr", flags: ["timeout"], elem } } },
        rule([{ match: { op: "==", left, right: `@${name}` } }, { drop: null }], "banned"),
      ];
    }),
  ];
}

/** One transaction after the other, each with what is declared when its turn comes: a later one never brings older bans. */
const inTurn = turns();

/** Makes the kernel's bans those that are declared, and forgets those whose time is over. @throws {ToolError} */
export function applyBans(context: Ports): Promise<void> {
  return inTurn(async () => {
    const now_ms = context.clock.now_ms();
    for (const { key, value } of context.state.list(prefix)) if (!inForce(Ban.parse(value), now_ms)) context.state.delete(key);
    await transact(context, renderBans(bansNow(context), now_ms), "banning addresses");
  });
}

const Element = z.object({ elem: z.object({ val: z.string(), timeout: z.number().optional() }) });
const KernelSet = z.lazy(() =>
  z.object({ set: z.object({ name: z.string(), elem: z.array(z.union([z.string(), Element])).default([]) }) }),
);

/**
 * What the kernel knows of a network that is or is not banned: whether it is as it should be.
 * @returns false while it drops what it should not, or the other way round, or for another time
 */
export async function isApplied(context: Ports, text: string): Promise<boolean> {
  const network = networkOf(text);
  const found = ((await readTable(context, table)) ?? [])
    .flatMap((one) => KernelSet.safeParse(one).data?.set ?? [])
    .filter(({ name }) => name === setName(network))
    .flatMap(({ elem }) => elem.map((one) => (typeof one === "string" ? { val: one } : one.elem)))
    .find(({ val }) => val === address(network));
  const ban = banOf(context, network.text);
  if (ban === null || found === undefined) return (ban === null) === (found === undefined);
  return found.timeout === timeoutOf(ban);
}
