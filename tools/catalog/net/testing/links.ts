/** Two ends of a cable, for cases: the namespaces are the case's own and the same for all its worlds, which begin with the same devices. */

export function ip(...args: string[]): string {
  const { stdout, stderr, success } = Bun.spawnSync(["/sbin/ip", ...args]);
  if (!success) throw new Error(`ip ${args.join(" ")} failed: ${stderr.toString()}`);
  return stdout.toString();
}

export function nft(...args: string[]): string {
  return Bun.spawnSync(["/usr/sbin/nft", ...args]).stdout.toString();
}

export function fresh(): void {
  for (const name of ["left", "lan", "wg0"]) Bun.spawnSync(["/sbin/ip", "link", "delete", name]);
  for (const table of ["aios", "aios_bans"]) nft("delete", "table", "inet", table);
  ip("link", "set", "lo", "up");
  ip("link", "add", "left", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "right", "address", "02:00:00:00:00:02");
  ip("link", "set", "left", "up");
  ip("link", "set", "right", "up");
  ip("address", "add", "192.0.2.1/24", "dev", "left");
  ip("route", "add", "198.51.100.0/24", "via", "192.0.2.254", "dev", "left");
}
