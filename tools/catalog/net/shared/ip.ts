/** Interfaces, addresses and routes through ip(8) of iproute2: its JSON to read, `-batch` to change. */

import { z } from "zod";
import type { Context } from "../../../context.ts";
import type { Sandbox } from "../../../exec/exec.ts";
import { ToolError } from "../../../tool.ts";

/** Debian 12 and 13 have it here, by way of /sbin → /usr/sbin on the former. */
const program = "/sbin/ip";
const read_only: Sandbox = { network: true };
const changing: Sandbox = { network: true, capabilities: ["cap_net_admin"] };

const IpLink = z.lazy(() =>
  z.object({
    ifindex: z.number().int(),
    ifname: z.string(),
    flags: z.array(z.string()),
    mtu: z.number().int(),
    operstate: z.string(),
    link_type: z.string(),
    address: z.string().optional(),
    master: z.string().optional(),
    link: z.string().optional(),
    linkinfo: z.object({ info_kind: z.string().optional(), info_data: z.record(z.string(), z.unknown()).optional() }).optional(),
    addr_info: z
      .array(
        z.object({
          family: z.enum(["inet", "inet6"]),
          local: z.string(),
          prefixlen: z.number().int(),
          scope: z.string(),
          dynamic: z.boolean().optional(),
          protocol: z.string().optional(),
        }),
      )
      .default([]),
  }),
);

const IpRoute = z.lazy(() =>
  z.object({
    dst: z.string(),
    gateway: z.string().optional(),
    dev: z.string().optional(),
    protocol: z.string().optional(),
    metric: z.number().int().optional(),
    type: z.string().optional(),
  }),
);

export const RouteState = z.lazy(() =>
  z.strictObject({
    to: z.string(),
    via: z.string().nullable(),
    metric: z.number().int().nullable(),
    protocol: z.string(),
  }),
);
export type RouteState = z.infer<typeof RouteState>;

/** What is set of an interface, without what the kernel, a lease or a router advertisement adds by itself. */
export const InterfaceState = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    /** `vlan`, `bridge` …; null for a device of the hardware or of somebody else. */
    kind: z.string().nullable(),
    mac: z.string().nullable(),
    up: z.boolean(),
    carrier: z.boolean(),
    mtu: z.number().int(),
    /** The bridge or bond that it belongs to. */
    master: z.string().nullable(),
    /** For a VLAN: the device below, and the tag. */
    parent: z.string().nullable(),
    vlan: z.number().int().nullable(),
    /** With prefix length, in a fixed order. */
    addresses: z.array(z.string()),
    /** Addresses by DHCP, router advertisement or of the link itself. */
    other_addresses: z.array(z.string()),
    routes: z.array(RouteState),
    other_routes: z.array(RouteState),
  }),
);
export type InterfaceState = z.infer<typeof InterfaceState>;

/** Routes that somebody set, by hand or by configuration (rtnetlink(7), rtm_protocol). */
const set_by_somebody = new Set(["static", "boot"]);

async function json<T>({ exec }: Pick<Context, "exec">, schema: z.ZodType<T>, ...args: string[]): Promise<T> {
  const { stdout } = await exec.ok({ argv: [program, "-json", ...args], sandbox: read_only, limits: { timeout_ms: 10_000 } });
  const text = new TextDecoder().decode(stdout).trim();
  return schema.parse(text === "" ? [] : JSON.parse(text));
}

export async function readInterfaces(context: Pick<Context, "exec">): Promise<InterfaceState[]> {
  const links = await json(context, z.array(IpLink), "-details", "address", "show");
  const routes = [
    ...(await json(context, z.array(IpRoute), "-details", "-4", "route", "show", "table", "main")),
    ...(await json(context, z.array(IpRoute), "-details", "-6", "route", "show", "table", "main")),
  ];
  return links.map((link) =>
    stateOf(
      link,
      routes.filter(({ dev }) => dev === link.ifname),
    ),
  );
}

export async function readInterface(context: Pick<Context, "exec">, name: string): Promise<InterfaceState | null> {
  return (await readInterfaces(context)).find((one) => one.name === name) ?? null;
}

function stateOf(link: z.infer<typeof IpLink>, routes: readonly z.infer<typeof IpRoute>[]): InterfaceState {
  const fixed = link.addr_info.filter(({ dynamic, scope, protocol }) => dynamic !== true && scope !== "link" && protocol !== "kernel_ra");
  const text = ({ local, prefixlen }: { local: string; prefixlen: number }): string => `${local}/${prefixlen}`;
  const route = ({ dst, gateway, metric, protocol }: z.infer<typeof IpRoute>): RouteState => ({
    to: dst,
    via: gateway ?? null,
    metric: metric ?? null,
    protocol: protocol ?? "boot",
  });
  const ours = routes.filter(({ protocol, type }) => set_by_somebody.has(protocol ?? "") && (type === undefined || type === "unicast"));
  const tag: unknown = link.linkinfo?.info_data?.["id"];
  return {
    name: link.ifname,
    kind: link.linkinfo?.info_kind ?? null,
    mac: link.address ?? null,
    up: link.flags.includes("UP"),
    carrier: link.flags.includes("LOWER_UP"),
    mtu: link.mtu,
    master: link.master ?? null,
    parent: link.link ?? null,
    vlan: typeof tag === "number" ? tag : null,
    addresses: fixed.map(text).sort(),
    other_addresses: link.addr_info
      .filter((one) => !fixed.includes(one))
      .map(text)
      .sort(),
    routes: ours.map(route).sort(byText),
    other_routes: routes
      .filter((one) => !ours.includes(one))
      .map(route)
      .sort(byText),
  };
}

function byText(a: RouteState, b: RouteState): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

/** Words of one line. All come from schemas that allow no space, quote or backslash; looked at once more here. */
export type Line = readonly (string | number)[];

/** Makes the changes in order, in one process; stops at the first that fails. @throws {ToolError} */
export async function changeLinks({ exec }: Pick<Context, "exec">, lines: readonly Line[]): Promise<void> {
  if (lines.length === 0) return;
  const text = lines.map((line) => line.map(word).join(" ")).join("\n");
  try {
    await exec.ok({ argv: [program, "-batch", "-"], stdin: `${text}\n`, sandbox: changing, limits: { timeout_ms: 15_000 } });
  } catch (error) {
    const kind = lines.find((line) => line.includes("add") && line.includes("type"));
    if (!(error instanceof ToolError) || kind === undefined || !error.message.includes("Unknown device type")) throw error;
    throw new ToolError(
      `making the interface "${kind[kind.indexOf("name") + 1] ?? kind[2]}" failed: this kernel has no interfaces of the kind "${kind[kind.indexOf("type") + 1]}"`,
    );
  }
}

function word(value: string | number): string {
  const text = String(value);
  if (!/^[A-Za-z0-9_.:/%-]+$/.test(text))
    throw new ToolError(`changing the network failed: ${JSON.stringify(text)} is not a word that ip(8) may get`);
  return text;
}
