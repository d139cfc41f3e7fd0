/** What is made holds before openssl and in TLS. The properties of all tools: test-vm/scenarios/broker/properties.test.ts */

import { afterAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import type { Context } from "../../context.ts";
import { callTool, testPlaces } from "../../testing/context.ts";
import { openTestVault } from "../../vault/testing/open.ts";
import { serviceDefine } from "../service/define.ts";
import { serviceRig } from "../service/testing/rig.ts";
import { certificateCreate } from "./certificate_create.ts";
import { certificateInspect } from "./certificate_inspect.ts";
import { certificateRenew } from "./certificate_renew.ts";
import { certificateRotate } from "./certificate_rotate.ts";

const places = testPlaces();
afterAll(() => places.remove());
let count = 0;

async function rig() {
  count += 1;
  const folder = join(places.work, String(count));
  mkdirSync(folder);
  const service = serviceRig({ ...places, work: folder });
  const vault = await openTestVault(folder);
  const context = (over: Partial<Context> = {}) => service.context({ vault, ...over });
  const create = (args: Record<string, unknown>) => callTool(certificateCreate, args, context());
  return { folder, vault, context, create };
}

function openssl(...argv: string[]): { readonly status: number; readonly said: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["openssl", ...argv]);
  return { status: exitCode, said: `${stdout}${stderr}` };
}

async function refusal(work: () => Promise<unknown>): Promise<string> {
  return await work().then(
    () => "it did not fail",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

const web = { name: "web", names: ["web.example.org", "*.apps.example.org", "192.0.2.1", "2001:db8::1"] };
const key_types = ["ecdsa-p256", "ed25519", "rsa-3072"] as const;

for (const key_type of key_types)
  describe(key_type, () => {
    test("openssl takes what signs itself, and what an authority signs, with their names", async () => {
      const { folder, create } = await rig();
      const ca = await create({ name: "ours", subject: "Ours, the authority", authority: true, days: 3650, key_type });
      const alone = await create({ ...web, name: "alone", key_type });
      const { output } = await create({ ...web, key_type, signed_by: { by: "authority", authority: "ours" } });
      const [ca_file, alone_file, file] = ["ca.pem", "alone.pem", "web.pem"].map((name) => join(folder, name)) as [string, string, string];
      writeFileSync(ca_file, ca.output.certificate ?? "");
      writeFileSync(alone_file, alone.output.certificate ?? "");
      writeFileSync(file, output.certificate ?? "");
      for (const [flag, name] of [
        ["-verify_hostname", "web.example.org"],
        ["-verify_hostname", "a.apps.example.org"],
        ["-verify_ip", "192.0.2.1"],
        ["-verify_ip", "2001:db8::1"],
      ] as const)
        for (const [trusted, one] of [
          [ca_file, file],
          [alone_file, alone_file],
        ] as const)
          expect(openssl("verify", "-x509_strict", "-purpose", "sslserver", flag, name, "-CAfile", trusted, one), `${name} ${one}`).toEqual(
            {
              status: 0,
              said: `${one}: OK\n`,
            },
          );
      expect(openssl("verify", "-verify_hostname", "other.example.org", "-CAfile", ca_file, file).status).not.toBe(0);
      expect(openssl("verify", "-CAfile", alone_file, file).status).not.toBe(0);
    });

    test("a TLS server with what a service is handed shows it, and a client that trusts the authority takes it", async () => {
      const { folder, create, context } = await rig();
      const argv = ["/bin/sleep", "1"];
      const ca = await create({ name: "ours", subject: "Ours", authority: true, days: 3650, key_type });
      const uses = [{ to: "service", service: "web", argv }];
      await create({
        name: "web",
        names: ["web.example.org", "127.0.0.1"],
        key_type,
        uses,
        signed_by: { by: "authority", authority: "ours" },
      });
      const { output } = await callTool(serviceDefine, { name: "web", argv, certificates: ["web"] }, context());
      const handed = join(places.places.run, "secrets/web");
      expect(readdirSync(handed).sort()).toEqual(["web.crt", "web.key"]);
      for (const name of ["web.crt", "web.key"])
        expect(statSync(join(handed, name))).toMatchObject({ uid: output.uid, gid: output.uid, mode: 0o100400 });
      const [cert, key] = ["web.crt", "web.key"].map((name) => readFileSync(join(handed, name)));
      const server = createServer({ ...(cert && { cert }), ...(key && { key }) }, (socket) => socket.end("hello"));
      await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
      const { port } = server.address() as AddressInfo;
      try {
        const said = await new Promise<string>((resolve, reject) => {
          const socket = connect({ host: "127.0.0.1", port, servername: "web.example.org", ca: ca.output.certificate ?? "" });
          socket.once("error", reject);
          let text = "";
          socket.on("data", (chunk) => {
            text += String(chunk);
          });
          socket.once("end", () => resolve(text));
        });
        expect(said).toBe("hello");
        const seen = await callTool(certificateInspect, { of: { is: "host", host: "127.0.0.1", port } }, context());
        expect(seen.output.chain[0]).toMatchObject({
          subject: "CN=web.example.org",
          names: ["web.example.org", "127.0.0.1"],
          days_left: 364,
        });
        expect(seen.output.problems).toEqual([expect.stringContaining("it is not trusted here: ")]);
        const wrong = await callTool(certificateInspect, { of: { is: "host", host: "127.0.0.1", port }, wanted: "x.org" }, context());
        expect(wrong.output.problems).toContain('it is not for the name "x.org"');
      } finally {
        server.close();
      }
      writeFileSync(join(folder, "done"), "");
    });
  });

test("an authority outside: openssl signs the request, the answer is taken in, and rotated without a gap", async () => {
  const { folder, create, context, vault } = await rig();
  const at = (name: string): string => join(folder, name);
  openssl(
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.pem"),
    "-subj",
    "/CN=Outside",
    "-days",
    "900",
  );
  const sign = (request: string | null, days: number): string => {
    writeFileSync(at("request"), request ?? "");
    expect(openssl("req", "-in", at("request"), "-noout", "-verify").status).toBe(0);
    const argv = [
      "-in",
      at("request"),
      "-CA",
      at("ca.pem"),
      "-CAkey",
      at("ca.key"),
      "-CAcreateserial",
      "-days",
      String(days),
      "-copy_extensions",
      "copy",
    ];
    expect(openssl("x509", "-req", ...argv, "-out", at("answer")).status).toBe(0);
    return readFileSync(at("answer"), "utf8") + readFileSync(at("ca.pem"), "utf8");
  };
  const asked = await create({ name: "web", names: ["web.example.org"], signed_by: { by: "outside" } });
  expect(asked.output.certificate).toBeNull();
  const other = await create({ name: "other", names: ["web.example.org"], signed_by: { by: "outside" } });
  const renew = (args: Record<string, unknown>) => callTool(certificateRenew, { name: "web", ...args }, context());
  expect(await refusal(() => renew({ certificate: sign(other.output.request, 30) }))).toContain("is for another key");
  const taken = await renew({ certificate: sign(asked.output.request, 30) });
  expect(taken.output).toMatchObject({ request: null, ends_ms: expect.any(Number) });
  expect(taken.output.certificate?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  const named = { kind: "certificate", name: "web" } as const;
  const rotated = await callTool(certificateRotate, { name: "web" }, context());
  expect(rotated.output.certificate).toBe(taken.output.certificate); // in force until the answer is there
  expect(vault.record(named)?.certificate?.chain_version).toBe(1);
  const again = await renew({ certificate: sign(rotated.output.request, 30) });
  expect(again.output.certificate).not.toBe(taken.output.certificate);
  expect(vault.record(named)?.certificate?.chain_version).toBe(2);
  await again.undo();
  expect(vault.record(named)?.certificate?.chain_version).toBe(1);
});

test("renewed it has the same key and another validity; rotated another key, and the one before is kept until it ends", async () => {
  const { create, context, vault } = await rig();
  const keyOf = (pem: string | null): string => new X509Certificate(pem ?? "").publicKey.export({ type: "spki", format: "pem" }).toString();
  const first = (await create(web)).output.certificate;
  const renewed = await callTool(certificateRenew, { name: "web", days: 30 }, context());
  expect(keyOf(renewed.output.certificate)).toBe(keyOf(first));
  expect(new X509Certificate(renewed.output.certificate ?? "").serialNumber).not.toBe(new X509Certificate(first ?? "").serialNumber);
  const rotated = await callTool(certificateRotate, { name: "web" }, context());
  expect(keyOf(rotated.output.certificate)).not.toBe(keyOf(first));
  const look = async (now_ms: number) => {
    const clock = { now_ms: () => now_ms, boot_ms: () => 0 };
    return (await callTool(certificateInspect, { of: { is: "kept", name: "web" } }, context({ clock }))).output;
  };
  expect((await look(Date.now())).kept?.earlier).toMatchObject([{ days_left: 29 }]);
  const late = Date.now() + 40 * 86_400_000;
  await callTool(certificateRenew, { name: "web", days: 365 }, context({ clock: { now_ms: () => late, boot_ms: () => 0 } }));
  const seen = await look(late);
  expect(seen.kept?.earlier).toEqual([]);
  expect(vault.record({ kind: "certificate", name: "web" })?.versions).toHaveLength(1);
  expect((await look(late + 350 * 86_400_000)).problems).toEqual([expect.stringMatching(/^it ends in 1[45] days$/)]);
  expect((await look(late + 400 * 86_400_000)).problems).toEqual([expect.stringContaining("it ended at ")]);
});

test("what others made: weak keys are named, what cannot be read is an error without its content", async () => {
  const { folder, context } = await rig();
  const [key, file] = [join(folder, "weak.key"), join(folder, "weak.pem")];
  openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-keyout", key, "-out", file, "-subj", "/CN=weak", "-days", "5");
  const { output } = await callTool(certificateInspect, { of: { is: "file", path: file }, wanted: "weak" }, context());
  expect(output.chain).toMatchObject([{ key: "rsa 1024", self_signed: true }]);
  expect(output.problems).toContain("it: its key has 1024 bits, fewer than 2048");
  const error = await refusal(() => callTool(certificateInspect, { of: { is: "file", path: key } }, context()));
  expect(error).toBe(`reading certificates from "${key}" failed: it holds no certificate in PEM`);
});
