/** Secrets and certificates on a running system without a TPM, by aiosctl. */

import { afterEach, expect, test } from "bun:test";
import { readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { type Container, startContainer } from "../../container.ts";
import { newFolder } from "../../places.ts";
import { within } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { hasRead, listed, putAndUse, service, timesIn, value } from "../secrets-story.ts";
import { without_models } from "../without-models.ts";

const started: Container[] = [];

async function boot(data: string): Promise<{ readonly container: Container; readonly aiosctl: Aiosctl }> {
  const container = await startContainer({ config: without_models, data });
  started.push(container);
  await container.ready("all");
  return { container, aiosctl: new Aiosctl(container.console_socket) };
}

afterEach(async () => {
  for (const container of started.splice(0)) await container.kill();
});

function nowhereBelow(folder: string): void {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) if (entry.isFile()) expect(timesIn(join(entry.parentPath, entry.name), value), entry.name).toBe(0);
}

test("put by stdin, read by a service, also after a reboot; rotated, deleted by approval; plain nowhere", async () => {
  const data = newFolder("data");
  const first = await boot(data);
  await putAndUse(first.aiosctl);
  expect(await listed(first.aiosctl)).toMatchObject({
    sealed_by: "file",
    secrets: [{ name: "shop", sealed_by: "file", services: ["reader"] }],
  });
  const broker = (await first.container.console.call("services")).find(({ name }) => name === "broker");
  expect(broker?.health?.status).toBe("ok");
  await first.container.console.call("reboot", { reason: "to see what stays" });
  await within("the reboot", 120_000, first.container.ended);
  nowhereBelow(data);

  const { aiosctl } = await boot(data);
  await hasRead(aiosctl);
  const refused = await aiosctl.call("service.define", { ...service, argv: ["/usr/bin/rg", "", "/run/secrets/shop"], secrets: ["shop"] });
  expect(refused._meta).toMatchObject({ status: "refused", policies: ["never-secrets-elsewhere"] });
  const rotated = await aiosctl.run("secret", "rotate", "shop", "--why", "a scenario");
  expect(rotated.status, rotated.err).toBe(0);
  const undone = await aiosctl.undo((await aiosctl.audit("--tool", "sec.secret_rotate", "--kind", "intent"))[0]?.call ?? "");
  expect(undone.map(({ status }) => status)).toEqual(["done"]);
  await aiosctl.done("service.restart", { name: "reader" });
  await hasRead(aiosctl);
  const waiting = await aiosctl.call("sec.secret_delete", { name: "shop" });
  expect(waiting._meta.status).toBe("waiting");
  expect((await aiosctl.approvals())[0]?.preview).toContain('the service "reader" uses it, and misses it from then on');
  const approved = await aiosctl.run("approve", waiting._meta.call, "--why", "a scenario");
  expect(approved.status, approved.err).toBe(0);
  expect((await listed(aiosctl)).secrets).toEqual([]);
  nowhereBelow(data);
}, 300_000);

test("an authority of the vault signs a certificate, which is renewed and rotated, and taken back", async () => {
  const { aiosctl } = await boot(newFolder("data"));
  const ca = await aiosctl.done("sec.certificate_create", { name: "ours", subject: "Ours", authority: true, days: 3650 });
  const wish = { name: "web", names: ["web.example.org"], signed_by: { by: "authority", authority: "ours" } };
  await aiosctl.done("sec.certificate_create", wish);
  const seen = await aiosctl.done("sec.certificate_inspect", { of: { is: "kept", name: "web" }, wanted: "web.example.org" });
  expect(seen.structuredContent).toMatchObject({ problems: [], chain: [{ issuer: "CN=Ours", days_left: 364 }, { subject: "CN=Ours" }] });
  await aiosctl.done("sec.certificate_renew", { name: "web", days: 30 });
  const rotated = await aiosctl.done("sec.certificate_rotate", { name: "web" });
  const undone = await aiosctl.undo(rotated._meta.call);
  expect(undone.map(({ status }) => status)).toEqual(["done"]);
  expect(JSON.stringify(await aiosctl.audit())).not.toContain("PRIVATE KEY");
  expect(ca.structuredContent?.["certificate"]).toContain("BEGIN CERTIFICATE");
}, 300_000);

test("a data key that is lost: the boot goes on, the status says what to do, the service that needs it is not started", async () => {
  const data = newFolder("data");
  const first = await boot(data);
  await putAndUse(first.aiosctl);
  await first.container.console.call("reboot", { reason: "to see what stays" });
  await within("the reboot", 120_000, first.container.ended);
  const keys = join(data, "broker/vault/keys");
  for (const name of readdirSync(keys)) truncateSync(join(keys, name), 10);

  const { container, aiosctl } = await boot(data);
  expect((await listed(aiosctl)).secrets[0]?.trouble).toContain("is damaged; bring");
  const services = await container.console.call("services");
  expect(services.find(({ name }) => name === service.name)?.last_exit ?? null).toBeNull();
  const broker = services.find(({ name }) => name === "broker");
  expect(broker?.state).toBe("ready");
  expect(broker?.health).toMatchObject({ status: "degraded", detail: expect.stringContaining('opening the secret "shop" failed') });
  await putAndUse(aiosctl); // put anew, under a new key
}, 300_000);
