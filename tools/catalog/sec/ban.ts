import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { Address, Cidr } from "../net/shared/fields.ts";
import { type Network, networkOf, reach } from "../net/shared/network.ts";
import { applyBans, Ban, banOf, bans_max, bansNow, declareBan, isApplied } from "./shared/bans.ts";
import { type Lifeline, lifeline_kinds, lifelinesIn } from "./shared/lifelines.ts";

const year_s = 31_536_000;
const listed_max = 150;
const why_chars_max = 200;
const confirm_within_s = 120;

const Input = z.lazy(() =>
  z.strictObject({
    address: z.union([Address, Cidr]).optional().describe("an address, or a network with its prefix length; left out: only lists the bans"),
    for_s: z.number().int().min(1).max(year_s).nullable().default(3600).describe("seconds until it ends by itself; null: for good"),
    why: z
      .string()
      .max(why_chars_max)
      .default("")
      .describe("what it has done, for those who look at the bans later; left out: the reason of the call"),
    even_if: z
      .array(z.enum(lifeline_kinds))
      .max(lifeline_kinds.length)
      .default([])
      .describe(
        "ban it although it is or holds the default gateway, a DNS server, somebody connected to the console, or an address of this machine; then it has to be confirmed in time, or it is taken back",
      ),
  }),
);
type Input = z.infer<typeof Input>;

export const BanList = z.lazy(() =>
  z.strictObject({
    bans: z.array(Ban).describe("those in force, by network"),
    left_out: z.number().int().describe("further ones that did not fit"),
  }),
);

export function banList(context: Pick<Context, "state" | "clock">): z.infer<typeof BanList> {
  const all = bansNow(context);
  return { bans: all.slice(0, listed_max), left_out: Math.max(0, all.length - listed_max) };
}

export interface BanTarget extends Target {
  readonly network: Network | null;
}

/** The ban of that network before the call. */
export const BanImage = z.lazy(() => z.strictObject({ network: z.string(), before: Ban.nullable() }));
type BanImage = z.infer<typeof BanImage>;

/** Networks wider than these are a matter of the firewall. */
const prefix_min = { 4: 8, 16: 16 } as const;
/** First byte of addresses that are no source: multicast and what is reserved (RFC 1112, 4291). */
const no_source_from = { 4: 224, 16: 0xff } as const;
/** An IPv6 host has its whole /64 to choose addresses from (RFC 4291, 2.5.4). */
const single_prefix = { 4: 32, 16: 64 } as const;

const lengthOf = ({ bytes }: Network): 4 | 16 => (bytes.length === 4 ? 4 : 16);

/** What can be banned at all. @throws {ToolError} */
function bannable(text: string): Network {
  const network = networkOf(text);
  const fail = (why: string): never => {
    throw new ToolError(`banning "${network.text}" failed: ${why}`);
  };
  if (reach(network.text) === "loopback") fail("it is or holds this machine itself, which is never banned; name the address that attacks");
  if (network.prefix < prefix_min[lengthOf(network)])
    fail(`a ban reaches /${prefix_min[lengthOf(network)]} at the widest; close the firewall with net.firewall instead`);
  if ((network.bytes[0] ?? 0) >= no_source_from[lengthOf(network)]) fail("nobody sends from such an address");
  return network;
}

/** As the policies see it. @param known the ban that there is already */
export function banResource(network: Network, known: Ban | null, more: Resource["attributes"]): Resource {
  const id = network.text;
  const single = network.prefix >= single_prefix[lengthOf(network)];
  const owner: Resource["attributes"] = known === null ? {} : { owner: known.by };
  return { kind: "address", id, access: "write", attributes: { address: id, reach: reach(id), single, ...owner, ...more } };
}

/** @throws {ToolError} when one of them was not foreseen */
function demandForeseen(network: Network, lifelines: readonly Lifeline[], even_if: Input["even_if"]): void {
  const unforeseen = lifelines.filter(({ kind }) => !even_if.includes(kind));
  if (unforeseen.length === 0) return;
  const list = unforeseen.map(({ kind, at }) => `${words[kind]} ${at}`).join(", ");
  const kinds = JSON.stringify([...new Set(lifelines.map(({ kind }) => kind))]);
  throw new ToolError(`banning "${network.text}" failed: it is or holds ${list}; if that is meant, say "even_if": ${kinds}`);
}

function whyOf(why: string, { why: reason = "" }: Pick<Context, "why">): string {
  return (why.trim() === "" ? reason : why).trim().slice(0, why_chars_max);
}

const words: Readonly<Record<Lifeline["kind"], string>> = {
  gateway: "the default gateway",
  dns: "the DNS server",
  console: "somebody connected to the console,",
  "own-network": "this machine's own address",
};

export const ban = defineTool<Input, z.infer<typeof BanList>, BanTarget, BanImage>({
  name: "sec.ban",
  title: "Ban an address",
  description:
    "Drops everything that comes from an address or network, for a time or for good, whatever the firewall says, and ends what it has open; works without a firewall too. It holds at once and over reboots for the rest of its time. Without an address it lists the bans. A ban of the same network is replaced. To lift one use sec.unban; for rules about ports or directions net.firewall.",
  input: Input,
  output: BanList,
  risk: "reversible",
  riskOf: ({ address }) => (address === undefined ? "observe" : "reversible"),
  timeout_ms: 30_000,
  idempotent: true,
  tainted: false,
  confirmWithin: ({ even_if }) => (even_if.length > 0 ? confirm_within_s : 0),
  image: BanImage,
  async resolve({ address, for_s, why, even_if }, context) {
    if (address === undefined) return { network: null, resources: [{ kind: "system", id: "bans", access: "read", attributes: {} }] };
    const network = bannable(address);
    if (whyOf(why, context) === "") throw new ToolError(`banning "${network.text}" failed: say in "why" what it has done`);
    const known = banOf(context, network.text);
    if (known === null && bansNow(context).length >= bans_max)
      throw new ToolError(`banning "${network.text}" failed: there are ${bans_max} bans already; ban a network that holds many of them`);
    const lifelines = await lifelinesIn(network, context);
    demandForeseen(network, lifelines, even_if);
    const time: Resource["attributes"] = for_s === null ? {} : { duration_ms: for_s * 1000 };
    return { network, resources: [banResource(network, known, { ...time, lifeline: lifelines.length > 0 })] };
  },
  preview: ({ network }, { for_s, why }, context) => ({
    changes:
      network === null
        ? []
        : [`everything from ${network.text} is dropped ${for_s === null ? "for good" : `for ${for_s} s`}: ${whyOf(why, context)}`],
    final: [],
  }),
  snapshot: ({ network }, _, context) => ({ network: network?.text ?? "", before: network === null ? null : banOf(context, network.text) }),
  async run({ network }, { for_s, why }, context) {
    if (network === null) return banList(context);
    const since_ms = context.clock.now_ms();
    const until_ms = for_s === null ? null : since_ms + for_s * 1000;
    const { principal: by, call } = context;
    declareBan(context.state, network.text, { network: network.text, why: whyOf(why, context), by, call, since_ms, until_ms });
    await applyBans(context);
    return banList(context);
  },
  async verify({ network }, _, __, context) {
    if (network !== null && !(await isApplied(context, network.text)))
      throw new ToolError(`banning "${network.text}" failed: the kernel does not have it`);
  },
  settled: async ({ network }, { call }, context) => banOf(context, network)?.call === call && (await isApplied(context, network)),
  undo: undoBan,
  verifyUndone: verifyBanUndone,
});

export async function undoBan({ network, before }: BanImage, _past: unknown, context: Context): Promise<void> {
  declareBan(context.state, network, before);
  await applyBans(context);
}

/** A ban whose time is over meanwhile is not brought back. @throws {ToolError} */
export async function verifyBanUndone({ network }: BanImage, _past: unknown, context: Context): Promise<void> {
  if (!(await isApplied(context, network)))
    throw new ToolError(`taking back the ban of "${network}" failed: the kernel has it otherwise than before`);
}
