/** Processes: waiting for them, signals to them. */

import { constants } from "node:os";
import { isSysError } from "./errors.ts";
import type { Libc } from "./libc.ts";

export type { PowerCalls, RebootCommand } from "./power.ts";

export interface ProcessCalls {
  /** waitid(2) P_ALL with WEXITED|WNOHANG|WNOWAIT: the pid of a dead child that nobody has collected yet, or null. */
  peekDead(): number | null;
  /** waitpid(2) for this pid with WNOHANG; null when it is not dead yet. @throws {SysError} ECHILD when it is not ours */
  collect(pid: number): { readonly status: number | null; readonly signal: number | null } | null;
  /** kill(2). @throws {SysError} ESRCH when there is no such process */
  kill(pid: number, signal: number): void;
  /**
   * pidfd_open(2): a descriptor that means this very process for as long as it is open, whoever has its pid later. Closed
   * with `descriptor.close`. @throws {SysError} ESRCH
   */
  openPid(pid: number): number;
  /** pidfd_send_signal(2); 0 asks only whether it is there. @throws {SysError} ESRCH when it has ended and was collected */
  signal(pidfd: number, signal: number): void;
  /** setpriority(2), -20 to 19: of the process and not of its threads alone. @throws {SysError} ESRCH */
  setNice(pid: number, nice: number): void;
  /** ioprio_get(2). @throws {SysError} ESRCH */
  ioPriority(pid: number): IoPriority;
  /** ioprio_set(2). @throws {SysError} ESRCH, EPERM for `realtime` without the right */
  setIoPriority(pid: number, priority: IoPriority): void;
  /** prlimit(2); null means no limit. @throws {SysError} ESRCH */
  limit(pid: number, resource: ProcessLimit): LimitPair;
  /** prlimit(2). @throws {SysError} ESRCH, EINVAL when the soft one is above the hard one */
  setLimit(pid: number, resource: ProcessLimit, pair: LimitPair): void;
}

/** ioprio_set(2): `none` follows the nice value; level 0 is the most, 7 the least. */
interface IoPriority {
  readonly class: "none" | "realtime" | "best-effort" | "idle";
  readonly level: number;
}
const io_classes = ["none", "realtime", "best-effort", "idle"] as const;

/** asm-generic/resource.h */
export const process_limits = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  sigpending: 11,
  msgqueue: 12,
} as const;
export type ProcessLimit = keyof typeof process_limits;
interface LimitPair {
  readonly soft: number | null;
  readonly hard: number | null;
}

/** wait.h */
const P_ALL = 0;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
/** siginfo_t on 64-bit: si_signo, si_errno, si_code, padding, then si_pid. */
const siginfo_bytes = 128;
const siginfo_pid_at = 16;
/** asm/unistd.h; from 424 on they are the same everywhere. */
const call_numbers = {
  pidfd_send_signal: 424,
  pidfd_open: 434,
  ...(process.arch === "arm64" ? { ioprio_set: 30, ioprio_get: 31 } : { ioprio_set: 251, ioprio_get: 252 }),
};
const PRIO_PROCESS = 0;
const IOPRIO_WHO_PROCESS = 1;
const io_class_shift = 13;
const no_limit = 0xffff_ffff_ffff_ffffn;

export function processCalls(libc: Libc): ProcessCalls {
  return {
    peekDead() {
      const siginfo = Buffer.alloc(siginfo_bytes);
      try {
        libc.call("waitid", [P_ALL, 0, siginfo, WEXITED | WNOHANG | WNOWAIT], "waitid for any dead child");
      } catch (error) {
        if (isSysError(error, "ECHILD")) return null; // no child at all, dead or alive
        throw error;
      }
      const pid = siginfo.readInt32LE(siginfo_pid_at);
      return pid === 0 ? null : pid;
    },
    collect(pid) {
      const word = Buffer.alloc(4);
      if (libc.call("waitpid", [pid, word, WNOHANG], `waitpid for process ${pid}`) === 0) return null;
      const status = word.readInt32LE(0);
      const signal = status & 0x7f;
      return signal === 0 ? { status: (status >> 8) & 0xff, signal: null } : { status: null, signal };
    },
    kill(pid, signal) {
      libc.call("kill", [pid, signal], `kill process ${pid} with ${signalName(signal)}`);
    },
    openPid: (pid) => libc.call("syscall", [call_numbers.pidfd_open, pid, 0], `pidfd_open of process ${pid}`),
    signal(pidfd, signal) {
      const about = `send ${signalName(signal)} to the process of descriptor ${pidfd}`;
      libc.call("syscall", [call_numbers.pidfd_send_signal, pidfd, signal, null, 0], about);
    },
    setNice(pid, nice) {
      libc.call("setpriority", [PRIO_PROCESS, pid, nice], `set the nice value of process ${pid} to ${nice}`);
    },
    ioPriority(pid) {
      const value = libc.call("syscall", [call_numbers.ioprio_get, IOPRIO_WHO_PROCESS, pid], `ioprio_get of process ${pid}`);
      return { class: io_classes[(value >> io_class_shift) & 3] ?? "none", level: value & 7 };
    },
    setIoPriority(pid, priority) {
      const value = (io_classes.indexOf(priority.class) << io_class_shift) | priority.level;
      libc.call("syscall", [call_numbers.ioprio_set, IOPRIO_WHO_PROCESS, pid, value], `ioprio_set of process ${pid} to ${priority.class}`);
    },
    limit(pid, resource) {
      const pair = Buffer.alloc(16);
      libc.call("prlimit", [pid, process_limits[resource], null, pair], `prlimit "${resource}" of process ${pid}`);
      return { soft: limitOf(pair.readBigUInt64LE(0)), hard: limitOf(pair.readBigUInt64LE(8)) };
    },
    setLimit(pid, resource, { soft, hard }) {
      const pair = Buffer.alloc(16);
      pair.writeBigUInt64LE(soft === null ? no_limit : BigInt(soft), 0);
      pair.writeBigUInt64LE(hard === null ? no_limit : BigInt(hard), 8);
      libc.call("prlimit", [pid, process_limits[resource], pair, null], `prlimit "${resource}" of process ${pid}`);
    },
  };
}

function limitOf(value: bigint): number | null {
  return value === no_limit ? null : Number(value);
}

function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}
