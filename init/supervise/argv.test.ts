import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DefinedService } from "../../contracts/config.ts";
import { localModelsOff } from "../../wire/model-process/switch.ts";
import { chronyProgram, dhcpcdProgram } from "../boot/programs.ts";
import { default_config } from "../defaults.ts";
import { argvOf, type Place } from "./argv.ts";
import { coreSpecs, definedSpec, enabled, extraSpec, programSpec } from "./table.ts";

const bare: Place = { cgroup: null, devices: [], notify_folder: null, may_limit_userns: true };
const argvFor = (name: string, place: Place = bare) => {
  const spec = coreSpecs(default_config, "machine").find((each) => each.name === name);
  if (spec === undefined) throw new Error(`no "${name}"`);
  return argvOf(spec, place);
};

const before = (name: string, uid: number, oom: number, cgroup: string[] = []) =>
  [
    "/usr/lib/aios/launch",
    ...cgroup,
    ...["--oom", `${oom}`, "--rlimit", "core=0:0", "--rlimit", "nofile=1024:4096", "--setsid"],
    ...["--seccomp-fd-from", "/usr/lib/aios/seccomp/service.bpf", "10"],
    ...["--uid", `${uid}`, "--gid", `${uid}`, "--drop-caps", "--no-new-privs", "--"],
    ...["/usr/bin/bwrap", "--unshare-user", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--disable-userns"],
    name,
  ].slice(0, -1);
const fresh = ["--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/var/lib/aios", "--ro-bind-try", "/run/aios/etc", "/run/aios/etc"];
const root = ["--ro-bind", "/", "/", "--dev", "/dev"];
const end = ["--seccomp", "10", "--cap-drop", "ALL", "--new-session", "--die-with-parent", "--chdir", "/", "--"];
const calls = (name: string, servers: string[]) =>
  servers.flatMap((server) => ["--ro-bind", `/run/aios/${server}/${name}`, `/run/aios/${server}/${name}`]);

test("memory: no network, its own folders only", () => {
  expect(argvFor("memory", { ...bare, cgroup: "/sys/fs/cgroup/system/memory" })).toEqual([
    ...before("memory", 801, -800, ["--cgroup", "/sys/fs/cgroup/system/memory"]),
    ...["--unshare-pid", "--unshare-net", ...root, "--proc", "/proc", ...fresh, ...calls("memory", ["init"])],
    ...["--bind", "/var/lib/aios/memory", "/var/lib/aios/memory", "--bind", "/run/aios/memory", "/run/aios/memory"],
    ...[...end, "/usr/bin/aios", "memory"],
  ]);
});

test("reactive: the system's own pids and /proc, no network, nothing to write", () => {
  expect(argvFor("reactive")).toEqual([
    ...before("reactive", 802, -500),
    ...["--unshare-net", ...root, ...fresh, ...calls("reactive", ["init", "memory", "broker"])],
    ...[...end, "/usr/bin/aios", "reactive"],
  ]);
});

test("strategic alone has the network", () => {
  for (const name of ["console", "memory", "reactive", "operational", "tactical"]) expect(argvFor(name)).toContain("--unshare-net");
  expect(argvFor("strategic")).not.toContain("--unshare-net");
});

test("the tiers that load a model of this machine see the models, to read only, and nobody else does", () => {
  const models = "--ro-bind-try /var/lib/aios/models /var/lib/aios/models --ro-bind-try /run/aios/models /run/aios/models";
  for (const name of ["operational", "tactical"]) expect(argvFor(name).join(" ")).toContain(models);
  for (const name of ["console", "memory", "reactive", "strategic"]) expect(argvFor(name).join(" ")).not.toContain("aios/models");
});

test("strategic alone sees keys, and keeps what it spent", () => {
  expect(argvFor("strategic").join(" ")).toContain(
    "--bind /var/lib/aios/strategic /var/lib/aios/strategic --ro-bind /run/aios/secrets/strategic /run/secrets",
  );
  for (const name of ["console", "memory", "reactive", "operational", "tactical"]) expect(argvFor(name).join(" ")).not.toContain("secrets");
});

test("console: its HTTP folder, and the serial port that was found", () => {
  const argv = argvFor("console", { ...bare, devices: ["/dev/vport1p1"] });
  expect(argv.join(" ")).toContain("--bind /run/aios/console/http /run/aios/console/http --dev-bind /dev/vport1p1 /dev/vport1p1");
});

test("broker: root, without a sandbox", () => {
  expect(argvFor("broker")).toEqual([
    ...["/usr/lib/aios/launch", "--oom", "-700", "--rlimit", "core=0:0", "--rlimit", "nofile=1024:4096", "--setsid"],
    ...["--", "/usr/bin/aios", "broker"],
  ]);
});

test("a program of the image that starts as root keeps what it needs, and can gain nothing", () => {
  for (const program of [chronyProgram(), dhcpcdProgram()]) {
    const argv = argvOf(programSpec(program, "machine"), bare);
    const at = argv.indexOf("--keep-caps");
    expect(argv[at + 1]).toBe(program.capabilities.join(","));
    expect(argv.slice(at + 2, at + 5)).toEqual(["--no-new-privs", "--", program.argv[0] as string]);
    expect(argv).not.toContain("--uid");
  }
});

test("an extra service: no sockets of ours, the network when the config says so", () => {
  const extra = {
    argv: ["/usr/bin/x", "y"],
    after: [],
    ready: "notify",
    heartbeat_ms: 0,
    uid: 900,
    sandbox: true,
    network: false,
    limits: {},
  } as const;
  const spec = (changes: object) => extraSpec("x", { ...extra, ...changes, argv: [...extra.argv], after: [] }, "machine");
  const argv = argvOf(spec({}), { ...bare, notify_folder: "/run/aios/notify/x" });
  expect(argv).toContain("--unshare-net");
  expect(argv.join(" ")).not.toContain("/run/aios/init");
  expect(argv.join(" ")).toContain("--ro-bind /run/aios/notify/x /run/aios/notify/x");
  expect(argv.slice(-3)).toEqual(["--", "/usr/bin/x", "y"]);
  expect(argvOf(spec({ network: true }), bare)).not.toContain("--unshare-net");
  expect(argvOf(spec({ sandbox: false }), bare)).not.toContain("/usr/bin/bwrap");
});

test("a defined service: its own uid, slice work, its folders, another root when it has one; never anything else", () => {
  const defined = DefinedService.parse({ argv: ["/usr/bin/x"], uid: 20_001, env: { PORT: "80" }, writes: ["/var/lib/aios/services/x"] });
  const spec = definedSpec("x", defined, "machine");
  expect(spec).toMatchObject({
    slice: "work",
    uid: 20_001,
    gid: 20_001,
    writes: [],
    capabilities: null,
    env: { PORT: "80", PATH: "/usr/bin:/usr/sbin" },
  });
  const argv = argvOf(spec, bare).join(" ");
  expect(argv).toContain("--uid 20001 --gid 20001 --drop-caps --no-new-privs --");
  expect(argv).toContain("--ro-bind / / --dev /dev");
  expect(argv).toContain("--bind /var/lib/aios/services/x /var/lib/aios/services/x");
  expect(argv).not.toContain("/run/aios/init");
  const rooted = argvOf(definedSpec("x", { ...defined, root: "/var/lib/aios/pkg/1" }, "machine"), bare).join(" ");
  expect(rooted).toContain("--ro-bind /var/lib/aios/pkg/1 / --dev /dev");
  expect(rooted).not.toContain("/srv"); // it has no such folder
  for (const bad of [
    { uid: 0 },
    { uid: 806 },
    { sandbox: false },
    { root: "/a/../b" },
    { writes: ["etc"] },
    { argv: [] },
    { env: { "A=": "x" } },
  ])
    expect(DefinedService.safeParse({ argv: ["/usr/bin/x"], uid: 20_001, ...bad }).success, JSON.stringify(bad)).toBe(false);
});

test("a defined service reads /srv, wherever its root has a folder for it; what is ours does not see it", () => {
  const defined = DefinedService.parse({ argv: ["/usr/bin/x"], uid: 20_001, writes: ["/srv/x"] });
  const [srv, write] = ["--ro-bind-try /var/lib/aios/srv /var/lib/aios/srv", "--bind /srv/x /srv/x"];
  expect(argvOf(definedSpec("x", defined, "machine"), bare).join(" ")).toContain(`${srv} ${write}`);
  const root = mkdtempSync(join(tmpdir(), "aios-root-"));
  try {
    for (const path of ["srv", "var/lib/aios"]) mkdirSync(join(root, path), { recursive: true });
    const argv = argvOf(definedSpec("x", { ...defined, root }, "machine"), bare).join(" ");
    expect(argv).toContain(`${srv} --ro-bind-try /var/lib/aios/srv /srv ${write}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  for (const name of ["console", "memory", "reactive", "tactical"]) expect(argvFor(name).join(" ")).not.toContain("srv");
});

test("the config switches services off and merges limits and heartbeats", () => {
  const config = {
    ...default_config,
    services: { memory: { enabled: true, limits: { pids_max: 9 }, heartbeat_ms: 700 }, reactive: { enabled: false, limits: {} } },
    tiers: { ...default_config.tiers, tactical: { enabled: false } },
  };
  const memory = coreSpecs(config, "machine").find(({ name }) => name === "memory");
  expect(memory).toMatchObject({ heartbeat_ms: 700, limits: { pids_max: 9, cpu_weight: 150 } });
  expect(["memory", "reactive", "tactical", "strategic"].map((name) => enabled(name, config))).toEqual([true, false, false, true]);
});

test("services are told when no model may run on this machine", () => {
  const told = (local: boolean) =>
    coreSpecs({ ...default_config, models: { local } }, "machine").map(({ env }) => localModelsOff(env) !== null);
  expect(new Set(told(false))).toEqual(new Set([true]));
  expect(new Set(told(true))).toEqual(new Set([false]));
});

test("a container cannot lower OOM scores, so it does not try", () => {
  expect(coreSpecs(default_config, "container").every(({ oom_score }) => oom_score >= 0)).toBe(true);
});

test("a defined service that is handed secrets sees them and nobody else's", () => {
  const plain = DefinedService.parse({ argv: ["/usr/bin/x"], uid: 20_001 });
  const none = definedSpec("x", plain, "machine");
  expect(argvOf(none, bare).join(" ")).not.toContain("secrets");
  expect(none.env).not.toHaveProperty("CREDENTIALS_DIRECTORY");
  for (const handed of [{ secrets: ["db"] }, { certificates: ["web"] }]) {
    const spec = definedSpec("x", { ...plain, ...handed }, "machine");
    const argv = argvOf(spec, bare).join(" ");
    expect(argv).toContain("--ro-bind /run/aios/secrets/x /run/secrets");
    expect(argv.match(/secrets/g)).toHaveLength(2);
    expect(spec.env).toMatchObject({ CREDENTIALS_DIRECTORY: "/run/secrets" });
  }
});
