import { expect, test } from "bun:test";
import { maskText, meet, networkOf, reach } from "./network.ts";

test("a network as the kernel writes it, without the bits of a host; IPv4 in IPv6 is IPv4", () => {
  const texts: readonly (readonly [string, string])[] = [
    ["192.0.2.7", "192.0.2.7/32"],
    ["192.0.2.7/24", "192.0.2.0/24"],
    ["10.255.3.1/9", "10.128.0.0/9"],
    ["2001:DB8::0:1", "2001:db8::1/128"],
    ["2001:db8:1:2:3::/60", "2001:db8:1::/60"],
    ["::ffff:192.0.2.7", "192.0.2.7/32"],
    ["::ffff:7f00:1", "127.0.0.1/32"],
    ["::ffff:192.0.2.7/120", "192.0.2.0/24"],
    ["::ffff:0:0/95", "::fffe:0:0/95"],
  ];
  for (const [text, wanted] of texts) expect(networkOf(text).text).toBe(wanted);
  expect(["192.0.2.7/20", "2001:db8::/61", "1.2.3.4"].map((text) => maskText(networkOf(text)))).toEqual([
    "255.255.240.0",
    "ffff:ffff:ffff:fff8::",
    "255.255.255.255",
  ]);
});

test("two networks meet when one holds the other", () => {
  const both = (a: string, b: string): boolean => meet(networkOf(a), networkOf(b));
  expect([both("10.0.0.0/8", "10.9.8.7"), both("10.9.8.7", "10.0.0.0/8"), both("0.0.0.0/0", "192.0.2.1")]).toEqual([true, true, true]);
  expect([both("10.0.0.0/9", "10.128.0.0/9"), both("192.0.2.1", "192.0.2.2"), both("::/0", "192.0.2.1")]).toEqual([false, false, false]);
});

test("what is reached: however an address is written, and a network by the nearest in it", () => {
  const far = (text: string): string => reach(text);
  expect(["127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0.0.0.0", "0.0.0.0/0", "::/0"].map(far)).toEqual(
    new Array(7).fill("loopback"),
  );
  expect(["10.0.0.1", "::ffff:a00:1", "fe80::1", "fd00::1", "100.64.0.1", "11.0.0.0/7", "192.0.0.0/8"].map(far)).toEqual([
    ...["private", "private", "private", "private", "private", "private", "private"],
  ]);
  expect(["192.0.2.1", "2001:db8::1", "8.8.8.0/24"].map(far)).toEqual(["public", "public", "public"]);
});
