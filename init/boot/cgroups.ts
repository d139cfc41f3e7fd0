/** The cgroup v2 tree (Documentation/admin-guide/cgroup-v2.rst): four slices under the root, services one below. */

export const cgroup_root = "/sys/fs/cgroup";

export const slices = ["init", "system", "tiers", "work"] as const;
export type Slice = (typeof slices)[number];

/** Where a service of this slice lives. PID 1 itself is in `init`. */
export function serviceCgroup(slice: Slice, service: string): string {
  return `${cgroup_root}/${slice}/${service}`;
}
