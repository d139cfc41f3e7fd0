/** sec.scan and its parts. */

import { afterAll, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { callTool, memoryState, testPlaces } from "../../testing/context.ts";
import { Definition } from "../service/shared/definition.ts";
import { scanTool } from "./scan.ts";
import { isAffected, readAdvisories } from "./shared/scan/advisories.ts";
import { keyFindings, mayHoldKeys } from "./shared/scan/keys.ts";
import { listeningFindings } from "./shared/scan/listening.ts";
import { packagesOfSbom, packagesOfStatus } from "./shared/scan/packages.ts";

const tests = testPlaces();
afterAll(() => tests.remove());
const net = memoryState();
const scan = scanTool({ declared: () => net });
const at = (name: string): string => join(tests.work, name);
const run = async (input: Record<string, unknown>) => (await callTool(scan, input, tests.context())).output;

function made(...argv: string[]): void {
  const { success, stderr } = Bun.spawnSync(argv, { stdin: "ignore" });
  if (!success) throw new Error(`${argv.join(" ")} failed: ${stderr.toString()}`);
}

test("permission bits and capabilities, the gravest first, in pages", async () => {
  mkdirSync(at("files/own"), { recursive: true });
  for (const [name, mode] of [
    ["suid", 0o4755],
    ["sgid", 0o2755],
    ["locks", 0o2644],
    ["open", 0o666],
    ["run", 0o777],
    ["well", 0o644],
  ] as const) {
    writeFileSync(at(`files/${name}`), "x");
    chmodSync(at(`files/${name}`), mode);
  }
  writeFileSync(at("files/cap"), "x");
  const fd = tests.sys.file.open("cwd", at("files/cap"), ["read"]);
  tests.sys.file.setAttribute(fd, "security.capability", Buffer.from("AAAAAgAAIAAAAAAAAAAAAAAAAAA=", "base64"));
  tests.sys.descriptor.close(fd);
  for (const [name, mode] of [
    ["shared", 0o777],
    ["tmp", 0o1777],
  ] as const) {
    mkdirSync(at(`files/${name}`));
    chmodSync(at(`files/${name}`), mode);
  }
  symlinkSync("/etc", at("files/link"));
  const { findings, seen } = await run({ checks: ["setuid", "writable"], roots: [at("files")] });
  expect(findings.map(({ severity, kind, where }) => `${severity} ${kind} ${where.replace(at("files"), "")}`)).toEqual([
    "high file-capabilities /cap",
    "high setuid-file /suid",
    "high world-writable-file /run",
    "medium setuid-file /sgid",
    "medium world-writable-file /open",
    "medium world-writable-folder /shared",
  ]);
  expect(seen.files).toBe(12);
  const page = await run({ checks: ["setuid", "writable"], roots: [at("files")], offset: 4, limit: 1 });
  expect([page.findings.map(({ where }) => where), page.total, page.next_offset]).toEqual([[at("files/open")], 6, 5]);
});

test("keys: short, old, exposed; what is encrypted tells its public half; nothing of a key is told", async () => {
  const folder = at("keys");
  mkdirSync(folder);
  const file = (name: string): string => join(folder, name);
  made("ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "secret words", "-f", file("id_short"));
  made("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file("id_well"));
  made("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM", "-f", file("id_pem"));
  made("openssl", "dsaparam", "-out", file("dsa.pem"), "-genkey", "1024");
  const subject = ["-subj", "/CN=example"];
  made(
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:1024",
    "-nodes",
    "-keyout",
    file("weak.key"),
    "-out",
    file("weak.crt"),
    "-days",
    "3650",
    ...subject,
  );
  made(
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ed25519",
    "-nodes",
    "-keyout",
    file("old.key"),
    "-out",
    file("old.crt"),
    "-days",
    "1",
    ...subject,
  );
  made(
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:3072",
    "-nodes",
    "-keyout",
    file("well.key"),
    "-out",
    file("well.crt"),
    "-days",
    "3650",
    ...subject,
  );
  for (const name of ["id_short", "id_well", "id_pem", "dsa.pem", "weak.key", "old.key", "well.key"]) chmodSync(file(name), 0o600);
  chmodSync(file("well.key"), 0o644);
  writeFileSync(file("authorized_keys"), `from="10.0.0.1" ${readFileSync(file("id_short.pub"), "utf8")}ssh-ed25519 AAAA x\nnonsense\n`);
  writeFileSync(file("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const context = tests.context({ clock: { now_ms: () => Date.now() + 3 * 86_400_000, boot_ms: () => 0 } });
  const { output } = await callTool(scan, { checks: ["keys"], roots: [folder] }, context);
  const told = output.findings.map(({ kind, where, evidence }) => `${kind} ${where.replace(`${folder}/`, "")} ${evidence}`);
  expect(told.map((line) => line.replace(/at 20.*/, "at …"))).toEqual([
    "exposed-private-key well.key everybody may read it, mode 0644",
    "weak-key authorized_keys SSH key: RSA of 1024 bits",
    "weak-key dsa.pem dsa parameters: DSA",
    "weak-key dsa.pem private key: DSA",
    "weak-key id_short openssh private key: RSA of 1024 bits",
    "weak-key id_short.pub SSH key: RSA of 1024 bits",
    'weak-key weak.crt certificate of "CN=example": RSA of 1024 bits',
    "weak-key weak.key private key: RSA of 1024 bits",
    'expired-certificate old.crt certificate of "CN=example" ended at …',
  ]);
});

test("bytes that are no keys are no findings, and end soon", () => {
  const pem = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ type: "spki", format: "pem" }).toString();
  const look = (text: string) => keyFindings({ where: "x", mode: 0o600, gid: 0, text }, 0);
  expect(look(pem)).toMatchObject([{ kind: "weak-key", evidence: "public key: RSA of 1024 bits" }]);
  for (const text of [
    "-----BEGIN ".repeat(20_000),
    "-".repeat(250_000),
    "ssh-rsa ".repeat(30_000),
    "-----BEGIN A-----\n-----END A-----".repeat(7000),
  ])
    expect(look(text)).toEqual([]);
  expect(look(`ssh-rsa ${Buffer.from([255, 255, 255, 255, 1]).toString("base64").padEnd(40, "A")}`)).toEqual([]);
  expect([mayHoldKeys("id_rsa", 10), mayHoldKeys("README", 10), mayHoldKeys("a.pem", 0), mayHoldKeys("a.pem", 1 << 30)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test("listeners: undeclared, of another service, and ports that are open for nobody; not those on loopback, nor what a service is defined with", async () => {
  const servers = await Promise.all(
    (["0.0.0.0", "::", "127.0.0.1", "0.0.0.0", "0.0.0.0"] as const).map(async (host) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  const state = memoryState();
  const declare = (port: number, owner: string): void => state.put(`port/tcp:${port}`, { protocol: "tcp", port, owner, sources: [] });
  declare(ports[1] ?? 0, "other");
  declare(1, "nobody");
  const services = memoryState();
  const define = (name: string, port: number): void => {
    const definition = Definition.parse({ argv: ["/usr/bin/x"], ports: [{ protocol: "tcp", port }] });
    services.put(`service:${name}`, { definition, uid: 60_001, enabled: true, owner: "system" });
  };
  define("web", ports[3] ?? 0);
  define("shop", ports[4] ?? 0);
  const findings = listeningFindings((family) => (family === "net" ? state : services), [{ pid: process.pid, service: "web" }]);
  for (const server of servers) server.close();
  const ours = findings.filter(({ where }) => [...ports, 1].some((port) => where === `tcp:${port}`));
  expect(ours.map(({ kind, where }) => `${kind} ${where}`).sort()).toEqual(
    [
      ...[`undeclared-listener tcp:${ports[0]}`, `undeclared-listener tcp:${ports[4]}`],
      ...[`wrong-listener tcp:${ports[1]}`, "declared-but-closed tcp:1"],
    ].sort(),
  );
  expect(ours.find(({ kind }) => kind === "undeclared-listener")?.evidence).toContain('service "web"');
});

test("a process of no service on a port that is open for one is a wrong listener; one that PID 1 does not name is not", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const { port } = server.address() as { port: number };
  const net = memoryState();
  net.put(`port/tcp:${port}`, { protocol: "tcp", port, owner: "web", sources: [] });
  const found = (...processes: { pid: number; service: string | null }[]) =>
    listeningFindings((family) => (family === "net" ? net : memoryState()), processes).filter(({ where }) => where === `tcp:${port}`);
  const [stranger, ...more] = found({ pid: process.pid, service: null });
  const others = [found(), found({ pid: process.pid, service: "web" })];
  server.close();
  expect(stranger).toMatchObject({ kind: "wrong-listener", severity: "high" });
  expect(stranger?.evidence).toEndWith(` (pid ${process.pid}) listens on 0.0.0.0`); // the patrol's subject is made of it
  expect([more, ...others]).toEqual([[], [], []]);
});

test("the DHCP client listens for its server, and nobody else on that port, nor it on another one", async () => {
  // in a network of its own, where the port is free whatever runs on this machine
  const script = `
    import { listeningFindings } from "${join(import.meta.dir, "shared/scan/listening.ts")}";
    import { memoryState } from "${join(import.meta.dir, "../../testing/context.ts")}";
    for (const port of [68, 69]) await Bun.udpSocket({ port, hostname: "0.0.0.0" });
    const found = (service) => listeningFindings(() => memoryState(), [{ pid: process.pid, service }]).map(({ kind, where }) => kind + " " + where);
    process.stdout.write(JSON.stringify([found("dhcpcd"), found("web"), found(null)]));
    process.exit(0);`;
  const child = Bun.spawn(["unshare", "--net", "--", process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
  const [said, error] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(said === "" ? error : JSON.parse(said)).toEqual([
    ["undeclared-listener udp:69"],
    ["undeclared-listener udp:68", "undeclared-listener udp:69"],
    ["undeclared-listener udp:68", "undeclared-listener udp:69"],
  ]);
});

test("over UDP a socket that only sends is no listener: all that is declared, or on a port that nobody is given, is", async () => {
  const script = `
    import { writeFileSync } from "node:fs";
    import { listeningFindings } from "${join(import.meta.dir, "shared/scan/listening.ts")}";
    import { memoryState } from "${join(import.meta.dir, "../../testing/context.ts")}";
    import { Definition } from "${join(import.meta.dir, "../service/shared/definition.ts")}";
    writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", "30000 40000");
    for (const [port, hostname] of [[0, "0.0.0.0"], [0, "::"], [29999, "0.0.0.0"], [30001, "0.0.0.0"], [30002, "0.0.0.0"], [40001, "::"]])
      await Bun.udpSocket({ port, hostname });
    Bun.listen({ hostname: "0.0.0.0", port: 35000, socket: { data() {} } });
    const [net, services] = [memoryState(), memoryState()];
    net.put("port/udp:30001", { protocol: "udp", port: 30001, owner: "shop", sources: [] });
    const definition = Definition.parse({ argv: ["/usr/bin/x"], ports: [{ protocol: "udp", port: 30002 }] });
    services.put("service:shop", { definition, uid: 60001, enabled: true, owner: "system" });
    const found = listeningFindings((family) => (family === "net" ? net : services), [{ pid: process.pid, service: "web" }]);
    process.stdout.write(JSON.stringify(found.map(({ kind, where }) => kind + " " + where).sort()));
    process.exit(0);`;
  const child = Bun.spawn(["unshare", "--net", "--", process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
  const [told, error] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(told === "" ? error : JSON.parse(told)).toEqual([
    ...["tcp:35000", "udp:29999", "udp:30002", "udp:40001"].map((port) => `undeclared-listener ${port}`),
    "wrong-listener udp:30001",
  ]);
});

test("the kernel's own socket of a tunnel is no listener; a program on a tunnel's port is, and a socket of nobody on another one", async () => {
  // whoever looks sees no process of the one that holds the first two, as none holds the kernel's own
  const looks = `
    import { listeningFindings } from "${join(import.meta.dir, "shared/scan/listening.ts")}";
    import { memoryState } from "${join(import.meta.dir, "../../testing/context.ts")}";
    await Bun.udpSocket({ port: 703, hostname: "0.0.0.0" });
    const net = memoryState();
    for (const [name, listen_port] of [["wg0", 701], ["wg1", 703], ["wg2", null]]) net.put("wireguard/" + name, { listen_port, peers: [] });
    const found = listeningFindings((family) => (family === "net" ? net : memoryState()), []);
    process.stdout.write(JSON.stringify(found.map(({ kind, where }) => kind + " " + where).sort()));
    process.exit(0);`;
  const holds = `
    for (const port of [701, 702]) await Bun.udpSocket({ port, hostname: "0.0.0.0" });
    const argv = ["unshare", "--pid", "--fork", "--mount-proc", "--", process.execPath, "-e", ${JSON.stringify(looks)}];
    await Bun.spawn(argv, { stdio: ["ignore", "inherit", "inherit"] }).exited;
    process.exit(0);`;
  const child = Bun.spawn(["unshare", "--net", "--", process.execPath, "-e", holds], { stdout: "pipe", stderr: "pipe" });
  const [told, error] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(told === "" ? error : JSON.parse(told)).toEqual(["undeclared-listener udp:702", "undeclared-listener udp:703"]);
});

test("which versions are affected, by OSV's rule", () => {
  const ranges = (...events: Record<string, string>[]) => ({ versions: [] as string[], ranges: [{ type: "ECOSYSTEM", events }] });
  const one = ranges({ introduced: "0" }, { fixed: "1.2-3" });
  expect(["1.2-2", "1.2-3~deb13u1", "1.2-3", "2"].map((version) => isAffected(version, one))).toEqual([true, true, false, false]);
  const two = ranges({ introduced: "1.0" }, { fixed: "1.5" }, { introduced: "2.0" }, { fixed: "2.5" });
  expect(["0.9", "1.0", "1.5", "1.9", "2.0", "2.4", "2.5"].map((version) => isAffected(version, two))).toEqual([
    ...[false, true, false, false, true, true, false],
  ]);
  expect(["1", "2", "3"].map((version) => isAffected(version, ranges({ introduced: "0" }, { last_affected: "2" })))).toEqual([
    true,
    true,
    false,
  ]);
  expect(isAffected("1", { versions: ["1"], ranges: [] })).toBe(true);
  expect(isAffected("1", { versions: [], ranges: [{ type: "GIT", events: [{ introduced: "0" }] }] })).toBe(false);
});

test("advisories: one, a list, or lines; what is none is counted; depth is bounded", () => {
  const advisory = (id: string) => ({ schema_version: "1.7.0", id, details: "x", affected: [] });
  expect(readAdvisories(JSON.stringify(advisory("a")), "x").advisories).toHaveLength(1);
  expect(readAdvisories(JSON.stringify([advisory("a"), { id: 7 }]), "x")).toMatchObject({ advisories: [{ id: "a" }], unread: 1 });
  expect(readAdvisories(`${JSON.stringify(advisory("a"))}\nnonsense\n${JSON.stringify(advisory("b"))}\n`, "x")).toMatchObject({
    advisories: [{ id: "a" }, { id: "b" }],
    unread: 1,
  });
  for (const text of ["", "[]", "{}", "[".repeat(5_000_000), '{"a":'.repeat(1_000_000), `"${'\\"'.repeat(2_000_000)}`])
    expect(() => readAdvisories(text, "reading")).toThrow("reading failed: there is no advisory in it");
});

test("what is installed, by dpkg and by the bill of materials", () => {
  const status =
    "Package: a\nStatus: install ok installed\nVersion: 1-1\n\nPackage: b\nStatus: install ok installed\nSource: a (1-1)\nVersion: 9\nDescription: x\n Package: evil\n\nPackage: c\nStatus: hold ok installed\nSource: d\nVersion: 2\n";
  expect(packagesOfStatus(status, 'ID=debian\nVERSION_ID="12"\n', "/u")).toEqual([
    { root: "/u", release: "12", source: "a", version: "1-1", packages: ["a", "b"] },
    { root: "/u", release: "12", source: "d", version: "2", packages: ["c"] },
  ]);
  const sbom = {
    packages: [
      { name: "zod", externalRefs: [{ referenceLocator: "pkg:npm/zod@4" }] },
      {
        name: "libc6",
        sourceInfo: "built from the Debian source package glibc 2.41-12+deb13u5",
        externalRefs: [{ referenceLocator: "pkg:deb/debian/libc6@2.41-12%2Bdeb13u5?arch=amd64" }],
      },
    ],
  };
  expect(packagesOfSbom(JSON.stringify(sbom))).toEqual([
    { root: "image", release: "13", source: "glibc", version: "2.41-12+deb13u5", packages: ["libc6"] },
  ]);
});

test("a file that is too large, a status file that is a way out of its root, and a call that is cancelled", async () => {
  writeFileSync(at("large.json"), "[");
  truncateSync(at("large.json"), 1024 ** 3);
  await expect(run({ checks: ["packages"], advisories: at("large.json") })).rejects.toThrow("it is larger than");
  mkdirSync(at("u/var/lib/dpkg"), { recursive: true });
  writeFileSync(at("outside"), "Package: outside\nStatus: install ok installed\nVersion: 1\n");
  writeFileSync(at("osv.json"), JSON.stringify({ id: "x" }));
  symlinkSync(at("outside"), at("u/var/lib/dpkg/status"));
  await expect(run({ checks: ["packages"], advisories: at("osv.json"), package_roots: [at("u")] })).rejects.toThrow(
    "there is no file var/lib/dpkg/status",
  );
  const context = tests.context();
  context.cancel();
  await expect(callTool(scan, { checks: ["setuid"], roots: [tests.work] }, context)).rejects.toThrow("cancelled by the test");
});
