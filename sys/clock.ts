/** Clocks: the kernel's and the one that the battery keeps. */

import { closeSync, openSync } from "node:fs";
import type { Libc } from "./libc.ts";

/** linux/time.h. Real time is Unix time and may step; the others count from boot (`boottime` also while asleep). */
const clock_ids = { realtime: 0, monotonic: 1, boottime: 7 } as const;
export type Clock = keyof typeof clock_ids;

export interface ClockCalls {
  /** clock_gettime(2), milliseconds. */
  nowMs(clock: Clock): number;
  /** clock_settime(2) of the real time, milliseconds since 1970. @throws {SysError} EPERM, EINVAL before boot */
  set(time_ms: number): void;
  /** adjtimex(2): whether a time server keeps the real time, and how far off it may be at most, milliseconds. */
  synchronisation(): { readonly synchronised: boolean; readonly error_ms: number };
  /** RTC_RD_TIME (rtc(4)): seconds since 1970, by a clock that runs in UTC. @throws {SysError} EINVAL when it holds no valid time */
  readRtc(device: string): number;
  /** RTC_SET_TIME (rtc(4)). @throws {SysError} */
  writeRtc(device: string, time_s: number): void;
}

/** linux/rtc.h: _IOR('p', 0x09, struct rtc_time), _IOW('p', 0x0a, struct rtc_time) */
const RTC_RD_TIME = 0x80247009;
const RTC_SET_TIME = 0x4024700a;
/** struct rtc_time: nine ints; tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year are read here. */
const rtc_time_bytes = 36;

/** sys/timex.h: struct timex on 64-bit; only read, with `modes` 0. */
const timex_bytes = 208;
const timex_maxerror_at = 24;
const timex_status_at = 40;
const STA_UNSYNC = 0x40;

export function clockCalls(libc: Libc): ClockCalls {
  const timespec = Buffer.alloc(16);
  return {
    nowMs(clock) {
      libc.call("clock_gettime", [clock_ids[clock], timespec], `clock_gettime ${clock}`);
      return Number(timespec.readBigInt64LE(0)) * 1000 + Number(timespec.readBigInt64LE(8)) / 1e6;
    },
    set(time_ms) {
      const wanted = Buffer.alloc(16);
      const seconds = Math.floor(time_ms / 1000);
      wanted.writeBigInt64LE(BigInt(seconds), 0);
      wanted.writeBigInt64LE(BigInt(Math.floor((time_ms - seconds * 1000) * 1e6)), 8);
      libc.call("clock_settime", [clock_ids.realtime, wanted], `clock_settime to ${new Date(time_ms).toISOString()}`);
    },
    synchronisation() {
      const timex = Buffer.alloc(timex_bytes);
      libc.call("adjtimex", [timex], "adjtimex");
      return {
        synchronised: (timex.readInt32LE(timex_status_at) & STA_UNSYNC) === 0,
        error_ms: Number(timex.readBigInt64LE(timex_maxerror_at)) / 1000,
      };
    },
    readRtc(device) {
      const fields = Buffer.alloc(rtc_time_bytes);
      withDevice(device, "r", (fd) => libc.call("ioctl", [fd, RTC_RD_TIME, fields], `RTC_RD_TIME of "${device}"`));
      return decodeRtcTime(fields);
    },
    writeRtc(device, time_s) {
      const about = `RTC_SET_TIME of "${device}"`;
      withDevice(device, "r", (fd) => libc.call("ioctl", [fd, RTC_SET_TIME, encodeRtcTime(time_s)], about));
    },
  };
}

/** @param time_s seconds since 1970 */
export function encodeRtcTime(time_s: number): Buffer {
  const date = new Date(time_s * 1000);
  const fields = Buffer.alloc(rtc_time_bytes);
  [
    date.getUTCSeconds(),
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth(),
    date.getUTCFullYear() - 1900,
    date.getUTCDay(),
  ].forEach((value, index) => {
    fields.writeInt32LE(value, index * 4);
  });
  return fields;
}

/** @returns seconds since 1970 */
export function decodeRtcTime(fields: Buffer): number {
  const field = (index: number): number => fields.readInt32LE(index * 4);
  return Date.UTC(field(5) + 1900, field(4), field(3), field(2), field(1), field(0)) / 1000;
}

function withDevice<T>(path: string, flags: string, use: (fd: number) => T): T {
  const fd = openSync(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
