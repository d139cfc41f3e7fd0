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
}

/** wait.h */
const P_ALL = 0;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
/** siginfo_t on 64-bit: si_signo, si_errno, si_code, padding, then si_pid. */
const siginfo_bytes = 128;
const siginfo_pid_at = 16;

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
  };
}

function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}
