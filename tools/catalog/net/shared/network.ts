/** Networks: addresses with a prefix length, and which of them meet. */

import { addressBytes, addressText } from "../../../../sys/netlink/ip.ts";

export interface Network {
  /** 4 or 16, those behind the prefix zero. */
  readonly bytes: Uint8Array;
  readonly prefix: number;
  /** With its prefix length, as the kernel writes it. */
  readonly text: string;
}

/** RFC 4291, 2.5.5.2: IPv4 written as IPv6 (`::ffff:192.0.2.1`) is IPv4 on the wire, and is taken for it. */
const mapped_bytes = 12;
const mapped_prefix = Uint8Array.from([...new Array<number>(10).fill(0), 255, 255]);

/** @param text an address or network of `fields.ts` */
export function networkOf(text: string): Network {
  const [address = "", length] = text.split("/");
  const whole = addressBytes(address);
  const prefix = length === undefined ? whole.length * 8 : Number(length);
  const is_mapped = whole.length === 16 && prefix >= mapped_bytes * 8 && mapped_prefix.every((byte, at) => whole[at] === byte);
  return is_mapped ? made(whole.subarray(mapped_bytes), prefix - mapped_bytes * 8) : made(whole, prefix);
}

function made(address: Uint8Array, prefix: number): Network {
  const bytes = address.map((byte, at) => byte & maskByte(prefix, at));
  return { bytes, prefix, text: `${addressText(bytes)}/${prefix}` };
}

function maskByte(prefix: number, at: number): number {
  const bits = Math.min(8, Math.max(0, prefix - at * 8));
  return (0xff << (8 - bits)) & 0xff;
}

/** Of its prefix, as an address: `255.255.255.0`. */
export function maskText({ bytes, prefix }: Network): string {
  return addressText(bytes.map((_, at) => maskByte(prefix, at)));
}

/** Whether there is an address in both: then one holds the other. */
export function meet(a: Network, b: Network): boolean {
  if (a.bytes.length !== b.bytes.length) return false;
  const prefix = Math.min(a.prefix, b.prefix);
  return a.bytes.every((byte, at) => ((byte ^ (b.bytes[at] ?? 0)) & maskByte(prefix, at)) === 0);
}

/** RFC 1122 and 4291: this host itself. */
const loopback = ["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"].map(networkOf);
/** RFC 1918, 6598, 3927, 4193, 4291. */
const private_networks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10"].map(
  networkOf,
);

/** Of a network with some private addresses `private`, of one with some of this host `loopback`. */
export function reach(text: string): "loopback" | "private" | "public" {
  const network = networkOf(text);
  if (loopback.some((one) => meet(one, network))) return "loopback";
  return private_networks.some((one) => meet(one, network)) ? "private" : "public";
}
