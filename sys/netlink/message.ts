/** Netlink messages as bytes (netlink(7)): a header, a fixed part, attributes. Everything is aligned to four bytes. */

/** linux/netlink.h */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

const header_bytes = 16;
const attribute_header_bytes = 4;
/** The two upper bits of an attribute's type are flags: nested, byte order. */
const attribute_type_mask = 0x3fff;

export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** What follows the header. */
  readonly body: Buffer;
}

/** @param fixed the message's own structure, which comes before the attributes */
export function encodeMessage(
  type: number,
  flags: number,
  sequence: number,
  fixed: Uint8Array,
  attributes: readonly Attribute[] = [],
): Buffer {
  const parts: Uint8Array[] = [padded(fixed)];
  for (const { type: kind, value } of attributes) {
    const head = Buffer.alloc(attribute_header_bytes);
    head.writeUInt16LE(attribute_header_bytes + value.length, 0);
    head.writeUInt16LE(kind, 2);
    parts.push(head, padded(value));
  }
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(header_bytes);
  header.writeUInt32LE(header_bytes + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

/** All messages of one or more datagrams. What is cut short or has an impossible length ends the list. */
export function decodeMessages(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + header_bytes <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < header_bytes || at + length > bytes.length) break;
    messages.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      body: bytes.subarray(at + header_bytes, at + length),
    });
    at += align(length);
  }
  return messages;
}

/** Attributes by type; of several with one type the last one counts. */
export function decodeAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + attribute_header_bytes <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < attribute_header_bytes || at + length > bytes.length) break;
    attributes.set(bytes.readUInt16LE(at + 2) & attribute_type_mask, bytes.subarray(at + attribute_header_bytes, at + length));
    at += align(length);
  }
  return attributes;
}

function align(length: number): number {
  return (length + 3) & ~3;
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length === align(bytes.length)) return bytes;
  const wider = new Uint8Array(align(bytes.length));
  wider.set(bytes);
  return wider;
}
