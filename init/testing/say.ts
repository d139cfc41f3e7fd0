/** A foreign program for tests: says each of its arguments by sd_notify(3), a moment apart, then stays. */

import { openLibc } from "../../sys/libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const pause_ms = 100;

export async function say(messages: readonly string[]): Promise<void> {
  const libc = openLibc();
  const path = Buffer.from(`${process.env["NOTIFY_SOCKET"] ?? ""}\0`);
  const address = Buffer.alloc(2 + path.length);
  address.writeUInt16LE(AF_UNIX, 0);
  address.set(path, 2);
  const fd = libc.call("socket", [AF_UNIX, SOCK_DGRAM, 0], "socket");
  for (const message of messages) {
    const bytes = Buffer.from(message);
    libc.call("sendto", [fd, bytes, bytes.length, 0, address, address.length], `sendto "${path}"`);
    await Bun.sleep(pause_ms);
  }
  setInterval(() => {}, 1000);
}
