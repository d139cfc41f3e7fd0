/** Turning the tools that watch over the system against it: bans that lock out, files that they should not have looked into. */

import { existsSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Attempt, demand, same } from "./attempt.ts";
import { admin, canary, observer, operator } from "./stage.ts";

const nft = (...argv: string[]): string => Bun.spawnSync(["/usr/sbin/nft", ...argv]).stdout.toString();
const rules = (): string => nft("--stateless", "list", "ruleset");

const everybody = ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "::ffff:0:0/96", "2000::/3", "64.0.0.0/7"];
const ourselves = ["127.0.0.1", "127.9.9.9/32", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0.0.0.0", "::", "0:0:0:0:0:ffff:7f00:0001"];

export const watching: readonly Attempt[] = [
  {
    name: "a ban of everybody, of a part of the world, and of this machine in all its spellings",
    by: "every tier and an admin",
    async run(stage) {
      const before = rules();
      for (const who of ["reactive", "tactical", "strategic", operator, admin] as const)
        for (const address of [...everybody, ...ourselves]) {
          await stage.wrong(who, "sec.ban", { address, why: "they attack", for_s: null });
          await stage.wrong(who, "sec.ban", {
            address,
            why: "they attack",
            for_s: null,
            even_if: ["gateway", "dns", "console", "own-network"],
          });
        }
      same("the kernel's rules", rules(), before);
    },
  },
  {
    name: "a ban that is longer, wider or nearer than the reactive tier's",
    by: "the reactive tier",
    async run(stage) {
      const before = rules();
      for (const args of [
        { address: "198.51.100.7", for_s: 3601 },
        { address: "198.51.100.7", for_s: null },
        { address: "198.51.100.0/31" },
        { address: "2001:db8::/63" },
        { address: "10.0.0.1" },
        { address: "::ffff:a00:1" },
        { address: "fe80::1" },
        { address: "fd00::1" },
      ])
        await stage.call("reactive", "sec.ban", { why: "they attack", ...args });
      same("the kernel's rules", rules(), before);
    },
  },
  {
    name: "lifting an admin's ban, or shortening it by a shorter one of the same address",
    by: "the reactive tier",
    async run(stage) {
      const address = "203.0.113.77";
      await stage.must(admin, "sec.ban", { address, for_s: null, why: "he attacks" });
      const before = rules();
      demand("it is not banned", before.includes(address));
      for (const spelled of [address, `${address}/32`, `::ffff:${address}`]) {
        await stage.call("reactive", "sec.unban", { address: spelled });
        await stage.call("reactive", "sec.ban", { address: spelled, for_s: 1, why: "he attacks" });
      }
      same("the kernel's rules", rules(), before);
      await stage.must(admin, "sec.unban", { address });
    },
  },
  {
    name: "rules of nftables in an address or a reason",
    by: "an admin who was talked into it",
    async run(stage) {
      await stage.must(admin, "sec.ban", { address: "203.0.113.78", why: '"}}; flush ruleset; add table inet evil {{"' });
      for (const address of ["198.51.100.7; flush ruleset", "198.51.100.7, 0.0.0.0/0", "@evil", "198.51.100.7\n", "198.51.100.7-255"])
        await stage.wrong(admin, "sec.ban", { address, why: "he attacks" });
      const told = rules();
      demand(`the rules are ${told}`, told.includes("203.0.113.78") && !told.includes("evil") && !told.includes("198.51.100.7"));
      await stage.must(admin, "sec.unban", { address: "203.0.113.78" });
    },
  },
  {
    name: "a baseline of the broker's own folder, of sockets and processes, by links that lead there",
    by: "tactical and an admin",
    async run(stage) {
      for (const [name, target] of [
        ["broker", join(stage.data, "broker")],
        ["memory", join(stage.data, "memory")],
        ["up", join(stage.data, "broker/..", "broker")],
        ["self", "/proc/self/root"],
        ["proc", "/proc"],
      ] as const) {
        symlinkSync(target, join(stage.work, name));
        for (const who of ["tactical", admin] as const)
          for (const path of [join(stage.work, name), target]) {
            const answer = await stage.call(who, "sec.integrity_baseline", { name: "planted", roots: [path], configuration: false });
            demand(`${path}: ${answer.status}`, answer.status !== "done");
          }
      }
    },
  },
  {
    name: "a folder of a baseline that becomes a link to a protected one before it is compared",
    by: "tactical",
    async run(stage) {
      const root = join(stage.work, "watched");
      mkdirSync(root);
      writeFileSync(join(root, "a"), "a");
      await stage.must(admin, "sec.integrity_baseline", { name: "watched", roots: [root], configuration: false });
      rmSync(root, { recursive: true });
      symlinkSync(join(stage.data, "memory"), root);
      const answer = await stage.call("tactical", "sec.integrity_compare", { name: "watched" });
      const told = JSON.stringify(answer.out);
      demand(`it told ${told}`, !told.includes("memory.db") && !told.includes(canary));
      for (const who of ["reactive", "operational"] as const)
        demand("it may compare", (await stage.call(who, "sec.integrity_compare", { name: "watched" })).status !== "done");
      demand("it may take one", (await stage.call(observer, "sec.integrity_baseline", { name: "mine", roots: [root] })).status !== "done");
    },
  },
  {
    name: "advisories of 1 GB, nested a million deep, behind links, and of others' secrets",
    by: "tactical and an admin",
    async run(stage) {
      const file = join(stage.work, "osv.json");
      writeFileSync(file, "[");
      truncateSync(file, 1024 ** 3);
      const deep = join(stage.work, "deep.json");
      writeFileSync(deep, '[{"id":'.repeat(1_000_000));
      const link = join(stage.work, "link.json");
      symlinkSync(join(stage.data, "broker/planted"), link);
      for (const who of ["tactical", admin] as const)
        for (const advisories of [file, deep, link, join(stage.data, "memory/memory.db"), "/etc/shadow", "/dev/zero", "/proc/kmsg"]) {
          const answer = await stage.call(who, "sec.scan", { checks: ["packages"], advisories });
          demand(`${advisories}: ${answer.status}`, answer.status !== "done" && !answer.text.includes(canary));
        }
    },
  },
  {
    name: "a scan by those who may not look everywhere, and of what nobody may look into",
    by: "reactive, operational, tactical",
    async run(stage) {
      writeFileSync(join(stage.outside, "secret.key"), `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----\n`, {
        mode: 0o600,
      });
      for (const who of ["reactive", "operational"] as const)
        demand("it scans", (await stage.call(who, "sec.scan", { checks: ["keys"], roots: [stage.outside] })).status !== "done");
      const answer = await stage.call("tactical", "sec.scan", { checks: ["keys", "setuid", "writable"], roots: [stage.data] });
      demand(`it told ${JSON.stringify(answer.out)}`, !JSON.stringify(answer.out).includes(canary));
      for (const path of [join(stage.data, "broker"), join(stage.data, "memory"), "/proc/self/root"])
        demand(path, (await stage.call("tactical", "sec.scan", { checks: ["keys"], roots: [path] })).status !== "done");
    },
  },
  {
    name: "options of tcpdump in a filter, an interface or a file, and captures by those who may not tap",
    by: "every tier, an observer and an admin",
    async run(stage) {
      Bun.spawnSync(["/sbin/ip", "link", "set", "lo", "up"]);
      const taken = join(stage.work, "taken");
      const little = { packets_max: 1, seconds_max: 1 };
      for (const filter of [
        `-w ${taken}`,
        `-w${taken}`,
        "-z/bin/sh",
        "--help",
        ` -w ${taken}`,
        `udp' -w ${taken} '`,
        `$(touch ${taken})`,
        `-F /etc/shadow`,
      ])
        await stage.wrong(admin, "net.capture", { interface: "lo", filter, ...little });
      for (const name of [`-w${taken}`, "lo -w x", "../lo"]) await stage.wrong(admin, "net.capture", { interface: name, ...little });
      for (const who of ["reactive", "operational", "tactical", "strategic", observer] as const) {
        const answer = await stage.call(who, "net.capture", { interface: "lo", ...little });
        demand(`${String(who)} taps: ${answer.status}`, answer.status !== "done");
        await stage.call(who, "net.capture", { interface: "lo", ...little, file: taken });
      }
      for (const file of [join(stage.data, "broker/x"), "/run/aios/x", "/dev/x", join(stage.data, "memory/x")]) {
        const answer = await stage.call(admin, "net.capture", { interface: "lo", ...little, file });
        demand(`${file}: ${answer.status}`, answer.status !== "done" && !existsSync(file));
      }
      demand("a file came of it", !existsSync(taken));
    },
  },
  {
    name: "keys of a tunnel, read through answers, files, the record and errors",
    by: "an admin and tactical",
    async run(stage) {
      const folder = join(stage.data, "broker/wireguard");
      mkdirSync(folder, { recursive: true });
      const secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
      writeFileSync(join(folder, "wg9.json"), JSON.stringify({ private_key: secret, preshared: {} }), { mode: 0o600 });
      const shared = "FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=";
      const peer = {
        interface: "wg9",
        public_key: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
        allowed_ips: ["10.9.0.2/32"],
        preshared_key: shared,
      };
      const told: unknown[] = [];
      for (const who of ["tactical", admin] as const) {
        told.push(await stage.call(who, "net.wireguard_peer", peer));
        told.push(await stage.call(who, "net.wireguard_create", { interface: "wg9" }));
        told.push(await stage.call(who, "net.wireguard_status", {}));
        for (const tool of ["fs.read", "fs.checksum"]) told.push(await stage.call(who, tool, { path: join(folder, "wg9.json") }));
        told.push(await stage.call(who, "sec.audit", { principal: "*", tool: "net.*" }));
      }
      const text = JSON.stringify(told);
      demand("a secret key is told", !text.includes(secret) && !text.includes(shared));
    },
  },
];
