/** IP addresses as text and as bytes. */

import { isIPv4, isIPv6 } from "node:net";

/** @returns 4 or 16 bytes. @throws when `text` is not an address */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text) || text.includes("%")) throw new TypeError(`reading the address "${text}" failed: it is neither IPv4 nor IPv6`);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain =
    dotted === null
      ? text
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [left = "", right] = plain.split("::");
  const groups = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The text of 4 or 16 bytes; IPv6 as RFC 5952 wants it. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0));
  const { start, length } = longestZeroRun(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}

/** `10.0.0.1/24` in its parts. @throws when it is not of that form */
export function splitCidr(cidr: string): { readonly bytes: Uint8Array; readonly prefix: number } {
  const [address = "", prefix = ""] = cidr.split("/");
  const bytes = addressBytes(address);
  const length = Number(prefix);
  if (!/^\d{1,3}$/.test(prefix) || length > bytes.length * 8)
    throw new TypeError(`reading the network "${cidr}" failed: after / comes 0 to ${bytes.length * 8}`);
  return { bytes, prefix: length };
}
