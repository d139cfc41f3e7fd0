import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { type Declared, declared_prefix } from "./shared/declared-links.ts";
import { Cidr, InterfaceName, Port } from "./shared/fields.ts";
import { changeLinks, type InterfaceState, readInterface, readInterfaces } from "./shared/ip.ts";
import { canonicalAddress, planLines } from "./shared/plan.ts";
import { demandPeers, TunnelImage, tunnelImage, undoTunnel, verifyTunnelUndone } from "./shared/tunnel-image.ts";
import { applyTunnel, keepSecrets, newKeys, readTunnels, secretsBytes, type Tunnel, tunnel_prefix } from "./shared/wireguard.ts";

/** Of an Ethernet packet, 80 bytes are the tunnel's (wg-quick(8)). */
const mtu_default = 1420;

const Input = z.lazy(() =>
  z.strictObject({
    interface: InterfaceName.describe("the new interface's name, such as wg0"),
    addresses: z.array(Cidr).max(32).default([]).describe("its own addresses in the tunnel, with prefix length"),
    listen_port: Port.nullable()
      .default(null)
      .describe("the UDP port on which peers reach it; null: the kernel chooses one, which is enough where this end calls"),
    mtu: z.number().int().min(1280).max(65_535).default(mtu_default).describe("bytes of a packet in the tunnel"),
    remove: z.boolean().default(false).describe("removes the interface with its key and peers instead"),
  }),
);
type Input = z.infer<typeof Input>;

const Output = z.lazy(() =>
  z.strictObject({
    interface: z.string(),
    public_key: z.string().nullable().describe("for the other end, which needs it to name this one; null when it was removed"),
    listen_port: z.number().int().nullable(),
  }),
);
type Output = z.infer<typeof Output>;

interface TunnelTarget extends Target {
  readonly now: InterfaceState | null;
}

export const wireguardCreate = defineTool<Input, Output, TunnelTarget, TunnelImage>({
  name: "net.wireguard_create",
  title: "Make a WireGuard interface",
  description:
    "Makes a WireGuard interface with addresses and a key of its own, which is made here and never shown, and gives the public key for the other end; or removes one. It holds at once and after every reboot. Peers are added with net.wireguard_peer; the UDP port is opened in the firewall with net.listen; addresses are changed later with net.configure.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 40_000,
  idempotent: false,
  tainted: false,
  image: TunnelImage,
  async resolve({ interface: name, remove }, context) {
    const all = await readInterfaces(context);
    const now = all.find((one) => one.name === name) ?? null;
    const what = `${remove ? "removing" : "making"} the tunnel "${name}" failed`;
    if (remove && now === null)
      throw new ToolError(`${what}: there is no such interface; there are ${all.map((one) => one.name).join(", ")}`);
    if (remove && now?.kind !== "wireguard") throw new ToolError(`${what}: it is no WireGuard interface`);
    if (!remove && now !== null)
      throw new ToolError(`${what}: there is an interface of that name already; choose another, or remove it first`);
    const access = remove ? "delete" : "write";
    const resource: Resource = { kind: "interface", id: name, access, attributes: { type: "wireguard", loopback: false } };
    return { now, resources: [resource] };
  },
  preview: (_, { interface: name, addresses, remove }) => ({
    changes: [
      remove ? `the tunnel "${name}" goes, with its key and peers` : `a tunnel "${name}" with ${addresses.join(", ") || "no address"}`,
    ],
    final: [],
  }),
  snapshot: ({ now }, { interface: name }, context) => tunnelImage(name, now, context),
  async run({ now }, input, context) {
    const { interface: name, listen_port, mtu, remove } = input;
    const { state, places } = context;
    if (remove) {
      state.delete(tunnel_prefix + name);
      state.delete(declared_prefix + name);
      await changeLinks(context, planLines(now, null));
      keepSecrets(places, name, null);
      return { interface: name, public_key: null, listen_port: null };
    }
    const { private_key, public_key } = newKeys();
    keepSecrets(places, name, secretsBytes({ private_key, preshared: {} }));
    const tunnel: Tunnel = { listen_port, peers: [] };
    const addresses = [...new Set(input.addresses.map(canonicalAddress))].sort();
    const declared: Declared = { make: { kind: "wireguard" }, up: true, mtu, master: null, addresses, routes: [] };
    state.put(tunnel_prefix + name, tunnel);
    state.put(declared_prefix + name, declared);
    await changeLinks(context, planLines(null, { ...declared, name, kind: "wireguard", parent: null, vlan: null }));
    await applyTunnel(context, name, tunnel);
    const made = (await readTunnels(context)).find((one) => one.name === name);
    return { interface: name, public_key, listen_port: made?.listen_port ?? listen_port };
  },
  async verify(_, { interface: name, remove }, { public_key }, context) {
    const found = await readInterface(context, name);
    if (remove) {
      if (found !== null) throw new ToolError(`removing the tunnel "${name}" failed: it is still there`);
      return;
    }
    const made = (await readTunnels(context)).find((one) => one.name === name);
    if (found?.up !== true || made?.public_key !== public_key)
      throw new ToolError(`making the tunnel "${name}" failed: the kernel has it otherwise`);
    await demandPeers(context, name, { listen_port: null, peers: [] });
  },
  undo: undoTunnel,
  verifyUndone: verifyTunnelUndone,
});
