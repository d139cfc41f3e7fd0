/** What the policies get to see of a place. */

import type { Resource } from "../../contracts/tool.ts";
import type { Place } from "./place.ts";

type Attributes = Resource["attributes"];

/** One resource for each name of the place: all of them have to be allowed. */
export function resourcesOf(place: Place, access: Resource["access"], further: Attributes = {}): Resource[] {
  const attributes = { ...attributesOf(place), ...further };
  return place.names.map((id, index) => ({
    kind: "path" as const,
    id,
    access,
    attributes: index === 0 ? attributes : { ...attributes, alias_of: place.path },
  }));
}

const setuid_or_setgid = 0o6000;

function attributesOf({ status, mount }: Place): Attributes {
  const where = {
    file_system: mount.type,
    mount: mount.point,
    mount_options: mount.options.join(","),
    read_only: mount.options.includes("ro") || mount.super_options.includes("ro"),
  };
  if (status === null) return { exists: false, device: mount.device, ...where };
  const { type, mode, uid, gid, links, size_bytes, device } = status;
  return { exists: true, type, mode, uid, gid, links, size_bytes, device, setuid: (mode & setuid_or_setgid) !== 0, ...where };
}
