/** A system call that failed, with the errno that it left. */
export class SysError extends Error {
  override readonly name = "SysError";
  constructor(
    /** The call and what it was about: `mount "proc" on "/proc"`. */
    readonly call: string,
    /** errno(3), a positive number. */
    readonly errno: number,
    /** Its symbol: `EBUSY`. */
    readonly code: string,
    text: string,
  ) {
    super(`${call} failed: ${code} (${text})`);
  }
}
