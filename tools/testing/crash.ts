/** A system that dies: from a chosen change on, nothing that changes anything happens any more, as after a power cut. */

import type { System } from "../../sys/system.ts";

export class Crash extends Error {
  override readonly name = "Crash";
}

const changing: ReadonlySet<string> = new Set([
  ...["makeFolder", "unlink", "rename", "link", "symlink", "setMode", "setOwner", "setTimes", "setAttribute", "removeAttribute"],
  ...["sync", "syncAll", "truncate", "copyRange", "clone", "mount", "unmount"],
]);

/** @param changes how many changes still happen */
export function crashingSystem(sys: System, changes: number): System & { readonly crashed: () => boolean } {
  let left = changes;
  const change = (): void => {
    left -= 1;
    if (left < 0) throw new Crash(`the machine went down after ${changes} changes`);
  };
  const wrap = <F extends object>(family: F): F =>
    new Proxy(family, {
      get(target, name, receiver) {
        const call: unknown = Reflect.get(target, name, receiver);
        if (typeof call !== "function" || typeof name !== "string") return call;
        return (...args: unknown[]) => {
          const creates = (name === "open" || name === "reopen") && args.some((arg) => Array.isArray(arg) && arg.some(isWriting));
          if (creates || changing.has(name)) change();
          return Reflect.apply(call, target, args);
        };
      },
    });
  return { ...sys, file: wrap(sys.file), mount: wrap(sys.mount), crashed: () => left < 0 };
}

function isWriting(wish: unknown): boolean {
  return wish === "create" || wish === "write" || wish === "read-write";
}
