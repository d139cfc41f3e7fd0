/** What the kernel says when a device comes or goes (lib/kobject_uevent.c). */

export interface Uevent {
  readonly action: string;
  /** Below /sys: `/devices/pci0000:00/…/block/vdb`. */
  readonly path: string;
  readonly subsystem: string;
  /** The variables: DEVTYPE, DEVNAME, INTERFACE … */
  readonly variables: ReadonlyMap<string, string>;
}

/** One datagram: `action@path`, then `NAME=value`, each ended by a zero byte. @returns null for anything else */
export function decodeUevent(bytes: Buffer): Uevent | null {
  const [header = "", ...lines] = bytes.toString("utf8").split("\0");
  const at = header.indexOf("@");
  if (at < 1) return null; // udevd's own messages begin with "libudev"
  const variables = new Map<string, string>();
  for (const line of lines) {
    const equals = line.indexOf("=");
    if (equals > 0) variables.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const subsystem = variables.get("SUBSYSTEM");
  return subsystem === undefined ? null : { action: header.slice(0, at), path: header.slice(at + 1), subsystem, variables };
}
