/** Processes: waiting, signals, power. */

export interface ProcessCalls {
  /** waitid(2) P_ALL with WEXITED|WNOHANG|WNOWAIT: the pid of a dead child that nobody has collected yet, or null. */
  peekDead(): number | null;
  /** waitpid(2) for this pid with WNOHANG; null when it is not dead yet. @throws {SysError} ECHILD when it is not ours */
  collect(pid: number): { readonly status: number | null; readonly signal: number | null } | null;
  /** kill(2). @throws {SysError} ESRCH when there is no such process */
  kill(pid: number, signal: number): void;
}

export type RebootCommand = "restart" | "power-off" | "halt" | "kexec" | "cad-off";

export interface PowerCalls {
  /** sync(2); may block for as long as a device does. */
  sync(): void;
  /** reboot(2). `cad-off` makes Ctrl-Alt-Del send SIGINT to PID 1 instead of resetting. */
  reboot(command: RebootCommand): void;
  /** kexec_file_load(2): loads the kernel that `reboot("kexec")` then starts. */
  kexecLoad(kernel_path: string, initrd_path: string | null, command_line: string): void;
}
