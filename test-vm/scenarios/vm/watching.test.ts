/**
 * Bans and tunnels on the real kernel, as a neighbour sees them: a network namespace in the machine, beside the system's. In
 * namespaces of the build machine the tools' own tests see the same; this is run with AIOS_LONG=1.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { z } from "zod";
import { type Machine, startMachine } from "../../qemu.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { allReady } from "../expect.ts";

const patient = { limit_ms: 180_000, every_ms: 200 };
const [own, friend, foe] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
const port = 51_820;
const tunnel = { own: "10.9.0.1", friend: "10.9.0.2" } as const;

let machine: Machine;
let aiosctl: Aiosctl;
/** The neighbour's own, in the tunnel. */
let friend_key: string;

/** Programs of the system's own root: `here` in its network, `there` in the neighbour's. */
const prelude = `
here() { chroot /proc/1/root "$@"; }
there() { nsenter -t "$(cat /work/neighbour)" -n chroot /proc/1/root "$@"; }
`;

async function sh(script: string): Promise<string> {
  const { status, out } = await machine.sh(`${prelude}${script}`);
  if (status !== 0) throw new Error(`"${script.trim().slice(0, 200)}" ended with status ${status}: ${out}`);
  return out.trim();
}

/** A neighbour with two addresses, on a cable of its own. */
async function plugNeighbour(): Promise<void> {
  await sh(`
    unshare -n sleep 100000 > /dev/null 2>&1 &
    echo $! > /work/neighbour
    until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
    set -e
    here /usr/bin/ip link add left type veth peer name right netns $!
    here /usr/bin/ip address add ${own}/24 dev left
    here /usr/bin/ip link set left up
    there /usr/bin/ip address add ${friend}/24 dev right
    there /usr/bin/ip address add ${foe}/24 dev right
    there /usr/bin/ip link set right up
  `);
  await waitFor("the cable", () => answered(friend), patient);
}

/** Whether the system answers one of the neighbour's addresses. */
async function answered(from: string, to: string = own): Promise<boolean> {
  return (await machine.sh(`${prelude} there /usr/bin/fping -q -c 1 -t 1000 -r 2 -S ${from} ${to}`)).status === 0;
}

/** The neighbour's end of the tunnel, which calls ours. @returns its public key */
async function neighbourTunnel(our_key: string): Promise<string> {
  return await sh(`
    set -e
    echo ${friend_key} > /work/key
    there /usr/bin/ip link add wg9 type wireguard
    there /usr/bin/wg set wg9 private-key /dev/stdin peer ${our_key} endpoint ${own}:${port} allowed-ips ${tunnel.own}/32 < /work/key
    there /usr/bin/ip address add ${tunnel.friend}/24 dev wg9
    there /usr/bin/ip link set wg9 up
    here /usr/bin/wg pubkey < /work/key
  `);
}

const Tunnels = z.object({
  tunnels: z.array(
    z.object({
      public_key: z.string(),
      peers: z.array(z.object({ alive: z.boolean(), endpoint: z.string().nullable(), received_bytes: z.number() })),
    }),
  ),
});

const tunnels = async () => Tunnels.parse((await aiosctl.done("net.wireguard_status", {})).structuredContent).tunnels;
const throughTunnel = () => waitFor("an answer through the tunnel", () => answered(tunnel.friend, tunnel.own), patient);

describe.skipIf(process.env["AIOS_LONG"] !== "1")("a machine with a neighbour", () => {
  beforeAll(async () => {
    machine = await startMachine({ boot: "direct" });
    await machine.ready();
    await allReady(machine.console, patient);
    aiosctl = new Aiosctl(machine.console_socket);
    await plugNeighbour();
    // to a pipe: it warns of files that others may read
    friend_key = await sh("here /usr/bin/wg genkey | cat");
  }, 900_000);

  afterAll(() => machine?.kill());

  test("a banned address gets no answer, its neighbours do; one that is let in does, and taking that back bans it again", async () => {
    expect(await answered(foe)).toBe(true);
    await aiosctl.done("sec.ban", { address: foe, why: "a scenario", for_s: 3600 });
    expect([await answered(foe), await answered(friend)]).toEqual([false, true]);
    const { structuredContent, _meta } = await aiosctl.done("sec.unban", { address: foe });
    expect(structuredContent).toEqual({ bans: [], left_out: 0 });
    expect(await answered(foe)).toBe(true);
    expect((await aiosctl.undo(_meta.call)).map(({ status }) => status)).toEqual(["done"]);
    expect(await answered(foe)).toBe(false);
  });

  test("this machine's own address is not banned by mistake", async () => {
    const { _meta } = await aiosctl.call("sec.ban", { address: own, why: "a scenario" });
    expect(_meta.status).toBe("failed");
    expect(_meta.text).toContain(`it is or holds this machine's own address ${own}`);
  });

  test("a tunnel through a closed firewall: shut until its port is opened, then packets go through, and its key is nowhere", async () => {
    const wall = await aiosctl.done("net.firewall", { set: { default: "closed", rules: [] } });
    expect((await aiosctl.run("confirm", wall._meta.call)).status).toBe(0);
    const made = await aiosctl.done("net.wireguard_create", { interface: "wg0", addresses: [`${tunnel.own}/24`], listen_port: port });
    const peer = await neighbourTunnel(String(made.structuredContent?.["public_key"]));
    await aiosctl.done("net.wireguard_peer", { interface: "wg0", public_key: peer, allowed_ips: [`${tunnel.friend}/32`] });
    expect(await answered(tunnel.friend, tunnel.own)).toBe(false);
    await aiosctl.done("net.listen", { protocol: "udp", port, owner: "wg0" });
    await throughTunnel();
    expect(await tunnels()).toMatchObject([{ peers: [{ alive: true, endpoint: expect.stringContaining(friend) }] }]);
    expect((await tunnels())[0]?.peers[0]?.received_bytes).toBeGreaterThan(0);
    const kept = JSON.parse(await sh("cat /proc/1/root/var/lib/aios/broker/wireguard/wg0.json"));
    const { private_key } = z.object({ private_key: z.string().min(40) }).parse(kept);
    expect(JSON.stringify(await aiosctl.audit())).not.toContain(private_key);
    expect(machine.serial()).not.toContain(private_key);
  }, 900_000);

  test("after a reboot the ban and the tunnel are there again; then all of it is taken back", async () => {
    const [before] = await tunnels();
    const after = machine.serial().length;
    await machine.console.call("reboot", { reason: "a scenario" });
    machine.wasReset();
    await machine.ready({ after });
    await plugNeighbour();
    expect([await answered(foe), await answered(friend)]).toEqual([false, true]);
    expect((await tunnels())[0]?.public_key).toBe(before?.public_key ?? "");
    await neighbourTunnel(before?.public_key ?? "");
    await throughTunnel();
    for (const entry of await aiosctl.audit("--kind", "intent")) {
      const outcomes = ["net.listen", "net.wireguard_peer", "net.wireguard_create"].includes(entry.tool ?? "")
        ? await aiosctl.undo(entry.call ?? "")
        : [];
      expect(outcomes.filter(({ status }) => status !== "done")).toEqual([]);
    }
    expect(await tunnels()).toEqual([]);
    expect(await sh("ls /proc/1/root/var/lib/aios/broker/wireguard")).toBe("");
    expect((await machine.sh(`${prelude} here /usr/bin/ip link show wg0`)).status).not.toBe(0);
    expect(await aiosctl.verify()).toMatchObject({ whole: true, faults: [] });
  }, 900_000);
});
