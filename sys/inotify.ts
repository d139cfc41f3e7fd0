/** inotify(7): what happens to files and in folders, as the kernel tells it. */

import { orNull } from "./descriptor.ts";
import type { Libc } from "./libc.ts";

/** linux/inotify.h */
const event_bits = {
  accessed: 0x1,
  modified: 0x2,
  attributes: 0x4,
  "closed-after-writing": 0x8,
  "moved-from": 0x40,
  "moved-to": 0x80,
  created: 0x100,
  deleted: 0x200,
  "deleted-itself": 0x400,
  "moved-itself": 0x800,
  unmounted: 0x2000,
  /** Events were lost: the queue was full. */
  overflow: 0x4000,
  /** The watch has ended. */
  ignored: 0x8000,
} as const;
export type FileEventKind = keyof typeof event_bits;

interface FileEvent {
  /** The watch that it belongs to; -1 for `overflow`. */
  readonly watch: number;
  readonly kinds: readonly FileEventKind[];
  readonly is_directory: boolean;
  /** The same for both halves of a move; else 0. */
  readonly cookie: number;
  /** Which entry of the watched folder, bytes; null when it is the watched file itself. */
  readonly name: Buffer | null;
}

export interface InotifyCalls {
  /** inotify_init1(2), without waiting. Close it as any descriptor. @throws {SysError} EMFILE */
  open(): number;
  /**
   * inotify_add_watch(2) of what `fd` (also a `path` descriptor) stands for.
   * @returns the watch's number. @throws {SysError} ENOSPC when there are too many watches
   */
  watch(inotify: number, fd: number, kinds: readonly FileEventKind[]): number;
  /** Events that are there by now; empty when there are none. @throws {SysError} */
  events(inotify: number): FileEvent[];
}

const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
const IN_ISDIR = 0x40000000;
const events_bytes = 64 * 1024;

export function inotifyCalls(libc: Libc): InotifyCalls {
  return {
    open: () => libc.call("inotify_init1", [IN_NONBLOCK | IN_CLOEXEC], "inotify_init1"),
    watch(inotify, fd, kinds) {
      const bits = kinds.reduce((sum, kind) => sum | event_bits[kind], 0);
      return libc.call("inotify_add_watch", [inotify, `/proc/self/fd/${fd}`, bits], `watch descriptor ${fd}`);
    },
    events(inotify) {
      const buffer = Buffer.alloc(events_bytes);
      const length = orNull(libc, "read", [inotify, buffer, buffer.length], "read file events");
      return length === null ? [] : decodeEvents(buffer, length);
    },
  };
}

/** struct inotify_event: watch, mask, cookie, length of the name, the name padded with zero bytes. */
function decodeEvents(buffer: Buffer, length: number): FileEvent[] {
  const events: FileEvent[] = [];
  for (let at = 0; at < length; ) {
    const mask = buffer.readUInt32LE(at + 4);
    const name_bytes = buffer.readUInt32LE(at + 12);
    const name = buffer.subarray(at + 16, at + 16 + name_bytes);
    const end = name.indexOf(0);
    events.push({
      watch: buffer.readInt32LE(at),
      kinds: kindNames.filter((kind) => (mask & event_bits[kind]) !== 0),
      is_directory: (mask & IN_ISDIR) !== 0,
      cookie: buffer.readUInt32LE(at + 8),
      name: name_bytes === 0 ? null : Buffer.from(end === -1 ? name : name.subarray(0, end)),
    });
    at += 16 + name_bytes;
  }
  return events;
}

const kindNames = Object.keys(event_bits).filter((kind): kind is FileEventKind => Object.hasOwn(event_bits, kind));
