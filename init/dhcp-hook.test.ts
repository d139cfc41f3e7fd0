import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parseLease } from "./boot/lease.ts";
import { dhcpHook } from "./dhcp-hook.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aios-hook-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (name: string) => parseLease(readFileSync(join(folder, name), "utf8"));
const bound = {
  reason: "BOUND",
  interface: "eth0",
  new_ip_address: "10.0.0.9",
  new_routers: "10.0.0.4 10.0.0.5",
  new_domain_name_servers: "10.0.0.1 evil;rm 10.0.0.2",
  new_ntp_servers: "10.0.0.3",
};

test("a lease is written, without what is no address", () => {
  expect(dhcpHook(bound, folder, 5)).toBe(0);
  expect(read("eth0.v4.json")).toEqual({
    interface: "eth0",
    via: "v4",
    reason: "BOUND",
    address: "10.0.0.9",
    gateway: "10.0.0.4",
    dns: ["10.0.0.1", "10.0.0.2"],
    ntp: ["10.0.0.3"],
    time_ms: 5,
  });
});

test("the gateway of a lease: classless static routes count instead of routers, and what is over names none", () => {
  const gateway = (more: object): string | null | undefined => {
    dhcpHook({ ...bound, ...more }, folder);
    return read("eth0.v4.json")?.gateway;
  };
  expect(gateway({ new_classless_static_routes: "10.7.0.0/16 10.0.0.7 0.0.0.0/0 10.0.0.8" })).toBe("10.0.0.8");
  expect(gateway({ new_classless_static_routes: "10.7.0.0/16 10.0.0.7" })).toBeNull();
  expect(gateway({ new_classless_static_routes: "0.0.0.0/0 ;reboot" })).toBeNull();
  expect(gateway({ new_routers: "nobody" })).toBeNull();
  expect(gateway({ reason: "RENEW" })).toBe("10.0.0.4");
  expect(gateway({ reason: "EXPIRE" })).toBeNull();
});

test("IPv6 and router advertisements stand beside it; the end of one leaves the others", () => {
  dhcpHook(bound, folder);
  dhcpHook({ reason: "BOUND6", interface: "eth0", new_dhcp6_ia_na1_ia_addr1: "fd00::9", new_dhcp6_name_servers: "fd00::1" }, folder);
  dhcpHook({ reason: "ROUTERADVERT", interface: "eth0", nd1_addr1: "fd00::aa/64", nd1_rdnss1_servers: "fd00::53" }, folder);
  expect(read("eth0.v6.json")).toMatchObject({ address: "fd00::9", dns: ["fd00::1"] });
  expect(read("eth0.ra.json")).toMatchObject({ address: "fd00::aa", dns: ["fd00::53"] });
  dhcpHook({ reason: "EXPIRE", interface: "eth0", new_ip_address: "10.0.0.9" }, folder);
  expect(read("eth0.v4.json")).toMatchObject({ address: null, dns: [] });
  expect(read("eth0.v6.json")).toMatchObject({ address: "fd00::9" });
  dhcpHook({ reason: "NOCARRIER", interface: "eth0" }, folder);
  expect(read("eth0.v6.json")).toMatchObject({ address: null });
});

test("a malformed interface or reason writes nothing; silent reasons are fine", () => {
  expect(dhcpHook({ ...bound, interface: "../../etc/x" }, folder)).toBe(1);
  expect(dhcpHook({ ...bound, reason: "BO UND" }, folder)).toBe(1);
  expect(dhcpHook({}, folder)).toBe(1);
  expect(dhcpHook({ ...bound, reason: "CARRIER" }, folder)).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test("whatever a server sends, what is written is a lease, and nothing is written elsewhere", () => {
  const value = fc.oneof(fc.string({ maxLength: 40 }), fc.ipV4(), fc.ipV6(), fc.constant("1.2.3.4 ; x"));
  const environment = fc.record({
    reason: fc.constantFrom("BOUND", "RENEW6", "ROUTERADVERT", "EXPIRE", "x"),
    interface: fc.oneof(fc.constant("eth0"), value),
    new_ip_address: value,
    new_domain_name_servers: value,
    new_routers: value,
    new_classless_static_routes: fc.array(value).map((words) => words.join(" ")),
    nd1_addr1: value,
    new_dhcp6_name_servers: value,
  });
  fc.assert(
    fc.property(environment, (sent) => {
      dhcpHook(sent, folder, 0, () => {});
      for (const name of readdirSync(folder)) expect(read(name)).not.toBeNull();
    }),
    { numRuns: 200 },
  );
  expect(existsSync(join(folder, "..", "x.v4.json"))).toBe(false);
});
