import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { openLibc } from "../libc.ts";
import { code_of_source, valueInNamespaces } from "../testing.ts";
import { addressBytes, addressText, splitCidr } from "./ip.ts";
import { decodeAttributes, decodeMessages, encodeMessage } from "./message.ts";
import { decodeAddress, decodeChange, decodeLink, decodeRoute, encodeAddress, encodeRoute, rtm } from "./route.ts";
import { decodeUevent } from "./uevent.ts";

describe("addresses", () => {
  const libc = openLibc();
  const viaLibc = (bytes: Uint8Array): string => {
    const text = Buffer.alloc(64);
    libc.attempt("inet_ntop", [bytes.length === 4 ? 2 : 10, bytes, text, text.length]);
    return text.toString("latin1", 0, text.indexOf(0));
  };

  test("text and bytes agree with the C library's", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 0xff]));
        expect([...addressBytes(addressText(bytes))]).toEqual([...bytes]);
        const reference = viaLibc(bytes);
        expect([...addressBytes(reference)]).toEqual([...bytes]);
        if (!reference.includes(".")) expect(addressText(bytes)).toBe(reference);
      }),
    );
    fc.assert(fc.property(fc.ipV4(), (text) => expect(addressText(addressBytes(text))).toBe(text)));
  });

  test("what is no address is refused", () => {
    for (const text of ["", "1.2.3", "::g", "fe80::1%eth0", "1.2.3.4/8"]) expect(() => addressBytes(text)).toThrow(TypeError);
    for (const text of ["1.2.3.4", "1.2.3.4/33", "::/129", "1.2.3.4/x", "1.2.3.4/"]) expect(() => splitCidr(text)).toThrow(TypeError);
    expect(() => encodeRoute({ to: "0.0.0.0/0", via: "::1", index: 1, metric: 0 })).toThrow("one is IPv4, the other IPv6");
  });
});

describe("messages", () => {
  test("bytes as the kernel lays them out", () => {
    const { header, attributes } = encodeAddress(2, "10.0.0.1/24");
    expect(encodeMessage(rtm.NEWADDR, 0x605, 7, header, attributes).toString("hex")).toBe(
      "280000001400050607000000000000000218000002000000080002000a000001080001000a000001",
    );
  });

  test("a port that leaves its bridge is no link that is gone", () => {
    const link = Buffer.alloc(16);
    link.writeInt32LE(7, 4);
    const name = Buffer.from("090003006574683000000000", "hex"); // IFLA_IFNAME "eth0"
    const told = (family: number) => {
      link.writeUInt8(family, 0);
      return decodeChange({ type: rtm.DELLINK, flags: 0, sequence: 0, body: Buffer.concat([link, name]) });
    };
    expect(told(0)).toMatchObject({ kind: "link", gone: true, link: { index: 7, name: "eth0" } });
    expect(told(7)).toBeNull(); // AF_BRIDGE
  });

  test("no bytes whatever make a decoder throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        decodeMessages(buffer).forEach(decodeChange);
        decodeAttributes(buffer);
        decodeLink(buffer);
        decodeAddress(buffer);
        decodeRoute(buffer);
        decodeUevent(buffer);
      }),
      { numRuns: 2000 },
    );
  });

  test("a uevent, and what is none", () => {
    const text = "add@/devices/x/block/vdb\0ACTION=add\0SUBSYSTEM=block\0DEVNAME=vdb\0DEVTYPE=disk\0SEQNUM=9\0";
    const uevent = decodeUevent(Buffer.from(text));
    expect(uevent).toMatchObject({ action: "add", path: "/devices/x/block/vdb", subsystem: "block" });
    expect(uevent?.variables.get("DEVNAME")).toBe("vdb");
    expect(decodeUevent(Buffer.from("libudev\0\xfe\xed\xca\xfe"))).toBeNull();
    expect(decodeUevent(Buffer.from("add@/x\0ACTION=add\0"))).toBeNull();
  });
});

describe("the kernel's answers, in a network namespace", () => {
  test("links, addresses and routes are set and listed, and each error has its errno", async () => {
    const value = await valueInNamespaces(`
      ${code_of_source}
      import { spawnSync } from "node:child_process";
      spawnSync("ip", ["link", "add", "wire0", "type", "veth", "peer", "name", "wire1"]);
      const n = sys.netlink;
      const before = n.links();
      const index = (name) => n.links().find((link) => link.name === name).index;
      n.changeLink(index("lo"), { up: true });
      n.changeLink(index("wire0"), { up: true, mtu: 1400 });
      n.changeLink(index("wire1"), { up: true });
      n.addAddress(index("wire0"), "10.9.0.1/24");
      n.addAddress(index("wire0"), "fd00::1/64");
      n.replaceRoute({ to: "0.0.0.0/0", via: "10.9.0.2", index: index("wire0"), metric: 0 });
      n.replaceRoute({ to: "192.168.5.0/24", via: "10.9.0.3", index: index("wire0"), metric: 50 });
      n.replaceRoute({ to: "0.0.0.0/0", via: "10.9.0.9", index: index("wire0"), metric: 0 });
      const routes = n.routes().filter((route) => route.via !== null);
      const wire = n.links().find((link) => link.name === "wire0");
      const addresses = n.addresses().filter((address) => address.index === wire.index).map((address) => address.address);
      const said = JSON.parse(spawnSync("ip", ["-j", "route", "show", "default"]).stdout.toString());
      const codes = {
        again: codeOf(() => n.addAddress(wire.index, "10.9.0.1/24")),
        no_link: codeOf(() => n.changeLink(4711, { up: true })),
        mtu: codeOf(() => n.changeLink(wire.index, { mtu: 10 })),
        unreachable: codeOf(() => n.replaceRoute({ to: "10.77.0.0/16", via: "172.31.9.9", index: wire.index, metric: 0 })),
        no_address: codeOf(() => n.removeAddress(wire.index, "10.9.0.77/24")),
        no_route: codeOf(() => n.removeRoute({ to: "10.99.0.0/16", via: null, index: wire.index, metric: 0 })),
      };
      n.removeRoute({ to: "192.168.5.0/24", via: "10.9.0.3", index: wire.index, metric: 50 });
      n.removeAddress(wire.index, "fd00::1/64");
      console.log(JSON.stringify({
        names: before.map((link) => link.name).sort(), lo: before.find((link) => link.loopback)?.name,
        wire: { ...wire, mac: /^[0-9a-f:]{17}$/.test(wire.mac), index: 0 },
        addresses: addresses.filter((address) => !address.startsWith("fe80")).sort(),
        routes: routes.map(({ to, via, metric }) => ({ to, via, metric })), ip_says: said[0].gateway, codes,
        left: n.routes().filter((route) => route.via !== null).length,
      }));
    `);
    expect(value).toEqual({
      names: ["lo", "wire0", "wire1"],
      lo: "lo",
      wire: { index: 0, name: "wire0", mac: true, mtu: 1400, up: true, carrier: true, loopback: false, ethernet: true },
      addresses: ["10.9.0.1/24", "fd00::1/64"],
      routes: [
        { to: "0.0.0.0/0", via: "10.9.0.9", metric: 0 },
        { to: "192.168.5.0/24", via: "10.9.0.3", metric: 50 },
      ],
      ip_says: "10.9.0.9",
      codes: {
        again: "EEXIST",
        no_link: "ENODEV",
        mtu: "EINVAL",
        unreachable: "ENETUNREACH",
        no_address: "EADDRNOTAVAIL",
        no_route: "ESRCH",
      },
      left: 1,
    });
  });

  test("changes are heard at once: link, address, carrier lost, link gone", async () => {
    const value = await valueInNamespaces(`
      import { spawnSync } from "node:child_process";
      const heard = [];
      const watch = sys.netlink.watchNetwork((change) => heard.push(
        change.kind === "link" ? change.link.name + (change.gone ? " gone" : change.link.carrier ? " carrier" : " no-carrier") : change.address.address + (change.gone ? " gone" : "")));
      const ip = (line) => { spawnSync("ip", line.split(" ")); return Bun.sleep(50); };
      await ip("link add wire0 type veth peer name wire1");
      await ip("link set wire0 up");
      await ip("link set wire1 up");
      await ip("address add 10.9.0.1/24 dev wire0");
      await ip("address del 10.9.0.1/24 dev wire0");
      await ip("link set wire1 down");
      await ip("link del wire0");
      watch.close();
      console.log(JSON.stringify(heard));
      process.exit(0);
    `);
    const heard = value as string[];
    for (const wanted of ["wire0 carrier", "10.9.0.1/24", "10.9.0.1/24 gone", "wire0 no-carrier", "wire0 gone", "wire1 gone"])
      expect(heard).toContain(wanted);
  });

  test("devices that come and go are heard", async () => {
    const value = await valueInNamespaces(`
      import { spawnSync } from "node:child_process";
      const heard = [];
      const watch = sys.netlink.watchDevices((uevent) => heard.push(uevent.action + " " + uevent.subsystem + " " + uevent.variables.get("INTERFACE")));
      spawnSync("ip", ["link", "add", "wire0", "type", "veth", "peer", "name", "wire1"]);
      spawnSync("ip", ["link", "del", "wire0"]);
      await Bun.sleep(200);
      watch.close();
      console.log(JSON.stringify(heard));
      process.exit(0);
    `);
    expect(value).toContain("add net wire0");
    expect(value).toContain("remove net wire0");
  });
});
