/** Captured packets (draft-ietf-opsawg-pcap) as summaries: who with whom, by which protocol. What they carry is passed over. */

import { addressText } from "../../../../sys/netlink/ip.ts";

interface PacketSummary {
  /** Milliseconds since 1970. */
  readonly time_ms: number;
  readonly protocol: string;
  readonly source: string | null;
  readonly source_port: number | null;
  readonly destination: string | null;
  readonly destination_port: number | null;
  /** As it was on the wire, which may be more than was kept. */
  readonly length_bytes: number;
}

export interface Capture {
  readonly packets: PacketSummary[];
  /** The file ends within a packet. */
  readonly cut: boolean;
}

const header_bytes = 24;
const record_bytes = 16;
/** Larger ones tcpdump does not keep (MAXIMUM_SNAPLEN); a number beyond is damage. */
const packet_bytes_max = 262_144;

/** @param bytes a whole file, or its beginning @returns null when it is none */
export function readCapture(bytes: Buffer): Capture | null {
  if (bytes.length < header_bytes) return null;
  const magic = bytes.readUInt32LE(0);
  const nanoseconds = magic === 0xa1b23c4d;
  if (magic !== 0xa1b2c3d4 && !nanoseconds) return null; // written on this machine: little-endian
  const link_type = bytes.readUInt32LE(20) & 0x0fff_ffff;
  const packets: PacketSummary[] = [];
  let at = header_bytes;
  for (; at + record_bytes <= bytes.length; ) {
    const kept = bytes.readUInt32LE(at + 8);
    const end = at + record_bytes + kept;
    if (kept > packet_bytes_max || end > bytes.length) return { packets, cut: true };
    const fraction_ms = bytes.readUInt32LE(at + 4) / (nanoseconds ? 1e6 : 1e3);
    const time_ms = Math.round(bytes.readUInt32LE(at) * 1000 + fraction_ms);
    packets.push({ time_ms, length_bytes: bytes.readUInt32LE(at + 12), ...summary(bytes.subarray(at + record_bytes, end), link_type) });
    at = end;
  }
  return { packets, cut: at !== bytes.length };
}

type Ends = Omit<PacketSummary, "time_ms" | "length_bytes">;

const nobody = { source: null, source_port: null, destination: null, destination_port: null };
const ETHERTYPE_VLAN = [0x8100, 0x88a8];
/** tcpdump.org/linktypes.html: where the protocol stands in front of a packet, and how long that is. */
const link_headers: Readonly<Record<number, readonly [protocol_at: number, length: number]>> = {
  1: [12, 14], // Ethernet
  113: [14, 16], // Linux "any", older
  276: [0, 20], // Linux "any"
};
const raw_links = new Set([12, 101, 228, 229]); // IP without anything in front: tunnels

function summary(packet: Buffer, link_type: number): Ends {
  if (raw_links.has(link_type)) return networkLayer(packet, (packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800);
  const [protocol_at, length] = link_headers[link_type] ?? [0, Number.POSITIVE_INFINITY];
  if (packet.length < length) return { protocol: "other", ...nobody };
  let [type, at] = [packet.readUInt16BE(protocol_at), length];
  while (ETHERTYPE_VLAN.includes(type) && at + 4 <= packet.length) {
    type = packet.readUInt16BE(at + 2);
    at += 4;
  }
  return networkLayer(packet.subarray(at), type);
}

function networkLayer(packet: Buffer, type: number): Ends {
  if (type === 0x0806) return { protocol: "arp", ...nobody };
  if (type === 0x0800 && packet.length >= 20) {
    const first_fragment = (packet.readUInt16BE(6) & 0x1fff) === 0;
    const [source, destination] = [addressText(packet.subarray(12, 16)), addressText(packet.subarray(16, 20))];
    const inside = packet.subarray(((packet[0] ?? 0) & 0xf) * 4);
    return { source, destination, ...transport(packet[9] ?? 0, first_fragment ? inside : Buffer.alloc(0)) };
  }
  if (type === 0x86dd && packet.length >= 40) {
    const [source, destination] = [addressText(packet.subarray(8, 24)), addressText(packet.subarray(24, 40))];
    return { source, destination, ...afterExtensions(packet[6] ?? 0, packet.subarray(40)) };
  }
  return { protocol: `ethertype 0x${type.toString(16).padStart(4, "0")}`, ...nobody };
}

/** RFC 8200, 4: hop-by-hop, routing, destination options, fragment. */
const extensions = new Set([0, 43, 60, 44]);
const extensions_max = 8;

function afterExtensions(first: number, bytes: Buffer): Pick<Ends, "protocol" | "source_port" | "destination_port"> {
  let [next, rest] = [first, bytes];
  for (let seen = 0; extensions.has(next) && rest.length >= 8 && seen < extensions_max; seen += 1) {
    const later_fragment = next === 44 && (rest.readUInt16BE(2) & 0xfff8) !== 0;
    const length = next === 44 ? 8 : ((rest[1] ?? 0) + 1) * 8;
    next = rest[0] ?? 59;
    rest = later_fragment ? Buffer.alloc(0) : rest.subarray(length);
  }
  return transport(next, rest);
}

/** protocols(5) */
const protocols: Readonly<Record<number, string>> = {
  1: "icmp",
  2: "igmp",
  6: "tcp",
  17: "udp",
  47: "gre",
  50: "esp",
  58: "icmpv6",
  132: "sctp",
};
const with_ports = new Set([6, 17, 132]);

function transport(number: number, bytes: Buffer): Pick<Ends, "protocol" | "source_port" | "destination_port"> {
  const protocol = protocols[number] ?? `protocol ${number}`;
  if (!with_ports.has(number) || bytes.length < 4) return { protocol, source_port: null, destination_port: null };
  return { protocol, source_port: bytes.readUInt16BE(0), destination_port: bytes.readUInt16BE(2) };
}
