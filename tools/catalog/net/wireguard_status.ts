import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { defineTool, ToolError } from "../../tool.ts";
import { InterfaceName } from "./shared/fields.ts";
import { readTunnels } from "./shared/wireguard.ts";

/** A session lives no longer without a new handshake (wireguard.com/papers/wireguard.pdf, 6.1: REJECT_AFTER_TIME). */
const session_s_max = 180;
const peers_max = 200;

const PeerStatus = z.lazy(() =>
  z.strictObject({
    public_key: z.string(),
    preshared: z.boolean(),
    endpoint: z.string().nullable().describe("from where it last called, or where it is called"),
    allowed_ips: z.array(z.string()),
    handshake_age_s: z.number().nullable().describe("seconds since both ends agreed on keys; null: never"),
    alive: z.boolean().describe("the keys of the last handshake are still good; an idle tunnel has none"),
    received_bytes: z.number(),
    sent_bytes: z.number(),
    keepalive_s: z.number().nullable(),
  }),
);

export const wireguardStatus = defineTool({
  name: "net.wireguard_status",
  title: "WireGuard tunnels",
  description:
    "WireGuard interfaces with public key, port and peers: where each is, what it may send, how long ago the last handshake was, and how much went through. For addresses and routes use net.interfaces; to see whether the other end answers net.ping an address in the tunnel.",
  input: z.lazy(() => z.strictObject({ interface: InterfaceName.nullable().default(null).describe("only this one; null: all") })),
  output: z.lazy(() =>
    z.strictObject({
      tunnels: z.array(
        z.strictObject({
          interface: z.string(),
          public_key: z.string().nullable(),
          listen_port: z.number().int().nullable(),
          peers: z.array(PeerStatus),
          left_out: z.number().int().describe("further peers that did not fit"),
        }),
      ),
    }),
  ),
  risk: "observe",
  timeout_ms: 20_000,
  idempotent: true,
  tainted: false,
  image: null,
  resolve: ({ interface: name }) => ({
    resources: [{ kind: "interface", id: name ?? "*", access: "read", attributes: {} }] satisfies Resource[],
  }),
  run: async (_, { interface: name }, context) => {
    const all = await readTunnels(context);
    const found = all.filter((one) => name === null || one.name === name);
    if (name !== null && found.length === 0)
      throw new ToolError(
        `looking at the tunnel "${name}" failed: there is none; ${all.length === 0 ? "net.wireguard_create makes one" : `there are ${all.map((one) => one.name).join(", ")}`}`,
      );
    const now_ms = context.clock.now_ms();
    return {
      tunnels: found.map(({ name: interface_name, public_key, listen_port, peers }) => ({
        ...{ interface: interface_name, public_key, listen_port, left_out: Math.max(0, peers.length - peers_max) },
        peers: peers.slice(0, peers_max).map(({ handshake_ms, allowed_ips, ...peer }) => {
          const handshake_age_s = handshake_ms === null ? null : Math.max(0, Math.round((now_ms - handshake_ms) / 1000));
          return {
            ...peer,
            allowed_ips: [...allowed_ips],
            handshake_age_s,
            alive: handshake_age_s !== null && handshake_age_s < session_s_max,
          };
        }),
      })),
    };
  },
});
