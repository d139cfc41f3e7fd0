/** The machine config, `aios.yaml`. Unknown keys are refused; everything has a default, so an empty file is a config. */

import { z } from "zod";
import { StrategicConfig } from "./model/provider.ts";
import { type CoreService, core_services, ServiceName } from "./service.ts";

const Hostname = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "a host name is 1 to 63 of a-z 0-9 -, not at the ends (RFC 1123)");
const InterfaceName = z.string().regex(/^[^\s/:]{1,15}$/, "an interface name is 1 to 15 characters without space, / and :");
const Mac = z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i, "a MAC address is six hexadecimal bytes joined by :");
const Cidr = z.union([z.cidrv4(), z.cidrv6()]);
const Address = z.union([z.ipv4(), z.ipv6()]);
const Bytes = z.int().min(1024 * 1024);

export const InterfaceConfig = z
  .strictObject({
    /** Which device this is about: its kernel name or its MAC address. */
    match: z.union([z.strictObject({ name: InterfaceName }), z.strictObject({ mac: Mac })]),
    dhcp: z.boolean().default(false),
    addresses: z.array(Cidr).max(32).default([]),
    gateway: Address.optional(),
    routes: z
      .array(z.strictObject({ to: Cidr, via: Address }))
      .max(64)
      .default([]),
    mtu: z.int().min(576).max(65535).optional(),
    dns: z.array(Address).max(3).default([]),
  })
  .refine((value) => value.dhcp || value.addresses.length > 0, "an interface needs dhcp: true or at least one address");
export type InterfaceConfig = z.infer<typeof InterfaceConfig>;

/** Limits of one cgroup (cgroup v2: cpu.weight, memory.high, memory.max, pids.max). */
export const Limits = z.strictObject({
  cpu_weight: z.int().min(1).max(10000).optional(),
  memory_high_bytes: Bytes.optional(),
  memory_max_bytes: Bytes.optional(),
  pids_max: z.int().min(4).max(65536).optional(),
});
export type Limits = z.infer<typeof Limits>;

export const ServiceConfig = z.strictObject({
  enabled: z.boolean().default(true),
  limits: Limits.default({}),
  /** Milliseconds without a heartbeat after which the service counts as hung. */
  heartbeat_ms: z.int().min(500).max(600_000).optional(),
});

/** A program in the image that runs as one more service. */
export const ExtraService = z.strictObject({
  argv: z.array(z.string().min(1).max(4096)).min(1).max(64),
  after: z.array(ServiceName).max(16).default([]),
  /** `notify`: it says READY=1 by sd_notify(3). `exec`: it counts as ready once it runs. */
  ready: z.enum(["exec", "notify"]).default("exec"),
  /** Milliseconds; with `notify`, WATCHDOG=1 has to come within this time. 0: no watchdog. */
  heartbeat_ms: z.int().min(0).max(600_000).default(0),
  uid: z.int().min(1).max(65533).default(900),
  sandbox: z.boolean().default(true),
  network: z.boolean().default(false),
  limits: Limits.default({}),
});
export type ExtraService = z.infer<typeof ExtraService>;

/** An absolute path without a way up in it. */
export const PlainPath = z
  .string()
  .max(4095)
  .regex(/^\/[^\0]*$/, "an absolute path")
  .refine((path) => !path.split("/").includes(".."), 'a path without ".."');

/** What a secret or certificate of the vault is called; also the name of a file. */
export const SecretName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "a lower-case letter, then up to 62 of a-z 0-9 -");

/** Uids of services that the broker defines, one each: none of the system's own, none of tools' programs. */
export const defined_uids = { first: 20_000, last: 59_999 } as const;

/**
 * A service that the broker defines while the system runs. It is always sandboxed, in slice `work`, and never root; PID 1
 * keeps it until the system goes down, the broker for longer.
 */
export const DefinedService = ExtraService.omit({ sandbox: true, uid: true }).extend({
  uid: z.int().min(defined_uids.first).max(defined_uids.last),
  env: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/),
      z
        .string()
        .max(4096)
        .regex(/^[^\0]*$/),
    )
    .default({}),
  /** Folders and files that it may change, as far as their owner lets it. They are there already. */
  writes: z.array(PlainPath).max(17).default([]),
  /** Another root instead of the system's own: a userland. */
  root: PlainPath.nullable().default(null),
  /** Whether it is started again when it ends by itself: whatever its status, unless that is 0, or not at all. */
  restart: z.enum(["always", "on-failure", "never"]).default("always"),
  /** What the broker hands it as files: it sees the folder `secretsFolder` of its name as `secrets_inside`. */
  secrets: z.array(SecretName).max(16).default([]),
  certificates: z.array(SecretName).max(16).default([]),
});
export type DefinedService = z.infer<typeof DefinedService>;

/** From where packages come. No key of anybody is trusted but the one that is named for it. */
export const PackageSource = z
  .strictObject({
    /** A mirror, or a folder on the data partition. */
    uri: z
      .string()
      .max(500)
      .regex(
        /^(https?:\/\/[A-Za-z0-9.:[\]_~%/+@-]+|file:\/[A-Za-z0-9._~+/-]+)$/,
        "http://…, https://… or file:/… (a folder on the data partition), without spaces",
      )
      .refine((uri) => !uri.split("/").includes(".."), 'a path without ".."'),
    /** `trixie`; one that ends in `/` is the folder of a repository without components (sources.list(5)). */
    suite: z.string().regex(/^[A-Za-z0-9.][A-Za-z0-9._/-]{0,99}$/, "a suite is 1 to 100 of A-Z a-z 0-9 . _ / -"),
    components: z
      .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/, "a component is 1 to 64 of A-Z a-z 0-9 . _ / -"))
      .max(8)
      .default([]),
    /** The OpenPGP key that its Release file has to be signed with; left out: Debian's own, as the base of the userland has them. */
    signed_by: z
      .string()
      .max(65_536)
      .regex(
        /^\s*-----BEGIN PGP PUBLIC KEY BLOCK-----[\x20-\x7e\s]*-----END PGP PUBLIC KEY BLOCK-----\s*$/,
        "a public key in ASCII armour: -----BEGIN PGP PUBLIC KEY BLOCK----- …",
      )
      .optional(),
  })
  .refine(({ suite, components }) => suite.endsWith("/") === (components.length === 0), {
    message: "a suite has components (main); only one that ends in / has none",
  });
export type PackageSource = z.infer<typeof PackageSource>;

/** The userland into which tools install packages. */
export const PackagesConfig = z.strictObject({
  sources: z.array(PackageSource).max(16).default([]),
  /** How many generations may lie upon each other; each is a layer of its own. */
  generations_max: z.int().min(2).max(60).default(48),
});
export type PackagesConfig = z.infer<typeof PackagesConfig>;

/** For tests and demonstrations: how much sooner than in earnest the sensors look, and alarms are raised and cleared. */
export const SensorsConfig = z.strictObject({ pace: z.int().min(1).max(60).default(1) });
export type SensorsConfig = z.infer<typeof SensorsConfig>;

/** Of the system's own services. */
const CoreServices = z.strictObject({
  ...(Object.fromEntries(core_services.map((name) => [name, ServiceConfig.optional()])) as Record<
    CoreService,
    z.ZodOptional<typeof ServiceConfig>
  >),
  console: ServiceConfig.refine(({ enabled }) => enabled, "the console cannot be switched off: it is the only way in").optional(),
});

export const MachineConfig = z.strictObject({
  version: z.literal(1).default(1),
  hostname: Hostname.default("aios"),
  network: z
    .strictObject({
      /** What an Ethernet device does that no entry matches. */
      default: z.enum(["dhcp", "none"]).default("dhcp"),
      interfaces: z.array(InterfaceConfig).max(32).default([]),
      dns: z.array(Address).max(3).default([]),
      ntp: z.array(z.string().min(1).max(253)).max(8).default([]),
    })
    .prefault({}),
  console: z
    .strictObject({
      /** Public keys of the operators, one authorized_keys line each (sshd(8)). */
      keys: z.array(z.string().min(1).max(2048)).max(64).default([]),
    })
    .prefault({}),
  services: CoreServices.default({}),
  extra_services: z.record(ServiceName, ExtraService).default({}),
  tiers: z
    .strictObject({
      operational: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
      tactical: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
      strategic: StrategicConfig.prefault({}),
    })
    .prefault({}),
  models: z
    .strictObject({
      /** False: no model runs on this machine, neither of sentences nor of a tier; memory is searched by word alone. */
      local: z.boolean().default(true),
    })
    .prefault({}),
  packages: PackagesConfig.prefault({}),
  sensors: SensorsConfig.prefault({}),
  /** Limits by slice of the cgroup tree. */
  limits: z.strictObject({ system: Limits.default({}), tiers: Limits.default({}), work: Limits.default({}) }).prefault({}),
  watchdog: z.strictObject({ timeout_s: z.int().min(5).max(600).default(30) }).prefault({}),
});
export type MachineConfig = z.infer<typeof MachineConfig>;
