/**
 * WireGuard interfaces (wg(8)). What is declared is in the state: addresses and routes as for every interface, port and peers
 * here. Keys are in a file of the broker's own folder, which no tool reaches by path; they are in no argument, no answer and no
 * record. wg(8) gets them by a file that only its sandbox sees.
 */

import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { syncFolder, writeDurably } from "../../../../wire/files.ts";
import type { Context, State } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { Address, Cidr, Port } from "./fields.ts";

/** 32 bytes in base64. */
export const Key = z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, "a key is 44 characters of base64, as wg(8) writes it");

export const Endpoint = z.lazy(() =>
  z.strictObject({
    address: Address.describe("its address; names are not resolved"),
    port: Port.describe("its UDP port"),
  }),
);

export const Peer = z.lazy(() =>
  z.strictObject({
    public_key: Key,
    endpoint: Endpoint.nullable(),
    allowed_ips: z.array(Cidr).max(64),
    keepalive_s: z.number().int().nullable(),
    /** There is a preshared key. */
    preshared: z.boolean(),
    /** Routes for what it is allowed are made. */
    routes: z.boolean(),
  }),
);
export type Peer = z.infer<typeof Peer>;

export const Tunnel = z.lazy(() => z.strictObject({ listen_port: Port.nullable(), peers: z.array(Peer) }));
export type Tunnel = z.infer<typeof Tunnel>;

export const tunnel_prefix = "wireguard/";

export function declaredTunnel(state: State, name: string): Tunnel | null {
  return Tunnel.nullable().parse(state.get(tunnel_prefix + name) ?? null);
}

export const Secrets = z.lazy(() => z.strictObject({ private_key: Key, preshared: z.record(Key, Key) }));
export type Secrets = z.infer<typeof Secrets>;

export function secretsFile({ broker }: Context["places"], name: string): string {
  return join(broker, "wireguard", `${name}.json`);
}

/** @throws {ToolError} when they are gone or damaged; of what is in it nothing is told */
export function readSecrets(places: Context["places"], name: string): Secrets {
  try {
    return Secrets.parse(JSON.parse(readFileSync(secretsFile(places, name), "utf8")));
  } catch {
    throw new ToolError(`reading the keys of "${name}" failed: their file is gone or damaged; remove the interface and make it anew`);
  }
}

/** Replaces the file, durably, readable by root alone; null takes it away. */
export function keepSecrets(places: Context["places"], name: string, bytes: Uint8Array | null): void {
  const path = secretsFile(places, name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (bytes !== null) {
    writeDurably(path, bytes, 0o600);
    return;
  }
  rmSync(path, { force: true });
  syncFolder(dirname(path));
}

export function secretsBytes(secrets: Secrets): Uint8Array {
  return Buffer.from(JSON.stringify(secrets));
}

const Jwk = z.lazy(() => z.object({ d: z.string(), x: z.string() }));

/** X25519 (RFC 7748), as `wg genkey` and `wg pubkey` give them. */
export function newKeys(): { readonly private_key: string; readonly public_key: string } {
  const { d, x } = Jwk.parse(generateKeyPairSync("x25519").privateKey.export({ format: "jwk" }));
  const base64 = (text: string): string => Buffer.from(text, "base64url").toString("base64");
  return { private_key: base64(d), public_key: base64(x) };
}

/** What wg(8) reads: all of it comes from schemas that allow neither space nor line break. */
export function configText({ listen_port, peers }: Tunnel, { private_key, preshared }: Secrets): string {
  const lines = ["[Interface]", `PrivateKey = ${private_key}`];
  if (listen_port !== null) lines.push(`ListenPort = ${listen_port}`);
  for (const { public_key, endpoint, allowed_ips, keepalive_s } of peers) {
    lines.push("[Peer]", `PublicKey = ${public_key}`, `AllowedIPs = ${allowed_ips.join(", ")}`);
    const shared = preshared[public_key];
    if (shared !== undefined) lines.push(`PresharedKey = ${shared}`);
    if (endpoint !== null) lines.push(`Endpoint = ${endpointText(endpoint)}`);
    if (keepalive_s !== null) lines.push(`PersistentKeepalive = ${keepalive_s}`);
  }
  return `${lines.join("\n")}\n`;
}

function endpointText({ address, port }: z.infer<typeof Endpoint>): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

const program = "/usr/bin/wg";
const sandbox = { network: true, capabilities: ["cap_net_admin"] } as const;
const limits = { timeout_ms: 15_000 };
const shown_config = "/tmp/config";

/** Gives the kernel's interface port, key and peers as they are declared; what goes on with peers that stay goes on. @throws {ToolError} */
export async function applyTunnel(
  { exec, places, call }: Pick<Context, "exec" | "places" | "call">,
  name: string,
  tunnel: Tunnel,
): Promise<void> {
  const file = join(places.run, "broker", `wireguard-${call}.conf`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeDurably(file, configText(tunnel, readSecrets(places, name)), 0o600);
  try {
    const { status, stderr } = await exec.run({
      argv: [program, "syncconf", name, shown_config],
      sandbox: { ...sandbox, reads: [[file, shown_config]] },
      limits,
    });
    // A line that it does not understand it repeats: with keys in it.
    const said = new TextDecoder().decode(stderr).replaceAll(/[A-Za-z0-9+/]{42,}=*/g, "(key)");
    if (status !== 0) throw new ToolError(`setting up the tunnel "${name}" failed: ${said.trim().slice(0, 300)}`);
  } finally {
    rmSync(file, { force: true });
  }
}

interface PeerNow {
  readonly public_key: string;
  readonly preshared: boolean;
  readonly endpoint: string | null;
  readonly allowed_ips: readonly string[];
  /** Milliseconds since 1970; null: never yet. */
  readonly handshake_ms: number | null;
  readonly received_bytes: number;
  readonly sent_bytes: number;
  readonly keepalive_s: number | null;
}

interface TunnelNow {
  readonly name: string;
  readonly public_key: string | null;
  readonly listen_port: number | null;
  readonly peers: PeerNow[];
}

/** All that the kernel has. @throws {ToolError} */
export async function readTunnels({ exec }: Pick<Context, "exec">): Promise<TunnelNow[]> {
  const { status, stdout, stderr } = await exec.run({ argv: [program, "show", "all", "dump"], sandbox, limits });
  if (status !== 0) throw new ToolError(`reading the tunnels failed: ${new TextDecoder().decode(stderr).trim().slice(0, 300)}`);
  return parseDump(new TextDecoder().decode(stdout));
}

/** wg(8), `show all dump`: a line of 5 for an interface, of 9 for each of its peers. Keys that are secret are passed over. */
export function parseDump(text: string): TunnelNow[] {
  const tunnels: TunnelNow[] = [];
  const unless = (value: string | undefined, nothing: string): string | null => (value === undefined || value === nothing ? null : value);
  for (const line of text.split("\n")) {
    const fields = line.split("\t");
    const [name = "", , public_key, listen_port] = fields;
    if (fields.length === 5) {
      const port = Number(listen_port);
      tunnels.push({ name, public_key: unless(public_key, "(none)"), listen_port: port === 0 ? null : port, peers: [] });
    }
    if (fields.length !== 9) continue;
    const [, key = "", preshared, endpoint, allowed_ips, handshake_s, received, sent, keepalive] = fields;
    tunnels.at(-1)?.peers.push({
      public_key: key,
      preshared: preshared !== "(none)",
      endpoint: unless(endpoint, "(none)"),
      allowed_ips: unless(allowed_ips, "(none)")?.split(",") ?? [],
      handshake_ms: handshake_s === "0" ? null : Number(handshake_s) * 1000,
      received_bytes: Number(received),
      sent_bytes: Number(sent),
      keepalive_s: keepalive === "off" ? null : Number(keepalive),
    });
  }
  return tunnels;
}
