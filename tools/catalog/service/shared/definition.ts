/** What the AI says of a service, and what the broker keeps of it. */

import { z } from "zod";
import { DefinedService, Limits, PlainPath, SecretName } from "../../../../contracts/config.ts";
import { ServiceName } from "../../../../contracts/service.ts";
import { Principal } from "../../../../contracts/tool.ts";
import type { Context } from "../../../context.ts";
import { currentMount } from "../../pkg/shared/folders.ts";

const Text = z
  .string()
  .max(4096)
  .regex(/^[^\0]*$/, "a text without zero bytes");
const Variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "a variable's name: a letter or _, then up to 63 letters, digits and _");

export const Port = z.lazy(() => z.strictObject({ protocol: z.enum(["tcp", "udp"]), port: z.number().int().min(1).max(65_535) }));

export const Definition = z.strictObject({
  argv: z
    .array(Text)
    .min(1)
    .max(64)
    .describe("the program's absolute path (inside `root`, if that is given), then its arguments; there is no shell"),
  root: z
    .union([z.literal("userland"), PlainPath])
    .nullable()
    .default(null)
    .describe(
      'what it sees as /. null: the system\'s own root. "userland": the Debian into which pkg.install installs; each start takes the generation that is current then, so restart it after pkg.update or pkg.rollback (pkg.history names those that still run in an older one). A path: a folder with a root of its own',
    ),
  env: z.record(Variable, Text).default({}).describe("variables besides PATH, HOME and LANG"),
  writes: z
    .array(PlainPath)
    .max(16)
    .default([])
    .describe(
      "existing files and folders that it may change besides its own folder /var/lib/aios/services/NAME, as far as their owner lets its uid; it reads /srv without being let",
    ),
  network: z.boolean().default(false).describe("the system's network; otherwise it has none"),
  ports: z.array(Port).max(16).default([]).describe("ports on which it listens; net.listen opens them to others"),
  after: z.array(ServiceName).max(16).default([]).describe("services that are looked at before it starts"),
  ready: z
    .enum(["exec", "notify"])
    .default("exec")
    .describe("exec: it counts as ready once it runs. notify: it says READY=1 by sd_notify(3)"),
  heartbeat_ms: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(0)
    .describe("with notify: it hangs when it has not said WATCHDOG=1 for this long, milliseconds; 0: it is not asked for"),
  restart: z
    .enum(["always", "on-failure", "never"])
    .default("always")
    .describe("whether it is started again when it ends by itself; on-failure: unless its status was 0"),
  secrets: z
    .array(SecretName)
    .max(16)
    .default([])
    .describe("secrets of the vault (sec.secret_put) that it finds as files /run/secrets/NAME; their owner has to let it have them"),
  certificates: z
    .array(SecretName)
    .max(16)
    .default([])
    .describe("certificates of the vault that it finds as /run/secrets/NAME.crt (the chain, PEM) and /run/secrets/NAME.key"),
  limits: Limits.default({}).describe("of its cgroup: cpu_weight, memory_high_bytes, memory_max_bytes, pids_max"),
});
export type Definition = z.infer<typeof Definition>;

/** `owner`: who defined it first; that is whose it is to the policies. */
export const Stored = z.lazy(() =>
  z.strictObject({ definition: Definition, uid: z.number().int(), enabled: z.boolean(), owner: Principal }),
);
export type Stored = z.infer<typeof Stored>;

/** A link, which PID 1 follows at each start. */
export function rootPath({ root }: Pick<Definition, "root">, { places }: Pick<Context, "places">): string | null {
  return root === "userland" ? currentMount(places) : root;
}

/** Its own folder, which it may write. */
export function serviceFolder(name: string, { places }: Pick<Context, "places">): string {
  return `${places.data}/services/${name}`;
}

/** The same for PID 1. */
export function forPid1(name: string, { definition, uid }: Stored, context: Pick<Context, "places">): DefinedService {
  const { ports: _ports, ...rest } = definition;
  const root = rootPath(definition, context);
  return DefinedService.parse({ ...rest, root, uid, writes: [serviceFolder(name, context), ...definition.writes] });
}
