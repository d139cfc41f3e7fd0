/** What of the WireGuard tools needs no kernel that has it: keys, files, and what wg(8) reads and writes. The rest is in the VM. */

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { redact } from "../../audit/redact.ts";
import { execRig } from "../../exec/testing/context.ts";
import { testPlaces } from "../../testing/context.ts";
import { applyTunnel, configText, keepSecrets, newKeys, parseDump, readSecrets, secretsBytes, secretsFile } from "./shared/wireguard.ts";
import { routesOf, wireguardPeer } from "./wireguard_peer.ts";

setDefaultTimeout(60_000); // a machine may be busy
const tests = testPlaces();
afterAll(() => tests.remove());
const rig = execRig(tests);

function wg(args: readonly string[], stdin = "") {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["/usr/bin/wg", ...args], { stdin: Buffer.from(stdin) });
  return { out: stdout.toString().trim(), error: stderr.toString().trim(), exitCode };
}

const peer = (public_key: string, more = {}) => ({
  ...{ public_key, endpoint: null, allowed_ips: ["10.9.0.2/32"], keepalive_s: null, preshared: false, routes: true },
  ...more,
});

test("keys are what wg makes of them", () => {
  const keys = Array.from({ length: 20 }, newKeys);
  for (const { private_key, public_key } of keys) expect(wg(["pubkey"], private_key).out).toBe(public_key);
  expect(new Set(keys.map(({ private_key }) => private_key)).size).toBe(20);
});

test("wg reads what is written for it, to the last line", () => {
  const [own, first, second] = [newKeys(), newKeys(), newKeys()];
  const peers = [
    peer(first.public_key, { endpoint: { address: "192.0.2.1", port: 51_820 }, keepalive_s: 25 }),
    peer(second.public_key, { endpoint: { address: "2001:db8::1", port: 1 }, allowed_ips: ["::/0", "10.0.0.0/8"] }),
  ];
  const text = configText(
    { listen_port: 51_820, peers },
    { private_key: own.private_key, preshared: { [first.public_key]: wg(["genpsk"]).out } },
  );
  const file = join(tests.work, "config");
  const said = (content: string): string => {
    writeFileSync(file, content);
    return wg(["setconf", "none", file]).error;
  };
  expect(said(text)).toStartWith("Unable to modify interface"); // it has read it all, and there is no such interface
  expect(said(`${text}Nonsense = 1\n`)).toContain("Configuration parsing error");
  expect(text).toContain("Endpoint = [2001:db8::1]:1\n");
});

test("keys are kept for root alone, told to wg by a file that does not stay, and never in a message", async () => {
  const { private_key } = newKeys();
  keepSecrets(tests.places, "wg0", secretsBytes({ private_key, preshared: {} }));
  expect(statSync(secretsFile(tests.places, "wg0")).mode & 0o777).toBe(0o600);
  expect(readSecrets(tests.places, "wg0")).toEqual({ private_key, preshared: {} });
  const tunnel = { listen_port: null, peers: [peer(private_key, { allowed_ips: ["10.0.0.0/8\nEndpoint = x"] })] };
  const error = await applyTunnel(rig.context(), "wg0", tunnel).catch((one: Error) => one.message);
  expect(error).toContain('setting up the tunnel "wg0" failed: ');
  expect(error).not.toContain(private_key);
  expect(readdirSync(join(tests.places.run, "broker")).filter((name) => name.startsWith("wireguard"))).toEqual([]);
  mkdirSync(join(tests.places.broker, "wireguard"), { recursive: true });
  writeFileSync(secretsFile(tests.places, "wg0"), `{"private_key": "${private_key}`);
  expect(() => readSecrets(tests.places, "wg0")).toThrow('reading the keys of "wg0" failed: their file is gone or damaged; remove');
});

test("a dump is read without its secret keys", () => {
  const text = [
    "wg0\tPRIVATE=\tPUBLIC=\t51820\toff",
    "wg0\tPEER1=\tSHARED=\t192.0.2.1:51820\t10.9.0.2/32,10.0.0.0/8\t1700000000\t148\t92\t25",
    "wg0\tPEER2=\t(none)\t(none)\t(none)\t0\t0\t0\toff",
    "wg1\t(none)\t(none)\t0\toff",
    "",
  ].join("\n");
  const tunnels = parseDump(text);
  expect(JSON.stringify(tunnels)).not.toMatch(/PRIVATE|SHARED/);
  expect(tunnels).toEqual([
    {
      ...{ name: "wg0", public_key: "PUBLIC=", listen_port: 51_820 },
      peers: [
        {
          ...{ public_key: "PEER1=", preshared: true, endpoint: "192.0.2.1:51820", allowed_ips: ["10.9.0.2/32", "10.0.0.0/8"] },
          ...{ handshake_ms: 1_700_000_000_000, received_bytes: 148, sent_bytes: 92, keepalive_s: 25 },
        },
        {
          ...{ public_key: "PEER2=", preshared: false, endpoint: null, allowed_ips: [] },
          ...{ handshake_ms: null, received_bytes: 0, sent_bytes: 0, keepalive_s: null },
        },
      ],
    },
    { name: "wg1", public_key: null, listen_port: null, peers: [] },
  ]);
});

test("routes: to what peers are allowed, but neither the whole world nor what is connected", () => {
  const peers = [
    peer("a", { allowed_ips: ["10.9.0.2/32", "192.168.0.0/16", "0.0.0.0/0"] }),
    peer("b", { allowed_ips: ["2001:db8:1::/64"] }),
    peer("c", { allowed_ips: ["172.16.0.0/12"], routes: false }),
  ];
  expect(routesOf({ listen_port: null, peers }, { addresses: ["10.9.0.1/24"] }).map(({ to }) => to)).toEqual([
    "192.168.0.0/16",
    "2001:db8:1::/64",
  ]);
});

test("a preshared key is a secret; routes to whole networks have to be confirmed", () => {
  const { public_key } = newKeys();
  const shared = wg(["genpsk"]).out;
  const args = { interface: "wg0", public_key, allowed_ips: ["10.9.0.0/24"], preshared_key: shared };
  expect(JSON.stringify(redact(wireguardPeer.input, args))).not.toContain(shared);
  const within = (more: object) => wireguardPeer.confirmWithin?.(wireguardPeer.input.parse({ ...args, ...more }));
  expect([within({}), within({ allowed_ips: ["10.9.0.2/32"] }), within({ routes: false }), within({ remove: true })]).toEqual([
    120, 0, 0, 0,
  ]);
  for (const bad of [
    { public_key: "x" },
    { public_key: `${public_key.slice(0, -2)}x=` },
    { endpoint: { address: "example.org", port: 1 } },
    { keepalive_s: 0 },
  ])
    expect(wireguardPeer.input.safeParse({ ...args, ...bad }).success).toBe(false);
});
