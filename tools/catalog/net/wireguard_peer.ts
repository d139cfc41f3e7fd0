import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { Declared, declared_prefix } from "./shared/declared-links.ts";
import { Cidr, InterfaceName } from "./shared/fields.ts";
import { changeLinks, type InterfaceState, type RouteState, readInterface } from "./shared/ip.ts";
import { meet, networkOf } from "./shared/network.ts";
import { canonicalRoute, planLines } from "./shared/plan.ts";
import { demandPeers, TunnelImage, tunnelImage, undoTunnel, verifyTunnelUndone } from "./shared/tunnel-image.ts";
import {
  applyTunnel,
  declaredTunnel,
  Endpoint,
  Key,
  keepSecrets,
  Peer,
  readSecrets,
  secretsBytes,
  type Tunnel,
  tunnel_prefix,
} from "./shared/wireguard.ts";

const peers_max = 256;
const confirm_within_s = 120;

const Input = z.lazy(() =>
  z.strictObject({
    interface: InterfaceName.describe("the WireGuard interface, made with net.wireguard_create"),
    public_key: Key.describe("the other end's public key: by it the peer is known"),
    endpoint: Endpoint.nullable().default(null).describe("where it is reached; null: it calls first"),
    allowed_ips: z
      .array(Cidr)
      .max(64)
      .default([])
      .describe("networks that it may send from, and to which packets go through it; each belongs to one peer"),
    keepalive_s: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .nullable()
      .default(null)
      .describe("seconds between two empty packets, behind NAT usually 25; null: none"),
    preshared_key: Key.meta({ secret: true })
      .optional()
      .describe("a further secret that both ends have; left out: as it is, none at first"),
    routes: z
      .boolean()
      .default(true)
      .describe("make routes for allowed_ips; never for 0.0.0.0/0 and ::/0, for these set a default route with net.configure"),
    remove: z.boolean().default(false).describe("removes the peer instead"),
  }),
);
type Input = z.infer<typeof Input>;

const Output = z.lazy(() => z.strictObject({ interface: z.string(), peers: z.array(Peer) }));

interface PeerTarget extends Target {
  readonly now: InterfaceState;
  readonly tunnel: Tunnel;
}

export const wireguardPeer = defineTool<Input, z.infer<typeof Output>, PeerTarget, TunnelImage>({
  name: "net.wireguard_peer",
  title: "Set a WireGuard peer",
  description:
    "Adds a peer to a WireGuard interface, replaces the one with that public key, or removes it, and makes the routes to its networks. It holds at once and after every reboot. With routes to whole networks it has to be confirmed in time, or it is taken back, so that nobody is locked out. Whether it has been in touch tells net.wireguard_status.",
  input: Input,
  output: Output,
  risk: "reversible",
  timeout_ms: 40_000,
  idempotent: true,
  tainted: false,
  confirmWithin: ({ allowed_ips, routes, remove }) =>
    !remove && routes && allowed_ips.map(networkOf).some(({ prefix, bytes }) => prefix < bytes.length * 8) ? confirm_within_s : 0,
  image: TunnelImage,
  async resolve({ interface: name, public_key, allowed_ips, remove }, context) {
    const what = `${remove ? "removing" : "setting"} the peer "${public_key}" of "${name}" failed`;
    const tunnel = declaredTunnel(context.state, name);
    const now = await readInterface(context, name);
    if (tunnel === null || now === null) throw new ToolError(`${what}: there is no such tunnel; make it with net.wireguard_create`);
    const known = tunnel.peers.some((one) => one.public_key === public_key);
    if (remove && !known) throw new ToolError(`${what}: there is no such peer; net.wireguard_status lists them`);
    if (!remove && allowed_ips.length === 0) throw new ToolError(`${what}: give in "allowed_ips" what may come from it`);
    if (!known && tunnel.peers.length >= peers_max) throw new ToolError(`${what}: it has ${peers_max} peers already`);
    const others = tunnel.peers.filter((one) => one.public_key !== public_key);
    for (const { text } of allowed_ips.map(networkOf)) {
      const owner = others.find((one) => one.allowed_ips.includes(text));
      if (owner !== undefined)
        throw new ToolError(`${what}: ${text} belongs to the peer "${owner.public_key}"; take it from that one first`);
    }
    const access = remove ? "delete" : "write";
    const resource: Resource = { kind: "interface", id: name, access, attributes: { type: "wireguard", loopback: false } };
    return { now, tunnel, resources: [resource] };
  },
  preview: (_, { interface: name, public_key, allowed_ips, remove }) => ({
    changes: [
      remove
        ? `"${name}" loses the peer ${public_key}`
        : `the peer ${public_key} of "${name}" reaches and may send from ${allowed_ips.join(", ")}`,
    ],
    final: [],
  }),
  snapshot: ({ now }, { interface: name }, context) => tunnelImage(name, now, context),
  async run({ now, tunnel }, input, context) {
    const { interface: name, public_key, preshared_key, remove } = input;
    const { state, places } = context;
    const secrets = readSecrets(places, name);
    const { [public_key]: shared_before, ...preshared } = secrets.preshared;
    const shared = remove ? undefined : (preshared_key ?? shared_before);
    const peers = tunnel.peers.filter((one) => one.public_key !== public_key);
    if (!remove) peers.push(peerOf(input, shared !== undefined));
    const next: Tunnel = { ...tunnel, peers };
    keepSecrets(
      places,
      name,
      secretsBytes({ ...secrets, preshared: shared === undefined ? preshared : { ...preshared, [public_key]: shared } }),
    );
    const declared = Declared.parse(state.get(declared_prefix + name));
    const own = routesOf(tunnel, now);
    const routes = [...declared.routes.filter((one) => !own.some(({ to }) => to === one.to)), ...routesOf(next, now)];
    state.put(tunnel_prefix + name, next);
    state.put(declared_prefix + name, { ...declared, routes } satisfies Declared);
    await applyTunnel(context, name, next);
    await changeLinks(context, planLines(now, { ...now, routes }));
    return { interface: name, peers };
  },
  verify: (_, { interface: name }, { peers }, context) => demandPeers(context, name, { listen_port: null, peers }),
  undo: undoTunnel,
  verifyUndone: verifyTunnelUndone,
});

function peerOf({ public_key, endpoint, allowed_ips, keepalive_s, routes }: Input, preshared: boolean): Peer {
  return { public_key, endpoint, keepalive_s, routes, preshared, allowed_ips: [...new Set(allowed_ips.map((one) => networkOf(one).text))] };
}

/** To what peers are allowed, but not where the interface's own addresses lead already. */
export function routesOf({ peers }: Tunnel, { addresses }: Pick<InterfaceState, "addresses">): RouteState[] {
  const connected = addresses.map(networkOf);
  return peers
    .filter(({ routes }) => routes)
    .flatMap(({ allowed_ips }) => allowed_ips.map(networkOf))
    .filter((network) => network.prefix > 0 && !connected.some((one) => one.prefix <= network.prefix && meet(one, network)))
    .map(({ text }) => canonicalRoute({ to: text, via: null, metric: null }));
}
