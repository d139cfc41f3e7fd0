/** Netlink sockets: the network as the kernel has it, changes to it, and what comes and goes. */

import { orNull, type Watch } from "../descriptor.ts";
import type { Libc } from "../libc.ts";
import { hearReadable } from "../readable.ts";
import { openBound, SOCK_CLOEXEC } from "../socket.ts";
import {
  type Attribute,
  decodeMessages,
  encodeMessage,
  type Message,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from "./message.ts";
import {
  anyAddress,
  anyRoute,
  decodeAddress,
  decodeChange,
  decodeLink,
  decodeRoute,
  encodeAddress,
  encodeRoute,
  type InterfaceAddress,
  type Link,
  linkAttributes,
  linkHeader,
  monitor_groups,
  type NetChange,
  type Route,
  rtm,
} from "./route.ts";
import { decodeUevent, type Uevent } from "./uevent.ts";

/** rtnetlink(7). A failed request is a SysError with the errno of the kernel's answer. */
export interface NetlinkCalls {
  links(): Link[];
  /** @throws {SysError} ENODEV when it is gone, EINVAL for an MTU that the device refuses */
  changeLink(index: number, change: { readonly up?: boolean; readonly mtu?: number }): void;
  addresses(): InterfaceAddress[];
  /** @param cidr `10.0.0.1/24`. @throws {SysError} EEXIST when it is there already */
  addAddress(index: number, cidr: string): void;
  /** @throws {SysError} EADDRNOTAVAIL when it is not there */
  removeAddress(index: number, cidr: string): void;
  /** Unicast routes of the main table, both families. */
  routes(): Route[];
  /** Adds it, or replaces the one with the same target and metric. @throws {SysError} ENETUNREACH when `via` cannot be reached */
  replaceRoute(route: Route): void;
  /** @throws {SysError} ESRCH when it is not there */
  removeRoute(route: Route): void;
  /** Links and addresses that change. `null` means that the kernel dropped some (ENOBUFS): ask for all again. */
  watchNetwork(onChange: (change: NetChange | null) => void): Watch;
  /** Devices that come and go (kobject uevents). `null` means that some were dropped. */
  watchDevices(onUevent: (uevent: Uevent | null) => void): Watch;
}

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
const NETLINK_KOBJECT_UEVENT = 15;
/** The kernel's own messages; group 2 is udevd's. */
const uevent_group = 1;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const ENOBUFS = 105;
const ETIMEDOUT = 110;

/** The kernel makes dump datagrams of at most 32 KiB. */
const receive_bytes = 64 * 1024;
/** Room for messages that nobody has read yet: a USB hub alone makes dozens. */
const monitor_buffer_bytes = 1024 * 1024;
/** The kernel answers before send returns; this only bounds what should not happen. */
const answer_limit_s = 2;
/** struct sockaddr_nl: family, padding, port, groups. */
const address_bytes = 12;

export function netlinkCalls(libc: Libc): NetlinkCalls {
  const buffer = Buffer.alloc(receive_bytes);
  let sequence = 0;

  /** Sends one request and gathers what answers it. */
  function request(about: string, type: number, flags: number, fixed: Uint8Array, attributes: readonly Attribute[] = []): Message[] {
    const fd = openSocket(libc, NETLINK_ROUTE, 0);
    try {
      sequence += 1;
      const bytes = encodeMessage(type, NLM_F_REQUEST | flags, sequence, fixed, attributes);
      libc.call("send", [fd, bytes, bytes.length, 0], about);
      return collect(about, fd);
    } finally {
      libc.attempt("close", [fd]);
    }
  }

  /** Reads until the kernel says that this was all: DONE after a dump, ERROR (with 0 for success) after the rest. */
  function collect(about: string, fd: number): Message[] {
    const answers: Message[] = [];
    for (;;) {
      const length = orNull(libc, "recv", [fd, buffer, buffer.length, 0], about);
      if (length === null) throw libc.error(about, ETIMEDOUT);
      for (const message of decodeMessages(Buffer.from(buffer.subarray(0, length)))) {
        if (message.sequence !== sequence) continue;
        if (message.type !== NLMSG_DONE && message.type !== NLMSG_ERROR) answers.push(message);
        else {
          const errno = message.body.length < 4 ? 0 : -message.body.readInt32LE(0);
          if (errno !== 0) throw libc.error(about, errno);
          return answers;
        }
      }
    }
  }

  /** A socket that belongs to multicast groups, read until it is empty at each wake-up. */
  function monitor(about: string, protocol: number, groups: number, onDatagram: (bytes: Buffer) => void, onLoss: () => void): Watch {
    const fd = openSocket(libc, protocol, groups);
    let closed = false;
    const sender = Buffer.alloc(address_bytes);
    const sender_length = Buffer.alloc(4);
    const drain = (): void => {
      while (!closed) {
        sender_length.writeUInt32LE(address_bytes, 0);
        let length: number | null;
        try {
          length = orNull(libc, "recvfrom", [fd, buffer, buffer.length, MSG_DONTWAIT, sender, sender_length], about);
        } catch (error) {
          if (!(error instanceof Error && "errno" in error && error.errno === ENOBUFS)) throw error;
          onLoss();
          continue;
        }
        if (length === null) return;
        const from_kernel = sender.readUInt32LE(4) === 0; // anyone with CAP_NET_ADMIN can send to a group, with their own port
        if (from_kernel) onDatagram(Buffer.from(buffer.subarray(0, length)));
      }
    };
    const watch = hearReadable(libc, fd, drain);
    return {
      close() {
        if (closed) return;
        closed = true;
        watch.close();
        libc.attempt("close", [fd]);
      },
    };
  }

  const dump = <T>(about: string, type: number, fixed: Uint8Array, answer_type: number, decode: (body: Buffer) => T | null): T[] =>
    request(about, type, NLM_F_DUMP, fixed).flatMap((message) => {
      const item = message.type === answer_type ? decode(message.body) : null;
      return item === null ? [] : [item];
    });

  return {
    links: () => dump("list network links", rtm.GETLINK, linkHeader(0), rtm.NEWLINK, decodeLink),
    changeLink(index, change) {
      const about = `change network link ${index} to ${JSON.stringify(change)}`;
      request(about, rtm.NEWLINK, NLM_F_ACK, linkHeader(index, change.up), linkAttributes(change));
    },
    addresses: () => dump("list addresses", rtm.GETADDR, anyAddress(), rtm.NEWADDR, decodeAddress),
    addAddress(index, cidr) {
      const { header, attributes } = encodeAddress(index, cidr);
      request(`add address "${cidr}" to link ${index}`, rtm.NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, header, attributes);
    },
    removeAddress(index, cidr) {
      const { header, attributes } = encodeAddress(index, cidr);
      request(`remove address "${cidr}" from link ${index}`, rtm.DELADDR, NLM_F_ACK, header, attributes);
    },
    routes: () => dump("list routes", rtm.GETROUTE, anyRoute(), rtm.NEWROUTE, decodeRoute),
    replaceRoute(route) {
      const { header, attributes } = encodeRoute(route);
      request(aboutRoute("replace", route), rtm.NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header, attributes);
    },
    removeRoute(route) {
      const { header, attributes } = encodeRoute(route);
      request(aboutRoute("remove", route), rtm.DELROUTE, NLM_F_ACK, header, attributes);
    },
    watchNetwork: (onChange) =>
      monitor(
        "hear of network changes",
        NETLINK_ROUTE,
        monitor_groups,
        (bytes) => {
          for (const message of decodeMessages(bytes)) {
            const change = decodeChange(message);
            if (change !== null) onChange(change);
          }
        },
        () => onChange(null),
      ),
    watchDevices: (onUevent) =>
      monitor(
        "hear of devices",
        NETLINK_KOBJECT_UEVENT,
        uevent_group,
        (bytes) => {
          const uevent = decodeUevent(bytes);
          if (uevent !== null) onUevent(uevent);
        },
        () => onUevent(null),
      ),
  };
}

const MSG_DONTWAIT = 0x40;

function openSocket(libc: Libc, protocol: number, groups: number): number {
  const address = Buffer.alloc(address_bytes);
  address.writeUInt32LE(groups, 8);
  return openBound(libc, {
    family: AF_NETLINK,
    type: SOCK_RAW | SOCK_CLOEXEC,
    protocol,
    address,
    what: `a netlink socket of protocol ${protocol} for groups ${groups}`,
    around(fd, bind) {
      const limit = Buffer.alloc(16);
      limit.writeBigInt64LE(BigInt(answer_limit_s), 0);
      libc.call("setsockopt", [fd, SOL_SOCKET, SO_RCVTIMEO, limit, limit.length], "limit the wait on a netlink socket");
      if (groups !== 0) {
        const room = Buffer.alloc(4);
        room.writeInt32LE(monitor_buffer_bytes, 0);
        libc.attempt("setsockopt", [fd, SOL_SOCKET, SO_RCVBUFFORCE, room, room.length]); // a smaller buffer works too
      }
      bind();
    },
  });
}

function aboutRoute(verb: string, route: Route): string {
  return `${verb} the route to "${route.to}"${route.via === null ? "" : ` via "${route.via}"`} on link ${route.index}`;
}
