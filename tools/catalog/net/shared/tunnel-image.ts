/** The before-image of a tunnel: its declarations, the interface as it was, and its keys as a file that only the broker has. */

import { existsSync } from "node:fs";
import { z } from "zod";
import type { Context } from "../../../context.ts";
import { ToolError } from "../../../tool.ts";
import { KeptFile } from "../../../undo/images.ts";
import { declared_prefix } from "./declared-links.ts";
import { changeLinks, InterfaceState, readInterface } from "./ip.ts";
import { planLines } from "./plan.ts";
import { applyTunnel, declaredTunnel, keepSecrets, readTunnels, secretsFile, Tunnel, tunnel_prefix } from "./wireguard.ts";

export const TunnelImage = z.lazy(() =>
  z.strictObject({
    name: z.string(),
    state: InterfaceState.nullable(),
    tunnel: Tunnel.nullable(),
    declared: z.unknown(),
    secrets: KeptFile.nullable(),
  }),
);
export type TunnelImage = z.infer<typeof TunnelImage>;

export async function tunnelImage(name: string, state: InterfaceState | null, context: Context): Promise<TunnelImage> {
  const { places, images, sys } = context;
  const file = secretsFile(places, name);
  let secrets: KeptFile | null = null;
  if (existsSync(file)) {
    const fd = sys.file.open("cwd", file, ["read", "nofollow"]);
    try {
      secrets = await images.keepFile(fd, "copy");
    } finally {
      sys.descriptor.close(fd);
    }
  }
  const declared = context.state.get(declared_prefix + name) ?? null;
  return { name, state, tunnel: declaredTunnel(context.state, name), declared, secrets };
}

/** Declarations first: whatever interrupts it, the next start makes of them what they say. */
export async function undoTunnel({ name, state, tunnel, declared, secrets }: TunnelImage, _past: unknown, context: Context): Promise<void> {
  keepSecrets(context.places, name, secrets === null ? null : context.images.read(secrets));
  putOr(context, declared_prefix + name, declared);
  putOr(context, tunnel_prefix + name, tunnel);
  await changeLinks(context, planLines(await readInterface(context, name), state));
  if (state !== null && tunnel !== null) await applyTunnel(context, name, tunnel);
}

function putOr({ state }: Context, key: string, value: unknown): void {
  if (value === null) state.delete(key);
  else state.put(key, value);
}

/** @throws {ToolError} */
export async function verifyTunnelUndone({ name, state, tunnel }: TunnelImage, _past: unknown, context: Context): Promise<void> {
  const found = await readInterface(context, name);
  const fail = (why: string): never => {
    throw new ToolError(`restoring the tunnel "${name}" failed: ${why}`);
  };
  if (state === null) return found === null ? undefined : fail("it is still there");
  if (found === null) return fail("it is not there");
  for (const key of ["up", "mtu", "addresses", "routes"] as const)
    if (!Bun.deepEquals(found[key], state[key])) fail(`${key} is ${JSON.stringify(found[key])}, not ${JSON.stringify(state[key])}`);
  if (tunnel !== null) await demandPeers(context, name, tunnel);
}

/** @throws {ToolError} unless the kernel has just these peers */
export async function demandPeers(context: Context, name: string, { peers }: Tunnel): Promise<void> {
  const now = (await readTunnels(context)).find((one) => one.name === name)?.peers ?? [];
  const [have, want] = [now, peers].map((all) => all.map(({ public_key }) => public_key).sort());
  if (!Bun.deepEquals(have, want))
    throw new ToolError(
      `setting up the tunnel "${name}" failed: it has the peers ${have?.join(", ") || "none"}, not ${want?.join(", ") || "none"}`,
    );
}
