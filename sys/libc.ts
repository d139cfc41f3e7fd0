/** The C library by ffi-rs: the one place where a number, a string or a buffer becomes an argument in a register. */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { lib_dir } from "../contracts/paths.ts";
import { codeOf, SysError } from "./errors.ts";

/** `null` is NULL. A number fills a register; a callee that takes an int looks at its lower half. */
type Argument = number | string | Uint8Array | null;

export interface Libc {
  /**
   * Calls `name`, which says failure by -1.
   * @param about what is being done and to what, for the error: `mount "proc" on "/proc"`
   * @throws {SysError} with the errno that the call left
   */
  call(name: string, args: readonly Argument[], about: string): number;
  /** The same, for where -1 is an answer too. `errno` is null when the call did not fail. */
  attempt(name: string, args: readonly Argument[]): { readonly value: number; readonly errno: number | null };
  /** Calls `name` on a thread of its own: for what may block for long. Its answer is not looked at: errno stays in that thread. */
  aside(name: string, args?: readonly string[]): Promise<void>;
  /** As `call`, with numbers, on a thread of its own: for what waits for a disk. @throws {SysError} */
  callAside(name: string, args: readonly number[], about: string): Promise<void>;
  /** The error for an errno, with its symbol and its text, strerror(3). */
  error(about: string, errno: number): SysError;
}

type Ffi = typeof import("ffi-rs");

/** A compiled executable finds nothing by itself: the image keeps native packages beside `lib_dir`. */
function loadFfi(): Ffi {
  const in_image = existsSync(`${lib_dir}/node_modules/ffi-rs`);
  const compiled = import.meta.dir.startsWith("/$bunfs/"); // from there no package can be resolved
  return createRequire(in_image ? `${lib_dir}/` : compiled ? `${process.cwd()}/` : import.meta.url)("ffi-rs");
}

/** Opens the C library that the runtime itself uses. @throws when ffi-rs cannot be loaded */
export function openLibc(): Libc {
  const ffi = loadFfi();
  const library = "libc";
  ffi.open({ library, path: "" }); // dlopen(3) with no name: the program itself, and libc with it
  const { I64, I32, String: Text, U8Array } = ffi.DataType;

  const typeOf = (argument: Argument) => {
    if (typeof argument === "string") return Text;
    return argument === null || typeof argument === "number" ? I64 : U8Array;
  };
  const attempt = (name: string, args: readonly Argument[]) => {
    for (const argument of args)
      if (typeof argument === "string" && argument.includes("\0"))
        throw new SysError(`${name} with ${JSON.stringify(argument)}`, 22, "EINVAL", "a zero byte in a string");
    const answer = ffi.load({
      library,
      funcName: name,
      retType: long_results.has(name) ? I64 : I32,
      paramsType: args.map(typeOf),
      paramsValue: args.map((argument) => (argument === null ? 0 : asBuffer(argument))),
      errno: true as const,
    });
    // errno is only written by a call that fails: after one that succeeds it is that of some earlier call
    return { value: answer.value, errno: answer.value === -1 ? answer.errnoCode : null };
  };
  const error = (about: string, errno: number): SysError => {
    const text = ffi.load({ library, funcName: "strerror", retType: Text, paramsType: [I32], paramsValue: [errno] });
    return new SysError(about, errno, codeOf(errno), text);
  };
  return {
    attempt,
    error,
    async aside(name, args = []) {
      await ffi.load({
        library,
        funcName: name,
        retType: I32,
        paramsType: args.map(() => Text),
        paramsValue: [...args],
        runInNewThread: true,
      });
    },
    async callAside(name, args, about) {
      const paramsType = args.map(() => I64);
      const options = { library, funcName: name, retType: I32, paramsType, paramsValue: [...args] };
      const { value, errnoCode } = await ffi.load({ ...options, errno: true as const, runInNewThread: true as const });
      if (value === -1) throw error(about, errnoCode);
    },
    call(name, args, about) {
      const { value, errno } = attempt(name, args);
      if (errno !== null) throw error(about, errno);
      return value;
    },
  };
}

/** Functions that return ssize_t, off_t, long or a pointer. */
const long_results: ReadonlySet<string> = new Set([
  ...["syscall", "read", "write", "recv", "send", "sendto", "recvfrom", "lseek", "malloc"],
  ...["readlink", "readlinkat", "getdents64", "copy_file_range", "getxattr", "listxattr"],
]);

function asBuffer(argument: number | string | Uint8Array): number | string | Buffer {
  return argument instanceof Uint8Array ? Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength) : argument;
}
