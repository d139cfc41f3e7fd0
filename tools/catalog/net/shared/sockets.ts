/** Sockets by /proc/net (proc(5)), and whose they are by /proc/pid/fd. */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { addressText } from "../../../../sys/netlink/ip.ts";

interface SocketEntry {
  readonly protocol: "tcp" | "udp";
  readonly local: string;
  readonly local_port: number;
  readonly remote: string;
  readonly remote_port: number;
  readonly state: string;
  readonly inode: string;
}

/** include/net/tcp_states.h */
const states = [
  "",
  "established",
  "syn-sent",
  "syn-received",
  "fin-wait-1",
  "fin-wait-2",
  "time-wait",
  "close",
  "close-wait",
  "last-ack",
  "listen",
  "closing",
];

const tables = ["tcp", "tcp6", "udp", "udp6"] as const;

export function readSockets(): SocketEntry[] {
  return tables.flatMap((table) => parseSockets(table, read(`/proc/net/${table}`)));
}

/** @param text of the table, with its heading */
export function parseSockets(table: (typeof tables)[number], text: string): SocketEntry[] {
  const protocol = table.startsWith("tcp") ? "tcp" : "udp";
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", remote = "", state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
      const here = endpoint(local);
      const there = endpoint(remote);
      if (here === null || there === null) return [];
      const name = protocol === "udp" ? (there.port === 0 ? "listen" : "established") : (states[Number.parseInt(state, 16)] ?? "unknown");
      return [{ protocol, local: here.address, local_port: here.port, remote: there.address, remote_port: there.port, state: name, inode }];
    });
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** `0100007F:1F90`: 32-bit words in the byte order of the machine (little-endian on both of ours), then the port. */
function endpoint(text: string): { readonly address: string; readonly port: number } | null {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text);
  if (match === null) return null;
  const bytes = Buffer.from(match[1] ?? "", "hex");
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  return { address: addressText(bytes), port: Number.parseInt(match[2] ?? "0", 16) };
}

/** Processes by the inode of each socket that they hold. */
export function socketOwners(): ReadonlyMap<string, { readonly pid: number; readonly name: string }> {
  const owners = new Map<string, { pid: number; name: string }>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode !== undefined && !owners.has(inode)) owners.set(inode, { pid: Number(pid), name });
      }
    } catch {
      // it has ended, or is not ours to look into
    }
  }
  return owners;
}
