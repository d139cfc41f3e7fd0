import { z } from "zod";
import type { Resource } from "../../../contracts/tool.ts";
import { isSysError } from "../../../sys/errors.ts";
import type { Context, State } from "../../context.ts";
import { readMounts } from "../../paths/mounts.ts";
import { quote, showName } from "../../paths/path-text.ts";
import { type Occupied, openExisting } from "../../paths/place.ts";
import { resourcesOf } from "../../paths/resources.ts";
import { defineTool, type Target, ToolError } from "../../tool.ts";
import { fitting, joined } from "../fs/shared/answer.ts";
import { openForReading, readPart, readWhole } from "../fs/shared/content.ts";
import { doing } from "../fs/shared/failure.ts";
import { pathField } from "../fs/shared/fields.ts";
import { demandType, kernel_windows } from "../fs/shared/target.ts";
import { depth_max, type Step, walk } from "../fs/shared/walk.ts";
import { letGo } from "./shared/integrity/roots.ts";
import { document_bytes_max, packageFindings, readAdvisories } from "./shared/scan/advisories.ts";
import { byGravity, checks, Finding } from "./shared/scan/finding.ts";
import { key_file_bytes_max, keyFindings, mayHoldKeys } from "./shared/scan/keys.ts";
import { listeningFindings } from "./shared/scan/listening.ts";
import { type Installed, packagesOfSbom, packagesOfStatus } from "./shared/scan/packages.ts";
import { setuidFinding, writableFinding } from "./shared/scan/permissions.ts";

const entries_max = 1_000_000;
/** Kept of what is found; more is counted. */
const findings_max = 5000;
const answer_bytes_max = 60_000;
const tell_interval_ms = 1000;
const status_bytes_max = 64 * 1024 * 1024;
const sbom = "/usr/lib/aios/sbom.spdx.json";

const Input = z.lazy(() =>
  z.strictObject({
    checks: z
      .array(z.enum(checks))
      .min(1)
      .max(checks.length)
      .default(["listening", "setuid", "writable", "keys"])
      .describe(
        "all but `packages` without it. `listening`: ports that others reach, and whether net.listen or the definition of their service declared them; `setuid`: setuid and setgid files and file capabilities; `writable`: what everybody may write, and such folders without sticky bit; `keys`: weak keys, expired certificates, private keys that others may read; `packages`: installed packages with known vulnerabilities, by `advisories`",
      ),
    roots: z
      .array(pathField("a folder to look through with all below it on the same mount"))
      .max(16)
      .default([])
      .describe("for setuid, writable and keys; none: every mounted file system that can be written to"),
    advisories: pathField("for packages: a file with advisories in OSV's JSON, one, a list, or one on each line, up to 16 MiB").optional(),
    package_roots: z
      .array(pathField("the root of a userland, in which dpkg's status file is at var/lib/dpkg/status"))
      .max(8)
      .default([])
      .describe("for packages: these besides the image itself"),
    offset: z.number().int().min(0).max(findings_max).default(0).describe("findings to pass over"),
    limit: z.number().int().min(1).max(500).default(100).describe("findings at most"),
  }),
);
type Input = z.infer<typeof Input>;

const Output = z.lazy(() =>
  z.strictObject({
    findings: z.array(Finding).describe("the gravest first"),
    total: z.number().int().describe("of all that was found"),
    next_offset: z.number().int().nullable().describe("where to go on; null when there is nothing more"),
    seen: z.strictObject({
      files: z.number().int(),
      packages: z.number().int(),
      advisories: z.number().int(),
      unread_advisories: z.number().int().describe("documents in the file that are no advisories"),
    }),
  }),
);
type Output = z.infer<typeof Output>;

interface ScanTarget extends Target {
  readonly roots: readonly Occupied[];
  readonly package_roots: readonly Occupied[];
  readonly advisories: Occupied | null;
}

const file_checks: readonly Input["checks"][number][] = ["setuid", "writable", "keys"];
/** These look at the modes of files, never into one: policies see it as the purpose `modes`. */
const modes_checks: readonly Input["checks"][number][] = ["listening", "setuid", "writable"];

interface ScanPorts {
  /** What the tools of a family have declared. */
  declared(family: string): Pick<State, "list">;
}

export function scanTool(ports: ScanPorts) {
  return defineTool<Input, Output, ScanTarget>({
    name: "sec.scan",
    title: "Scan for weaknesses",
    description:
      "Looks for what an attacker would look for: undeclared listeners, setuid files, files that everybody may write, weak or exposed keys, packages with known vulnerabilities. Each finding says how grave it is, where, what was seen, and what to do. It changes nothing and sends nothing; whether files changed since they were well tells sec.integrity_compare. With several file systems it takes minutes: give roots and checks.",
    input: Input,
    output: Output,
    risk: "observe",
    timeout_ms: 900_000,
    idempotent: true,
    tainted: true, // names of files and processes, text of advisories
    concurrency_max: 2,
    image: null,
    resolve: (input, context) => targetOf(input, context),
    run: (target, input, context) => doing("scanning the system", () => scanned(target, input, context, ports)),
  });
}

function targetOf(input: Input, context: Context): ScanTarget {
  const opened: Occupied[] = [];
  const open = (path: string, type: "file" | "directory", what: string): Occupied => {
    const place = openExisting(context, path, "follow");
    opened.push(place);
    demandType(place, type, what);
    return place;
  };
  try {
    if (input.checks.includes("packages") && input.advisories === undefined)
      throw new ToolError('scanning packages failed: give "advisories", a file in OSV\'s JSON that was brought here (net.http, fs.write)');
    const looks = input.checks.some((one) => file_checks.includes(one));
    const paths = !looks ? [] : input.roots.length > 0 ? input.roots : writableMounts(context);
    const roots = paths.map((path) => open(path, "directory", `looking through ${quote(path)}`));
    const packages = input.checks.includes("packages");
    const package_roots = !packages
      ? []
      : input.package_roots.map((path) => open(path, "directory", `looking at the packages in ${quote(path)}`));
    const advisories =
      packages && input.advisories !== undefined
        ? open(input.advisories, "file", `reading the advisories ${quote(input.advisories)}`)
        : null;
    const modes_only = input.checks.every((one) => modes_checks.includes(one));
    const attributes = { recursive: true, ...(modes_only ? { purpose: "modes" } : {}) };
    const resources: Resource[] = [
      ...[...roots, ...package_roots].flatMap((place) => resourcesOf(place, "read", attributes)),
      ...(advisories === null ? [] : resourcesOf(advisories, "read")),
      { kind: "system", id: "weaknesses", access: "read", attributes: {} },
    ];
    return { roots, package_roots, advisories, resources, close: () => letGo(opened) };
  } catch (error) {
    letGo(opened);
    throw error;
  }
}

/** Mount points of what stores files and can be written to; devices are the kernel's. */
function writableMounts(context: Context): string[] {
  const points = readMounts()
    .filter(
      ({ type, options, super_options }) =>
        !kernel_windows.has(type) && type !== "devtmpfs" && ![...options, ...super_options].includes("ro"),
    )
    .map(({ point }) => point)
    .filter((point) => point !== "/dev" && !point.startsWith("/dev/"));
  return [...new Set(points)].filter((point) => isFolder(context, point)).slice(0, 32);
}

/** Not a file that is mounted on a file, nor what the broker hides. */
function isFolder(context: Context, path: string): boolean {
  try {
    const place = openExisting(context, path, "itself");
    place.close();
    return place.status.type === "directory" && place.path === path;
  } catch {
    return false;
  }
}

async function scanned(target: ScanTarget, input: Input, context: Context, ports: ScanPorts): Promise<Output> {
  const all: Finding[] = [];
  let total = 0;
  const found = (findings: readonly Finding[]): void => {
    total += findings.length;
    all.push(...findings.slice(0, Math.max(0, findings_max - all.length)));
  };
  const seen = { files: 0, packages: 0, advisories: 0, unread_advisories: 0 };
  if (input.checks.includes("listening")) found(listeningFindings(ports.declared, await processesOf(context)));
  if (input.checks.includes("packages") && target.advisories !== null) {
    const installed = packagesIn(target, context);
    const read = readAdvisories(advisoryText(target.advisories, context), `reading the advisories ${quote(target.advisories.path)}`);
    found(packageFindings(installed, read.advisories));
    seen.packages = installed.reduce((sum, { packages }) => sum + packages.length, 0);
    seen.advisories = read.advisories.length;
    seen.unread_advisories = read.unread;
  }
  seen.files = await filesScanned(target.roots, input, context, found);
  all.sort(byGravity);
  const page = fitting(all.slice(input.offset, input.offset + input.limit), answer_bytes_max);
  const next = input.offset + page.length;
  return { findings: page, total, next_offset: next < all.length && page.length > 0 ? next : null, seen };
}

/** Which process is of which service; a listener of the wrong one would else go unseen. */
async function processesOf({ init }: Context) {
  try {
    return (await init?.call("system.processes", {})) ?? [];
  } catch (error) {
    throw new ToolError(
      `looking at listeners failed: PID 1 does not say which process is of which service: ${error instanceof Error ? error.message : String(error)}; try again, or leave "listening" out of checks`,
    );
  }
}

async function filesScanned(
  roots: readonly Occupied[],
  input: Input,
  context: Context,
  found: (findings: readonly Finding[]) => void,
): Promise<number> {
  const wanted = new Set(input.checks);
  let [seen, told_ms] = [0, context.clock.boot_ms()];
  for (const root of roots)
    for await (const step of walk(context, root, { depth_max, entries_max: entries_max - seen })) {
      seen += 1;
      if (context.clock.boot_ms() - told_ms > tell_interval_ms) {
        told_ms = context.clock.boot_ms();
        context.output("stdout", `${seen} files\n`);
      }
      if (step.closed === "mount" || step.closed === "broker" || step.closed === "trash") continue;
      found(findingsOf(step, pathOf(root.path, step.names), wanted, context));
    }
  return seen;
}

function pathOf(root: string, names: readonly Buffer[]): string {
  if (names.length === 0) return root;
  return `${root === "/" ? "" : root}/${showName(joined(names)).name}`.slice(0, 4300);
}

function findingsOf(step: Step, where: string, wanted: ReadonlySet<Input["checks"][number]>, { sys, clock }: Context): Finding[] {
  const findings: (Finding | null)[] = [];
  if (wanted.has("setuid")) findings.push(setuidFinding(sys, step, where));
  if (wanted.has("writable")) findings.push(writableFinding(step, where));
  const { type, size_bytes, mode, gid } = step.status;
  if (wanted.has("keys") && type === "file" && mayHoldKeys(step.names.at(-1)?.toString() ?? "", size_bytes)) {
    const fd = openForReading(sys, step.fd);
    try {
      const text = readPart(fd, 0, key_file_bytes_max).toString("latin1");
      findings.push(...keyFindings({ where, mode, gid, text }, clock.now_ms()));
    } finally {
      sys.descriptor.close(fd);
    }
  }
  return findings.filter((one) => one !== null);
}

/** Of the image, where there is its bill of materials, and of the userlands. @throws {ToolError} */
function packagesIn({ package_roots }: ScanTarget, { sys }: Context): Installed[] {
  const text = readBelow(sys, "cwd", sbom, status_bytes_max);
  const image = text === null ? [] : packagesOfSbom(text);
  const others = package_roots.flatMap(({ fd, path }) => {
    const status = readBelow(sys, fd, "var/lib/dpkg/status", status_bytes_max);
    if (status === null) throw new ToolError(`looking at the packages in ${quote(path)} failed: there is no file var/lib/dpkg/status`);
    const release = readBelow(sys, fd, "etc/os-release", 65_536) ?? readBelow(sys, fd, "usr/lib/os-release", 65_536) ?? "";
    return packagesOfStatus(status, release, path);
  });
  return [...image, ...others];
}

/** Links in a userland lead to what is in it. @returns null when there is none */
function readBelow(sys: Context["sys"], root: number | "cwd", path: string, bytes_max: number): string | null {
  let fd: number;
  try {
    fd = sys.file.open(root, path, ["read", "nonblock"], root === "cwd" ? ["no-symlinks"] : ["in-root", "no-magiclinks", "no-xdev"]);
  } catch (error) {
    if (isSysError(error, "ENOENT") || isSysError(error, "ENOTDIR")) return null;
    throw error;
  }
  try {
    return readWhole(fd, roomFor(sys, fd, bytes_max), `reading ${quote(path)}`).toString();
  } finally {
    sys.descriptor.close(fd);
  }
}

function advisoryText({ fd, path }: Occupied, { sys }: Context): string {
  const content = openForReading(sys, fd);
  try {
    return readWhole(content, roomFor(sys, content, document_bytes_max), `reading the advisories ${quote(path)}`).toString();
  } finally {
    sys.descriptor.close(content);
  }
}

/** No more room than it needs now, and a little. */
function roomFor(sys: Context["sys"], fd: number, bytes_max: number): number {
  return Math.min(bytes_max, sys.file.status(fd).size_bytes + 4096);
}
