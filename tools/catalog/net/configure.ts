import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { writeDurably } from "../../../wire/files.ts";
import type { Context } from "../../context.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { readOrNull, removeIfThere } from "../shared/small-files.ts";
import { Declared, declared_prefix, difference, identity, Make } from "./shared/declared-links.ts";
import { dns_key, resolvFile, setDns } from "./shared/dns-servers.ts";
import { Address, Cidr, InterfaceName } from "./shared/fields.ts";
import { changeLinks, InterfaceState, readInterfaces } from "./shared/ip.ts";
import { canonicalAddress, canonicalRoute, made_kinds, planLines, type Wanted } from "./shared/plan.ts";

const Route = z.lazy(() =>
  z.strictObject({
    to: z.union([z.literal("default"), Cidr]).describe("a network, or `default`"),
    via: Address.nullable().default(null).describe("the gateway; null: directly on the link"),
    metric: z.number().int().min(1).max(1_000_000).nullable().default(null).describe("the smaller is preferred; null: the kernel's own"),
  }),
);

const Input = z.lazy(() =>
  z.strictObject({
    interface: InterfaceName.describe("the interface, as net.interfaces names it"),
    make: Make.optional().describe("makes a virtual interface of that name first; it must not exist yet"),
    remove: z.literal(true).optional().describe("removes a virtual interface; with nothing else"),
    up: z.boolean().optional().describe("administratively up or down"),
    mtu: z.number().int().min(576).max(65_535).optional().describe("bytes of a packet"),
    master: InterfaceName.nullable().optional().describe("the bridge or bond that it joins; null: leaves it"),
    addresses: z.array(Cidr).max(32).optional().describe("all static addresses that it shall have; those by DHCP are left alone"),
    routes: z.array(Route).max(64).optional().describe("all static routes through it; those by DHCP are left alone"),
    dns: z.array(Address).max(3).optional().describe("the DNS servers of the whole system, in order"),
  }),
);
type Input = z.infer<typeof Input>;

const Image = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    state: InterfaceState.nullable(),
    resolv: z.string().nullable(),
    declared: z.unknown(),
    declared_dns: z.unknown(),
  }),
);

interface ConfigureTarget extends Target {
  readonly now: InterfaceState | null;
}

export const configure = defineTool<
  Input,
  { interface: InterfaceState | null; dns: string[] | null },
  ConfigureTarget,
  z.infer<typeof Image>
>({
  name: "net.configure",
  title: "Configure an interface",
  description:
    "Sets addresses, routes, MTU, DNS servers, membership in a bridge or bond, or up and down of one interface, and makes or removes VLANs, bridges and bonds. What is left out stays as it is. It holds at once and after every reboot. Unless it is confirmed in time it is taken back by itself, so that nobody is locked out: look whether everything can still be reached, then confirm.",
  input: Input,
  output: z.lazy(() => z.strictObject({ interface: InterfaceState.nullable(), dns: z.array(z.string()).nullable() })),
  risk: "reversible",
  timeout_ms: 30_000,
  idempotent: true,
  tainted: false,
  confirm_within_s: 120,
  image: Image,
  async resolve(input, context) {
    const all = await readInterfaces(context);
    const now = all.find((one) => one.name === input.interface) ?? null;
    const what = `configuring "${input.interface}" failed`;
    if (now === null && input.make === undefined)
      throw new ToolError(
        `${what}: there is no such interface; there are ${all.map((one) => one.name).join(", ")}; give "make" for a new one`,
      );
    if (now !== null && input.make !== undefined) throw new ToolError(`${what}: "make" was given, and it is there already`);
    if (now !== null && input.remove === true && !isMade(now))
      throw new ToolError(`${what}: a device of the hardware cannot be removed; set "up": false`);
    if (input.remove === true && Object.keys(input).length > 2) throw new ToolError(`${what}: "remove" goes with nothing else`);
    const others = [input.master, input.make?.kind === "vlan" ? input.make.parent : undefined].filter((one) => typeof one === "string");
    for (const other of others)
      if (!all.some(({ name }) => name === other)) throw new ToolError(`${what}: there is no interface "${other}"`);
    const touched = (id: string): Resource => ({ kind: "interface", id, access: "write", attributes: { loopback: id === "lo" } });
    const dns: Resource[] = input.dns === undefined ? [] : [{ kind: "setting", id: "dns", access: "write", attributes: {} }];
    return { now, resources: [touched(input.interface), ...others.map(touched), ...dns] };
  },
  preview: ({ now }, input) => ({ changes: planLines(now, wantedOf(now, input)).map((line) => `ip ${line.join(" ")}`), final: [] }),
  snapshot: ({ now }, input, { state, places }) => ({
    name: input.interface,
    state: now,
    resolv: readOrNull(resolvFile(places)),
    declared: state.get(declared_prefix + input.interface) ?? null,
    declared_dns: state.get(dns_key) ?? null,
  }),
  async run({ now }, input, context) {
    const wanted = wantedOf(now, input);
    await changeLinks(context, planLines(now, wanted));
    if (input.dns !== undefined) setDns(input.dns, context);
    declareInterface(input, wanted, context);
    return { interface: await stateNow(context, input.interface), dns: input.dns ?? null };
  },
  async verify({ now }, input, _output, context) {
    const wanted = wantedOf(now, input);
    const found = await stateNow(context, input.interface);
    const wrong = wanted === null ? (found === null ? null : "it is still there") : difference(found, wanted);
    if (wrong !== null) throw new ToolError(`configuring "${input.interface}" failed: ${wrong}`);
  },
  async undo({ name, state, resolv, declared, declared_dns }, _past, context) {
    await changeLinks(context, planLines(await stateNow(context, name), state));
    if (resolv === null) removeIfThere(resolvFile(context.places));
    else if (readOrNull(resolvFile(context.places)) !== resolv) writeDurably(resolvFile(context.places), resolv);
    for (const [key, value] of [
      [declared_prefix + name, declared],
      [dns_key, declared_dns],
    ] as const)
      if (value === null) context.state.delete(key);
      else context.state.put(key, value);
  },
  async verifyUndone({ name, state }, _past, context) {
    const found = await stateNow(context, name);
    const wrong = state === null ? (found === null ? null : "it is still there") : difference(found, state);
    if (wrong !== null) throw new ToolError(`restoring "${name}" failed: ${wrong}`);
  },
});

function stateNow(context: Context, name: string): Promise<InterfaceState | null> {
  return readInterfaces(context).then((all) => all.find((one) => one.name === name) ?? null);
}

function isMade({ kind }: InterfaceState): boolean {
  return made_kinds.some((one) => one === kind);
}

const default_mtu = 1500;

function wantedOf(now: InterfaceState | null, input: Input): Wanted | null {
  if (input.remove === true) return null;
  const base = now ?? { up: false, mtu: default_mtu, master: null, addresses: [], routes: [] };
  return {
    name: input.interface,
    ...identity(now, input.make ?? null),
    up: input.up ?? base.up,
    mtu: input.mtu ?? base.mtu,
    master: input.master === undefined ? base.master : input.master,
    addresses: input.addresses === undefined ? base.addresses : [...new Set(input.addresses.map(canonicalAddress))].sort(),
    routes: input.routes?.map(canonicalRoute) ?? base.routes,
  };
}

function declareInterface(input: Input, wanted: Wanted | null, { state }: Context): void {
  const key = declared_prefix + input.interface;
  if (wanted === null) {
    state.delete(key);
    return;
  }
  const before = Declared.nullable()
    .catch(null)
    .parse(state.get(key) ?? null);
  const { up, mtu, master, addresses, routes } = wanted;
  state.put(key, { make: input.make ?? before?.make ?? null, up, mtu, master, addresses, routes } satisfies Declared);
}
