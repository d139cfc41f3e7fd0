/** net.capture: what is read of packets, however they are made; and with which rights tcpdump reads them. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { valueInNamespaces } from "../../../sys/testing.ts";
import { capture } from "./capture.ts";
import { readCapture } from "./shared/pcap.ts";

setDefaultTimeout(60_000); // a machine may be busy

function file(link_type: number, ...packets: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt32LE(link_type, 20);
  return Buffer.concat([head, ...packets.flatMap((packet) => [record(packet.length, packet.length), packet])]);
}

function record(kept: number, length: number): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(1_700_000_000, 0);
  head.writeUInt32LE(250_000, 4);
  head.writeUInt32LE(kept, 8);
  head.writeUInt32LE(length, 12);
  return head;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const ipv4_tcp = hex("4500003c1c4640004006b1e6c0000201c6336407 01bbd431 00000000");
const ipv6 = (next: string, rest: string): Buffer =>
  hex(
    `6000000000 20 ${next} 40 20010db8000000000000000000000001 20010db8000000000000000000000002 ${rest}`.replace(
      "6000000000 20",
      "60000000 0020",
    ),
  );
const told = (bytes: Buffer): string[] =>
  (readCapture(bytes)?.packets ?? []).map(
    (one) => `${one.protocol} ${one.source}:${one.source_port} ${one.destination}:${one.destination_port}`,
  );

test("who with whom, on every kind of link", () => {
  const tcp = "tcp 192.0.2.1:443 198.51.100.7:54321";
  const ethernet = (type: string, packet: Buffer): Buffer => Buffer.concat([hex(`020000000001 020000000002 ${type}`), packet]);
  expect(told(file(1, ethernet("0800", ipv4_tcp), ethernet("8100 0007 0800", ipv4_tcp)))).toEqual([tcp, tcp]);
  expect(told(file(276, Buffer.concat([hex("0800 0000 00000001 0001 00 06 0200000000010000"), ipv4_tcp])))).toEqual([tcp]);
  expect(told(file(113, Buffer.concat([hex("0000 0001 0006 0200000000010000 0800"), ipv4_tcp])))).toEqual([tcp]);
  expect(told(file(101, ipv4_tcp))).toEqual([tcp]);
  expect(told(file(1, ethernet("86dd", ipv6("11", "0035 ac1d 0000 0000"))))).toEqual(["udp 2001:db8::1:53 2001:db8::2:44061"]);
  expect(told(file(101, ipv6("00", "3a 00 0000 00000000 8000")))).toEqual(["icmpv6 2001:db8::1:null 2001:db8::2:null"]);
  expect(told(file(1, ethernet("0806", Buffer.alloc(28)), ethernet("88cc", Buffer.alloc(4))))).toEqual([
    "arp null:null null:null",
    "ethertype 0x88cc null:null null:null",
  ]);
  const fragment = Buffer.from(ipv4_tcp);
  fragment.writeUInt16BE(0x2005, 6);
  expect(told(file(101, fragment))).toEqual(["tcp 192.0.2.1:null 198.51.100.7:null"]);
  expect(readCapture(file(101, ipv4_tcp))?.packets[0]?.time_ms).toBe(1_700_000_000_250);
});

test("packets that are short, long or nonsense never fail, and what is no capture is none", () => {
  const whole = file(1, Buffer.concat([hex("020000000001 020000000002 0800"), ipv4_tcp]));
  for (let length = 0; length <= whole.length; length += 1) readCapture(whole.subarray(0, length));
  expect(readCapture(whole.subarray(0, whole.length - 1))).toEqual({ packets: [], cut: true });
  expect(readCapture(Buffer.concat([file(1), record(0xffff_ffff, 1)]))).toEqual({ packets: [], cut: true });
  for (const link of [0, 1, 12, 101, 113, 147, 276, 0xffff])
    for (let seed = 0; seed < 200; seed += 1) {
      const random = new Uint8Array(seed);
      crypto.getRandomValues(random);
      expect(readCapture(file(link, Buffer.from(random)))?.packets).toHaveLength(1);
    }
  for (const text of ["", "nonsense that is longer than a header of 24 bytes"]) expect(readCapture(Buffer.from(text))).toBeNull();
});

test("a filter begins with no option and stays one argument", () => {
  const fits = (filter: string): boolean => capture.input.safeParse({ interface: "lo", filter }).success;
  for (const filter of ["tcp port 443", "(host 10.0.0.1)", "!arp", "len <= 100", "ether[0] & 1 = 0"])
    expect([filter, fits(filter)]).toEqual([filter, true]);
  for (const filter of ["-w /etc/x", "--version", " -w x", "", "-", "tcp\n-w x", "tcp\0", "ä", "x".repeat(501)])
    expect([filter, fits(filter)]).toEqual([filter, false]);
});

test("tcpdump reads as an ordinary user without any capability, and ends with its time or with the call", async () => {
  const from = (path: string): string => JSON.stringify(join(import.meta.dir, path));
  const value = await valueInNamespaces(`
    import { readdirSync, readFileSync } from "node:fs";
    import { createSocket } from "node:dgram";
    import { execRig } from ${from("../../exec/testing/context.ts")};
    import { testPlaces, callTool } from ${from("../../testing/context.ts")};
    import { capture } from ${from("capture.ts")};
    import { ip } from ${from("testing/links.ts")};
    const tests = testPlaces(); const rig = execRig(tests);
    ip("link", "set", "lo", "up");
    const socket = createSocket("udp4");
    setInterval(() => socket.send("private words", 9999, "127.0.0.1"), 10);
    const find = () => readdirSync("/proc").filter((pid) => /^\\d+$/.test(pid)).find((pid) => { try { return readFileSync("/proc/" + pid + "/comm", "utf8").trim() === "tcpdump" && Bun.spawnSync(["readlink", "/proc/" + pid + "/ns/net"]).stdout.toString() === Bun.spawnSync(["readlink", "/proc/self/ns/net"]).stdout.toString(); } catch { return false; } });
    const call = callTool(capture, { interface: "any", filter: "udp port 9999", packets_max: 10000, seconds_max: 3 }, rig.context());
    let status = "";
    for (let tries = 0; tries < 250; tries += 1) {
      const pid = find();
      try { if (pid !== undefined) status = readFileSync("/proc/" + pid + "/status", "utf8"); } catch {}
      if (/^Uid:\\s+890/m.test(status)) break;
      await Bun.sleep(10);
    }
    const { output } = await call;
    const context = rig.context();
    setTimeout(() => context.cancel(), 300);
    const cancelled = await callTool(capture, { interface: "lo", packets_max: 10000, seconds_max: 60 }, context).catch((error) => error.message);
    const small = await callTool(capture, { interface: "lo", packets_max: 50, bytes_max: 1000 }, rig.context());
    tests.remove();
    console.log(JSON.stringify({ uid: /^Uid:\\s+(\\d+)/m.exec(status)?.[1], caps: /^CapEff:\\s+(\\w+)/m.exec(status)?.[1], ended: output.ended, some: output.captured > 10, told: JSON.stringify(output).includes("private"), cancelled, small: [small.output.truncated, small.output.captured < 50] }));
    process.exit(0);
  `);
  expect(value).toEqual({
    ...{ uid: "890", caps: "0000000000000000", ended: "seconds", some: true, told: false },
    cancelled: 'capturing on "lo" failed: the call was cancelled',
    small: [true, true],
  });
});
