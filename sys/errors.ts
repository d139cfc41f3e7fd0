import { constants } from "node:os";

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

/** Codes that the runtime's own table lacks (errno(3), asm-generic/errno.h). */
const further_codes: Readonly<Record<string, number>> = {
  ENOTBLK: 15,
  ECHRNG: 44,
  EL2NSYNC: 45,
  EL3HLT: 46,
  EL3RST: 47,
  ELNRNG: 48,
  EUNATCH: 49,
  ENOCSI: 50,
  EL2HLT: 51,
  EBADE: 52,
  EBADR: 53,
  EXFULL: 54,
  ENOANO: 55,
  EBADRQC: 56,
  EBADSLT: 57,
  EBFONT: 59,
  ENONET: 64,
  ENOPKG: 65,
  EREMOTE: 66,
  EADV: 68,
  ESRMNT: 69,
  ECOMM: 70,
  EDOTDOT: 73,
  ENOTUNIQ: 76,
  EBADFD: 77,
  EREMCHG: 78,
  ELIBACC: 79,
  ELIBBAD: 80,
  ELIBSCN: 81,
  ELIBMAX: 82,
  ELIBEXEC: 83,
  ERESTART: 85,
  ESTRPIPE: 86,
  EUSERS: 87,
  ESOCKTNOSUPPORT: 94,
  EPFNOSUPPORT: 96,
  ESHUTDOWN: 108,
  ETOOMANYREFS: 109,
  EHOSTDOWN: 112,
  EUCLEAN: 117,
  ENOTNAM: 118,
  ENAVAIL: 119,
  EISNAM: 120,
  EREMOTEIO: 121,
  ENOMEDIUM: 123,
  EMEDIUMTYPE: 124,
  ENOKEY: 126,
  EKEYEXPIRED: 127,
  EKEYREVOKED: 128,
  EKEYREJECTED: 129,
  EOWNERDEAD: 130,
  ENOTRECOVERABLE: 131,
  ERFKILL: 132,
  EHWPOISON: 133,
};

/** EAGAIN and EWOULDBLOCK, ENOTSUP and EOPNOTSUPP share a number: the first name is the one that errno(3) pages use. */
const aliases = new Set(["EWOULDBLOCK", "ENOTSUP"]);

/** errno by symbol, as on x86-64 and arm64. */
export const errno_by_code: ReadonlyMap<string, number> = new Map(
  [...Object.entries(constants.errno), ...Object.entries(further_codes)].filter(([code]) => !aliases.has(code)),
);

const code_by_errno: ReadonlyMap<number, string> = new Map([...errno_by_code].map(([code, errno]) => [errno, code]));

/** The symbol of an errno: `EBUSY`; `E999` for a number that has none. */
export function codeOf(errno: number): string {
  return code_by_errno.get(errno) ?? `E${errno}`;
}

/** Whether `error` is a failed system call that left this symbol. */
export function isSysError(error: unknown, code: string): error is SysError {
  return error instanceof SysError && error.code === code;
}
