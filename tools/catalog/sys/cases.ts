import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configured_hostname } from "../../../contracts/paths.ts";
import { linuxSystem } from "../../../sys/linux.ts";
import type { ToolCase, World } from "../../testing/case.ts";
import { readTree } from "../../testing/tree.ts";
import { setHostname } from "./hostname.ts";
import { writeSysctl } from "./sysctl.ts";

const hostname = (): string => readFileSync("/proc/sys/kernel/hostname", "utf8").trim();
const forwarding = (): string => readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim();
const nothing = (): null => null;

function oldFile(path: string): void {
  writeFileSync(path, "old");
  utimesSync(path, 1_000_000_000, 1_000_000_000);
}

const logOf = ({ places }: World): string => join(places.data, "log");
const cacheOf = ({ places }: World): string => join(places.data, "cache");

export const sys_cases: readonly ToolCase[] = [
  { tool: "sys.info", name: "with hardware", prepare: () => ({ hardware: true }), observe: nothing },
  { tool: "sys.drives", name: "of this machine", prepare: () => ({}), observe: nothing, bad: () => [{ drive: "sda" }] },
  {
    tool: "sys.metrics",
    name: "of a moment",
    prepare: () => ({ sample_ms: 50, top: 3 }),
    observe: nothing,
    bad: () => [{ sample_ms: 0 }, { top: -1 }, { sample_ms: "long" }],
  },
  {
    tool: "sys.logs",
    name: "of a service",
    prepare: () => ({ service: "memory", lines: 10 }),
    observe: nothing,
    bad: () => [{ service: "../x" }, { lines: 0 }],
  },
  { tool: "sys.events", name: "of a kind", prepare: () => ({ kind: "service.state" }), observe: nothing, bad: () => [{ limit: 0 }] },
  {
    tool: "sys.hostname",
    name: "set to another",
    prepare: ({ places }) => {
      setHostname("before", { sys: linuxSystem(), places });
      return { set: "lighthouse" };
    },
    observe: ({ places }) => [hostname(), read(join(places.run, "etc/hostname"))],
    effect: hostname,
    bad: () => [{ set: "-x" }, { set: "a b" }, { set: "a.example" }, { set: "" }, { set: "x".repeat(64) }],
  },
  {
    tool: "sys.sysctl",
    name: "of the network, set to another",
    prepare: () => {
      writeSysctl("net.ipv4.ip_forward", "0");
      return { name: "net.ipv4.ip_forward", value: "1" };
    },
    observe: forwarding,
    bad: () => [
      { name: "net.ipv4.ip_forward", value: "2" },
      { name: "kernel.core_pattern", value: "|/tmp/x" },
      { name: "net/ipv4/ip_forward", value: "1" },
      { name: "vm.swappiness", value: "60\n" },
    ],
  },
  {
    tool: "sys.declared",
    name: "a kernel parameter and the host name, which something else has changed",
    prepare: async (world) => {
      await world.call("sys.hostname", { set: "lighthouse" });
      await world.call("sys.sysctl", { name: "net.ipv4.ip_forward", value: "1" });
      linuxSystem().host.setHostname("somebody");
      writeSysctl("net.ipv4.ip_forward", "0");
      return { restore: true };
    },
    observe: () => [hostname(), forwarding()],
    check: ({ drift }) => {
      const what = (drift as { what: string }[]).map((one) => one.what).sort();
      if (what.join() !== "hostname,sysctl/net.ipv4.ip_forward") throw new Error(`it saw ${what.join()}`);
      if (hostname() !== "lighthouse" || forwarding() !== "1") throw new Error("it is not as declared");
    },
    bad: () => [{ restore: "yes" }, { name: "hostname" }],
    final: true,
  },
  {
    tool: "sys.declared",
    name: "the host name of the machine config, which nobody declared otherwise",
    prepare: ({ places }) => {
      mkdirSync(join(places.run, "net"), { recursive: true });
      writeFileSync(join(places.run, configured_hostname), "lighthouse\n");
      linuxSystem().host.setHostname("somebody");
      return { restore: true };
    },
    observe: hostname,
    check: ({ drift }) => {
      const what = (drift as { what: string }[]).map((one) => one.what).sort();
      if (what.join() !== "hostname") throw new Error(`it saw ${what.join()}`);
      if (hostname() !== "lighthouse") throw new Error("it is not as the config says");
    },
    bad: () => [],
    final: true,
  },
  {
    tool: "sys.time",
    name: "read",
    looks: true,
    prepare: () => ({}),
    observe: nothing,
    bad: () => [{ set_ms: 0 }, { set_ms: Number.MAX_SAFE_INTEGER }, { set_ms: "now" }],
  },
  {
    tool: "sys.power",
    name: "reboot",
    prepare: () => ({ action: "reboot" }),
    observe: nothing,
    bad: () => [{ action: "halt" }, {}],
    final: true,
  },
  {
    tool: "sys.clean",
    name: "an old cache",
    prepare: (world) => {
      mkdirSync(join(cacheOf(world), "tree"), { recursive: true });
      oldFile(join(cacheOf(world), "tree", "inner"));
      utimesSync(join(cacheOf(world), "tree"), 1_000_000_000, 1_000_000_000);
      oldFile(join(cacheOf(world), "old"));
      writeFileSync(join(cacheOf(world), "new"), "new");
      return { what: ["caches"] };
    },
    observe: (world) => readdirSync(cacheOf(world)).sort(),
    bad: () => [{ what: [] }, { what: ["everything"] }, { what: ["caches"], older_than_s: -1 }],
    check: ({ removed }, world) => {
      if (removed !== 2) throw new Error(`it removed ${String(removed)} entries, not 2`);
      const left = readdirSync(cacheOf(world));
      if (left.join() !== "new") throw new Error(`it left ${left.join()}`);
    },
    final: true,
  },
  {
    tool: "sys.rotate",
    name: "a large log with archives, beside a small one",
    prepare: (world) => {
      const log = logOf(world);
      mkdirSync(log, { recursive: true });
      writeFileSync(join(log, "web.log"), "line\n".repeat(50_000), { mode: 0o640 });
      utimesSync(join(log, "web.log"), 1_600_000_000, 1_600_000_000);
      writeFileSync(join(log, "small.log"), "line\n");
      for (const day of [1, 2, 3]) oldFile(join(log, `web.log.2026010${day}T000000Z.zst`));
      return { size_min_bytes: 1000, keep: 2 };
    },
    observe: (world) => readTree(linuxSystem(), logOf(world)),
    effect: (world) =>
      readdirSync(logOf(world))
        .map((name) => (/2026010/.test(name) ? name : name.replace(/\d{8}T\d{6}Z/, "now")))
        .sort(),
    check: ({ rotated, passed_over }, world) => {
      const [one] = rotated as { archive: string; removed: string[] }[];
      const content = readFileSync(join(logOf(world), "web.log"), "utf8");
      const packed = Bun.zstdDecompressSync(readFileSync(join(logOf(world), one?.archive ?? ""))).toString();
      if (content !== "" || packed !== "line\n".repeat(50_000)) throw new Error("the log is not in its archive");
      if (one?.removed.length !== 2 || passed_over !== 1) throw new Error(`it said ${JSON.stringify({ rotated, passed_over })}`);
    },
    bad: (world) => [
      { files: ["relative"] },
      { files: [join(logOf(world), "nothing.log")] },
      { files: [logOf(world)] },
      { files: [join(world.places.broker, "audit.db")] },
      { files: ["/proc/kmsg"] },
      { keep: 0 },
      { size_min_bytes: 0 },
    ],
  },
];

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
