/**
 * The firewall: one table `inet aios` of nftables(8), made whole from what is declared and put in place in one transaction.
 * What is not ours in nftables is never touched. Banned addresses have a table of their own (`sec/shared/bans.ts`), which this
 * one does not know: a change of the firewall keeps them.
 *
 *   closed   what comes in is dropped, unless it answers something, is ICMP, comes from this machine itself, or goes to a
 *            port that was declared with net.listen, or a rule accepts it
 *   open     what comes in is accepted, unless a rule drops it
 */

import { z } from "zod";
import type { Context, State } from "../../../context.ts";
import { dropTable, type Json, readTable, transact } from "../../shared/nft.ts";
import { Cidr, InterfaceName, Port } from "./fields.ts";

const PortRange = z.union([Port, z.strictObject({ from: Port, to: Port })]);

export const Rule = z
  .strictObject({
    direction: z.enum(["in", "out", "through"]).describe("to this system, from it, or passed on by it"),
    action: z.enum(["accept", "drop", "reject"]).describe("`reject` tells the sender"),
    protocol: z.enum(["tcp", "udp", "icmp", "icmpv6"]).optional(),
    source: Cidr.optional().describe("only packets from this network"),
    destination: Cidr.optional().describe("only packets to this network"),
    port: PortRange.optional().describe("the destination port or ports; needs tcp or udp"),
    in_interface: InterfaceName.optional(),
    out_interface: InterfaceName.optional(),
    comment: z
      .string()
      .max(100)
      .regex(/^[\w .,:/@()-]*$/, "letters, digits and . , : / @ ( ) -")
      .describe("why, in a few words"),
  })
  .refine(({ port, protocol }) => port === undefined || protocol === "tcp" || protocol === "udp", "a port needs the protocol tcp or udp");
export type Rule = z.infer<typeof Rule>;

export const Declared = z.lazy(() =>
  z.strictObject({
    default: z.enum(["closed", "open"]),
    /** In order: the first that fits decides. */
    rules: z.array(Rule).max(256),
    /** Source addresses of what is passed on through these interfaces are replaced by our own (NAT). */
    masquerade: z.array(InterfaceName).max(16),
  }),
);
export type Declared = z.infer<typeof Declared>;

export const OpenPort = z.lazy(() =>
  z.strictObject({
    protocol: z.enum(["tcp", "udp"]),
    port: Port,
    owner: z.string(),
    sources: z.array(Cidr),
  }),
);
export type OpenPort = z.infer<typeof OpenPort>;

export const wall_key = "firewall";
export const port_prefix = "port/";
export const first_wall: Declared = { default: "closed", rules: [], masquerade: [] };

/** Null: there was never any, and there is no table. */
export function declaredWall(state: State): Declared | null {
  return Declared.nullable().parse(state.get(wall_key) ?? null);
}

export function declaredPorts(state: State): OpenPort[] {
  return state.list(port_prefix).map(({ value }) => OpenPort.parse(value));
}

const table = { family: "inet", table: "aios" } as const;
const match = (left: Json, right: unknown, op = "=="): Json => ({ match: { op, left, right } });
const meta = (key: string): Json => ({ meta: { key } });
const payload = (protocol: string, field: string): Json => ({ payload: { protocol, field } });

function network(cidr: string, field: "saddr" | "daddr"): Json {
  const [addr = "", len] = cidr.split("/");
  const protocol = addr.includes(":") ? "ip6" : "ip";
  return match(payload(protocol, field), len === undefined ? addr : { prefix: { addr, len: Number(len) } });
}

function rule(chain: string, expr: readonly Json[], comment: string): Json {
  return { add: { rule: { ...table, chain, expr, comment } } };
}

/** protocols(5): by number, because the image has no file that names them. */
const protocol_numbers = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

const chain_of = { in: "input", out: "output", through: "forward" } as const;

function expressions({ protocol, source, destination, port, in_interface, out_interface, action }: Rule): Json[] {
  const expr: Json[] = [];
  if (in_interface !== undefined) expr.push(match(meta("iifname"), in_interface));
  if (out_interface !== undefined) expr.push(match(meta("oifname"), out_interface));
  if (source !== undefined) expr.push(network(source, "saddr"));
  if (destination !== undefined) expr.push(network(destination, "daddr"));
  if (protocol !== undefined && port === undefined) expr.push(match(meta("l4proto"), protocol_numbers[protocol]));
  if (protocol !== undefined && port !== undefined)
    expr.push(match(payload(protocol, "dport"), typeof port === "number" ? port : { range: [port.from, port.to] }));
  return [...expr, { [action]: null }];
}

function openPortRules({ protocol, port, owner, sources }: OpenPort): Json[] {
  const to_port = match(payload(protocol, "dport"), port);
  const accept = { accept: null };
  const comment = `listen ${owner}`;
  if (sources.length === 0) return [rule("input", [to_port, accept], comment)];
  return sources.map((source) => rule("input", [network(source, "saddr"), to_port, accept], comment));
}

/** The whole transaction. */
export function render(wall: Declared | null, ports: readonly OpenPort[]): Json[] {
  const drop_old = dropTable(table.table);
  if (wall === null) return drop_old;
  const chain = (name: string, hook: string, policy: string, type = "filter", prio = 0): Json => ({
    add: { chain: { family: "inet", table: "aios", name, type, hook, prio, policy } },
  });
  const accept = { accept: null };
  return [
    ...drop_old,
    { add: { table: { family: "inet", name: "aios" } } },
    chain("input", "input", wall.default === "closed" ? "drop" : "accept"),
    chain("forward", "forward", wall.default === "closed" ? "drop" : "accept"),
    chain("output", "output", "accept"),
    rule("input", [match({ ct: { key: "state" } }, ["established", "related"], "in"), accept], "answers"),
    rule("forward", [match({ ct: { key: "state" } }, ["established", "related"], "in"), accept], "answers"),
    rule("input", [match(meta("iifname"), "lo"), accept], "this machine itself"),
    ...wall.rules.map((one) => rule(chain_of[one.direction], expressions(one), one.comment)),
    rule("input", [match(meta("l4proto"), { set: [protocol_numbers.icmp, protocol_numbers.icmpv6] }), accept], "ICMP"),
    rule("input", [match(payload("udp", "dport"), 546), accept], "DHCPv6 client"),
    ...ports.flatMap(openPortRules),
    ...(wall.masquerade.length === 0 ? [] : [chain("postrouting", "postrouting", "accept", "nat", 100)]),
    ...wall.masquerade.map((name) => rule("postrouting", [match(meta("oifname"), name), { masquerade: null }], "NAT")),
  ];
}

/** One transaction: all of it, or nothing. @throws {ToolError} */
export function put(context: Pick<Context, "exec">, wall: Declared | null, ports: readonly OpenPort[]): Promise<void> {
  return transact(context, render(wall, ports), "changing the firewall");
}

/** The rules as the kernel has them, without handles and counters; null when there is no table. */
export function kernelWall(context: Pick<Context, "exec">): Promise<unknown[] | null> {
  return readTable(context, table.table);
}

const KernelRule = z.lazy(() => z.object({ rule: z.object({ chain: z.string(), comment: z.string().optional() }) }));

/** What of the declared rules the kernel does not have, or has and should not, chain by chain in their order; null when all is so. */
export async function wallDifference(context: Pick<Context, "exec" | "state">): Promise<string | null> {
  const wall = declaredWall(context.state);
  const kernel = await kernelWall(context);
  if (wall === null) return kernel === null ? null : "there is a table that nobody declared";
  const wanted = render(wall, declaredPorts(context.state)).map(({ add }) => add);
  const names = (rules: readonly unknown[]): string[] =>
    rules.flatMap((one) => {
      const parsed = KernelRule.safeParse(one);
      return parsed.success ? [`${parsed.data.rule.chain}: ${parsed.data.rule.comment ?? ""}`] : [];
    });
  // The kernel lists chain by chain; within one the order is that of the rules.
  const chain = (name: string): string => name.slice(0, name.indexOf(":"));
  const sorted = (all: readonly string[]): string[] => all.toSorted((a, b) => Number(chain(a) > chain(b)) - Number(chain(a) < chain(b)));
  const [want, have] = [sorted(names(wanted)), sorted(names(kernel ?? []))];
  return Bun.deepEquals(want, have) ? null : `the kernel has the rules ${have.join(", ") || "none"}, not ${want.join(", ")}`;
}

/**
 * After an undo: what is neither as it was nor as it is declared now, or null. Ports and rules that other calls have declared since are
 * there rightly.
 */
export async function wallNotBack(context: Pick<Context, "exec" | "state">, before: unknown[] | null): Promise<string | null> {
  return Bun.deepEquals(await kernelWall(context), before) ? null : await wallDifference(context);
}
