/** Certificates of a real vault and files with the rights of others, by the real tools. */

import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { serviceRig } from "../../../../tools/catalog/service/testing/rig.ts";
import { testPlaces } from "../../../../tools/testing/context.ts";
import { openTestVault } from "../../../../tools/vault/testing/open.ts";
import type { AskTool } from "../../../shared/ask-tool.ts";
import { certificateFigures, setuidFigures } from "../security.ts";
import { realCall, realTools } from "./real-tools.ts";

const tests = testPlaces();
afterAll(() => tests.remove());
const day_ms = 86_400_000;

test("days that a certificate is valid, as openssl sees them, down below zero; one that is only asked for has none", async () => {
  const vault = await openTestVault(tests.work);
  const rig = serviceRig(tests);
  const now = { ms: Date.now() };
  const context = () => rig.context({ vault, clock: { now_ms: () => now.ms, boot_ms: () => 0 } });
  const ask = realTools(context);
  expect(await certificateFigures(ask)).toEqual([]);
  const create = (args: object) => realCall("sec.certificate_create", args, context());
  const { certificate } = (await create({ name: "shop", names: ["shop.example.org"], days: 9 })) as { readonly certificate: string };
  await create({ name: "web", names: ["web.example.org"], days: 90 });
  await create({ name: "asked-for", names: ["later.example.org"], signed_by: { by: "outside" } });
  const file = join(tests.work, "shop.pem");
  writeFileSync(file, certificate);
  const ends = (within_s: number): number =>
    Bun.spawnSync(["openssl", "x509", "-in", file, "-noout", "-checkend", String(within_s)]).exitCode;
  expect([ends((8 * day_ms) / 1000), ends((10 * day_ms) / 1000)]).toEqual([0, 1]);
  const left = async () => Object.fromEntries((await certificateFigures(ask)).map(({ subject, value }) => [subject, value]));
  now.ms += day_ms / 2; // whole days
  expect(await left()).toEqual({ shop: 8, web: 89 });
  now.ms += 7 * day_ms;
  expect(await left()).toEqual({ shop: 1, web: 82 });
  now.ms += 5 * day_ms;
  expect(await left()).toEqual({ shop: -4, web: 77 });
});

test("setuid and setgid files are told by a hash of their place, but for those that packages brought", async () => {
  const root = join(tests.work, "root");
  const put = (path: string, mode: number): void => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), "x");
    chmodSync(join(root, path), mode);
  };
  const real = realTools(() => tests.context());
  /** The real scan of a folder in the place of all that can be written to. */
  const ask = (async (tool, args, why) => {
    expect([tool, args["checks"], args["roots"]]).toEqual(["sec.scan", ["setuid"], undefined]);
    const answer = await real("sec.scan", { ...args, roots: [root] }, why);
    return { ...answer, findings: answer.findings.map((one) => ({ ...one, where: one.where.replace(root, "") })) };
  }) as AskTool;
  put("srv/plain", 0o755);
  put("var/lib/aios/userland/generations/1/layer/usr/bin/su", 0o4755);
  expect(await setuidFigures(ask)).toEqual([]);
  put("srv/suid", 0o4755);
  put("srv/sgid", 0o2755);
  put("var/lib/aios/userland-of-mine/su", 0o4755);
  const found = await setuidFigures(ask);
  expect(found.map(({ figure, value }) => [figure, value])).toEqual([1, 2, 3].map(() => ["file.setuid", 1]));
  expect(found.map(({ untrusted }) => untrusted?.split(":")[0]).sort()).toEqual([
    "/srv/sgid",
    "/srv/suid",
    "/var/lib/aios/userland-of-mine/su",
  ]);
  // whoever makes files names no subject
  const subject = found.find(({ untrusted }) => untrusted?.startsWith("/srv/suid:"))?.subject;
  expect(subject).toBe(`file-${new Bun.CryptoHasher("sha256").update("/srv/suid").digest("hex").slice(0, 12)}`);
  chmodSync(join(root, "srv/suid"), 0o755);
  expect((await setuidFigures(ask)).map((one) => one.subject)).not.toContain(subject ?? "");
});
