/** What the machine is called, and what a process may use. */

import type { Libc } from "./libc.ts";

/** asm-generic/resource.h */
const resources = { core: 4, nproc: 6, nofile: 7, memlock: 8, sigpending: 11, msgqueue: 12, rtprio: 14 } as const;
export type LimitedResource = keyof typeof resources;

export type LimitValue = number | "infinity";
interface ResourceLimit {
  readonly soft: LimitValue;
  readonly hard: LimitValue;
}

export interface HostCalls {
  /** sethostname(2). @throws {SysError} EPERM, EINVAL when longer than 64 bytes */
  setHostname(name: string): void;
  /** setdomainname(2). @throws {SysError} EPERM, EINVAL when longer than 64 bytes */
  setDomainname(name: string): void;
  /** prlimit(2) of this process. @throws {SysError} */
  limit(resource: LimitedResource): ResourceLimit;
  /** prlimit(2) of this process; children inherit it. @throws {SysError} EPERM, EINVAL when soft is above hard */
  setLimit(resource: LimitedResource, limit: ResourceLimit): void;
}

const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

export function hostCalls(libc: Libc): HostCalls {
  return {
    setHostname(name) {
      libc.call("sethostname", [name, Buffer.byteLength(name)], `sethostname "${name}"`);
    },
    setDomainname(name) {
      libc.call("setdomainname", [name, Buffer.byteLength(name)], `setdomainname "${name}"`);
    },
    limit(resource) {
      const pair = Buffer.alloc(16);
      libc.call("prlimit64", [0, resources[resource], null, pair], `prlimit ${resource}`);
      return { soft: fromWord(pair.readBigUInt64LE(0)), hard: fromWord(pair.readBigUInt64LE(8)) };
    },
    setLimit(resource, { soft, hard }) {
      const pair = Buffer.alloc(16);
      pair.writeBigUInt64LE(toWord(soft), 0);
      pair.writeBigUInt64LE(toWord(hard), 8);
      libc.call("prlimit64", [0, resources[resource], pair, null], `prlimit ${resource} to ${soft}:${hard}`);
    },
  };
}

function fromWord(word: bigint): LimitValue {
  return word === RLIM_INFINITY ? "infinity" : Number(word);
}

function toWord(value: LimitValue): bigint {
  return value === "infinity" ? RLIM_INFINITY : BigInt(value);
}
