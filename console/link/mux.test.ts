import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Channel, Mux, window_bytes } from "./mux.ts";

/** Two ends with a byte pipe in each direction that a test empties in pieces of its choice. */
function pair() {
  const to_guest: Buffer[] = [];
  const to_host: Buffer[] = [];
  const received = new Map<number, { bytes: Buffer; closed: boolean; channel: Channel }>();
  let opened = 0;
  const guest = new Mux({
    role: "guest",
    send: (bytes) => void to_host.push(Buffer.from(bytes)),
    onOpen(channel) {
      const mine = { bytes: Buffer.alloc(0), closed: false, channel };
      received.set(opened++, mine);
      return {
        onData: (bytes) => {
          mine.bytes = Buffer.concat([mine.bytes, bytes]);
          channel.taken(bytes.length);
        },
        onWritable: () => {},
        onClose: () => {
          mine.closed = true;
          channel.close();
        },
      };
    },
  });
  let session = 0;
  const host = new Mux({ role: "host", send: (bytes) => void to_guest.push(Buffer.from(bytes)), newSession: () => ++session });
  const move = (from: Buffer[], to: Mux, count: number): boolean => {
    const all = Buffer.concat(from.splice(0));
    if (all.length === 0) return false;
    to.receive(all.subarray(0, count));
    if (count < all.length) from.unshift(all.subarray(count));
    return true;
  };
  const settle = (count = 1 << 30): void => {
    for (let round = 0; round < 100_000; round += 1) {
      const a = move(to_guest, guest, count);
      const b = move(to_host, host, count);
      if (!a && !b) return;
    }
    throw new Error("the two ends never come to rest");
  };
  return { guest, host, to_guest, to_host, received, move, settle };
}

const silent = { onData: () => {}, onWritable: () => {}, onClose: () => {} };

function opened(host: Mux): Channel {
  const channel = host.open(() => silent);
  if (channel === null) throw new Error("no channel could be opened");
  return channel;
}

test("any interleaving of channels, cut anywhere, arrives whole, in order and on its own channel", () => {
  const writes = fc.array(fc.tuple(fc.nat(4), fc.uint8Array({ maxLength: 3000 })), { maxLength: 40 });
  fc.assert(
    fc.property(writes, fc.integer({ min: 1, max: 5000 }), (list, piece) => {
      const ends = pair();
      ends.host.start();
      ends.guest.start();
      ends.settle(piece);
      const channels = [0, 1, 2, 3, 4].map(() => opened(ends.host));
      const sent = channels.map((): Buffer[] => []);
      for (const [index, bytes] of list) {
        const taken = channels[index]?.write(bytes) ?? 0;
        sent[index]?.push(Buffer.from(bytes.subarray(0, taken)));
        if (bytes.length % 3 === 0) ends.move(ends.to_guest, ends.guest, piece);
      }
      for (const channel of channels) channel.close();
      ends.settle(piece);
      for (const [index, bytes] of sent.entries()) {
        expect(ends.received.get(index)?.bytes.equals(Buffer.concat(bytes))).toBe(true);
        expect(ends.received.get(index)?.closed).toBe(true);
      }
      expect(ends.host.open_channels).toBe(0);
      expect(ends.guest.open_channels).toBe(0);
    }),
    { numRuns: 150 },
  );
});

test("after any garbage, in either direction, a new session comes and works", () => {
  const step = fc.record({ garbage: fc.uint8Array({ maxLength: 400 }), to: fc.constantFrom("guest", "host"), cut: fc.nat(5000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const ends = pair();
      ends.host.start();
      ends.guest.start();
      for (const { garbage, to, cut } of steps) {
        ends.host.open(() => silent)?.write(new Uint8Array(1000));
        ends.move(ends.to_guest, ends.guest, cut);
        (to === "guest" ? ends.to_guest : ends.to_host).unshift(Buffer.from(garbage));
        ends.settle();
      }
      // The line is made anew, in the middle of whatever was on it.
      ends.host.start();
      ends.settle();
      ends.host.tick();
      ends.settle();
      expect(ends.host.up).toBe(true);
      const before = ends.received.size;
      opened(ends.host).write(Buffer.from("still there"));
      ends.settle();
      expect(ends.received.get(before)?.bytes.toString()).toBe("still there");
    }),
    { numRuns: 200 },
  );
});

test("a restarted guest in the middle of a frame gets a new session, and the old channels end", () => {
  const ends = pair();
  ends.host.start();
  ends.guest.start();
  ends.settle();
  const closed: boolean[] = [];
  ends.host.open(() => ({ ...silent, onClose: () => closed.push(true) }))?.write(new Uint8Array(8000));
  ends.move(ends.to_guest, ends.guest, 700);
  ends.guest.stop();
  ends.guest.start();
  ends.settle();
  expect(closed).toEqual([true]);
  expect(ends.host.up && ends.guest.up).toBe(true);
  expect(ends.host.open_channels).toBe(0);
});

test("a channel that nobody reads takes one window and no more, and stops no other", () => {
  const ends = pair();
  ends.host.start();
  ends.guest.start();
  ends.settle();
  const stuck: Channel[] = [];
  let got = 0;
  const channel = ends.host.open((mine) => {
    stuck.push(mine);
    return {
      ...silent,
      onData: (bytes) => {
        got += bytes.length;
      },
    };
  });
  ends.settle();
  const there = ends.received.get(0)?.channel;
  expect(there?.write(new Uint8Array(3 * window_bytes))).toBe(window_bytes);
  expect(there?.write(new Uint8Array(1))).toBe(0);
  ends.settle();
  expect(got).toBe(window_bytes);
  const other = opened(ends.host);
  other.write(Buffer.from("hello"));
  ends.settle();
  expect(ends.received.get(1)?.bytes.toString()).toBe("hello");
  channel?.taken(got);
  ends.settle();
  expect(there?.write(new Uint8Array(10))).toBe(10);
});
