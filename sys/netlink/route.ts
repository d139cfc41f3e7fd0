/** rtnetlink(7) in both directions: requests as bytes, answers as links, addresses and routes. */

import { addressBytes, addressText, splitCidr } from "./ip.ts";
import { type Attribute, decodeAttributes, type Message } from "./message.ts";

/** linux/rtnetlink.h */
export const rtm = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
};
/** Multicast groups as bits (RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR). */
export const monitor_groups = 1 | 0x10 | 0x100;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Null where there is none (a tunnel). */
  readonly mac: string | null;
  readonly mtu: number;
  /** Set up by us (IFF_UP). */
  readonly up: boolean;
  /** The cable is in and the other side answers (IFF_LOWER_UP). */
  readonly carrier: boolean;
  readonly loopback: boolean;
  readonly ethernet: boolean;
}

export interface InterfaceAddress {
  readonly index: number;
  /** `10.0.0.1/24` */
  readonly address: string;
}

export interface Route {
  /** `10.0.0.0/8`; the default route is `0.0.0.0/0` or `::/0`. */
  readonly to: string;
  /** Null on a link of its own. */
  readonly via: string | null;
  readonly index: number;
  /** Lower wins. 0 leaves the choice to the kernel. */
  readonly metric: number;
}

export type NetChange =
  | { readonly kind: "link"; readonly gone: boolean; readonly link: Link }
  | { readonly kind: "address"; readonly gone: boolean; readonly address: InterfaceAddress };

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_TABLE = 15;

const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_INET6 = 10;
const ARPHRD_ETHER = 1;
const IFF_UP = 1;
const IFF_LOOPBACK = 8;
const IFF_LOWER_UP = 0x10000;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;

const link_header_bytes = 16;
const address_header_bytes = 8;
const route_header_bytes = 12;

/** struct ifinfomsg: which link, and which of its flags change. */
export function linkHeader(index: number, up?: boolean): Buffer {
  const header = Buffer.alloc(link_header_bytes);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(up === true ? IFF_UP : 0, 8);
  header.writeUInt32LE(up === undefined ? 0 : IFF_UP, 12);
  return header;
}

export function linkAttributes(change: { readonly mtu?: number }): Attribute[] {
  return change.mtu === undefined ? [] : [{ type: IFLA_MTU, value: word(change.mtu) }];
}

/** struct ifaddrmsg and its attributes. @throws when `cidr` is not an address */
export function encodeAddress(index: number, cidr: string): { readonly header: Buffer; readonly attributes: Attribute[] } {
  const { bytes, prefix } = splitCidr(cidr);
  const header = Buffer.alloc(address_header_bytes);
  header.writeUInt8(familyOf(bytes), 0);
  header.writeUInt8(prefix, 1);
  header.writeInt32LE(index, 4);
  return {
    header,
    attributes: [
      { type: IFA_LOCAL, value: bytes },
      { type: IFA_ADDRESS, value: bytes },
    ],
  };
}

/** struct rtmsg and its attributes, in the main table. @throws when an address is malformed or the families differ */
export function encodeRoute(route: Route): { readonly header: Buffer; readonly attributes: Attribute[] } {
  const { bytes, prefix } = splitCidr(route.to);
  const via = route.via === null ? null : addressBytes(route.via);
  if (via !== null && via.length !== bytes.length)
    throw new TypeError(`making a route to "${route.to}" via "${route.via}" failed: one is IPv4, the other IPv6`);
  const header = Buffer.alloc(route_header_bytes);
  header.writeUInt8(familyOf(bytes), 0);
  header.writeUInt8(prefix, 1);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RTPROT_STATIC, 5);
  header.writeUInt8(via === null ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, 6);
  header.writeUInt8(RTN_UNICAST, 7);
  const attributes: Attribute[] = [{ type: RTA_OIF, value: word(route.index) }];
  if (prefix > 0) attributes.push({ type: RTA_DST, value: bytes });
  if (via !== null) attributes.push({ type: RTA_GATEWAY, value: via });
  if (route.metric > 0) attributes.push({ type: RTA_PRIORITY, value: word(route.metric) });
  return { header, attributes };
}

/** struct rtmsg for a dump of every family. */
export function anyRoute(): Buffer {
  return Buffer.alloc(route_header_bytes);
}

export function anyAddress(): Buffer {
  const header = Buffer.alloc(address_header_bytes);
  header.writeUInt8(AF_UNSPEC, 0);
  return header;
}

/** @returns null for a message that is cut short */
export function decodeLink(body: Buffer): Link | null {
  if (body.length < link_header_bytes) return null;
  const attributes = decodeAttributes(body.subarray(link_header_bytes));
  const name = attributes.get(IFLA_IFNAME);
  if (name === undefined) return null;
  const flags = body.readUInt32LE(8);
  const mac = attributes.get(IFLA_ADDRESS);
  return {
    index: body.readInt32LE(4),
    name: name.toString("utf8").replace(/\0.*$/s, ""),
    mac: mac?.length === 6 ? Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":") : null,
    mtu: readWord(attributes.get(IFLA_MTU)) ?? 0,
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    ethernet: body.readUInt16LE(2) === ARPHRD_ETHER,
  };
}

/** @returns null for a message that is cut short or of another family */
export function decodeAddress(body: Buffer): InterfaceAddress | null {
  if (body.length < address_header_bytes) return null;
  const attributes = decodeAttributes(body.subarray(address_header_bytes));
  // IPv4 has IFA_LOCAL as its own address (IFA_ADDRESS is the far end of a point-to-point link); IPv6 often has no IFA_LOCAL
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes === undefined || bytes.length !== addressLength(body.readUInt8(0))) return null;
  return { index: body.readInt32LE(4), address: `${addressText(bytes)}/${body.readUInt8(1)}` };
}

/** Unicast routes of the main table. @returns null for every other one */
export function decodeRoute(body: Buffer): Route | null {
  if (body.length < route_header_bytes || body.readUInt8(7) !== RTN_UNICAST) return null;
  const length = addressLength(body.readUInt8(0));
  if (length === undefined) return null;
  const attributes = decodeAttributes(body.subarray(route_header_bytes));
  if ((readWord(attributes.get(RTA_TABLE)) ?? body.readUInt8(4)) !== RT_TABLE_MAIN) return null;
  const to = attributes.get(RTA_DST) ?? new Uint8Array(length);
  const via = attributes.get(RTA_GATEWAY);
  return {
    to: `${addressText(to)}/${body.readUInt8(1)}`,
    via: via === undefined ? null : addressText(via),
    index: readWord(attributes.get(RTA_OIF)) ?? 0,
    metric: readWord(attributes.get(RTA_PRIORITY)) ?? 0,
  };
}

export function decodeChange(message: Message): NetChange | null {
  if (message.type === rtm.NEWLINK || message.type === rtm.DELLINK) {
    // others tell of a link's part in something: that a port has left its bridge comes as DELLINK of AF_BRIDGE (br_ifinfo_notify)
    if (message.body[0] !== AF_UNSPEC) return null;
    const link = decodeLink(message.body);
    return link === null ? null : { kind: "link", gone: message.type === rtm.DELLINK, link };
  }
  if (message.type === rtm.NEWADDR || message.type === rtm.DELADDR) {
    const address = decodeAddress(message.body);
    return address === null ? null : { kind: "address", gone: message.type === rtm.DELADDR, address };
  }
  return null;
}

function familyOf(bytes: Uint8Array): number {
  return bytes.length === 4 ? AF_INET : AF_INET6;
}

function addressLength(family: number): number | undefined {
  if (family === AF_INET) return 4;
  return family === AF_INET6 ? 16 : undefined;
}

function word(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

function readWord(bytes: Buffer | undefined): number | undefined {
  return bytes?.length === 4 ? bytes.readUInt32LE(0) : undefined;
}
