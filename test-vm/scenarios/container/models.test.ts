/** Keys of models on a running system: who gets them, and that they are nowhere else. */

import { afterEach, expect, test } from "bun:test";
import { chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../tooling/run.ts";
import { authorityIn } from "../../../tools/catalog/net/testing/authority.ts";
import { type Container, startContainer } from "../../container.ts";
import { checkout, newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { Aiosctl } from "../aiosctl.ts";
import { listed, timesIn } from "../secrets-story.ts";
import { without_models } from "../without-models.ts";

const in_config = "sk-config-5Jq8Wn2Rz7Lm4Xc9";
const in_vault = "sk-vault-3Hd6Tb1Pk8Vf5Yg2";
const config = `
tiers:
  strategic:
    providers:
      - { kind: anthropic, model: claude-opus-5-5, base_url: "http://127.0.0.1:9", key: { secret: claude } }
      - { kind: openai, model: spare, base_url: "http://127.0.0.1:9/v1", key: { value: ${in_config} }, price: { input: 0, output: 0 } }
`;

const started: Container[] = [];
afterEach(async () => {
  for (const container of started.splice(0)) await container.kill();
});

function nowhereBelow(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    for (const key of [in_config, in_vault]) expect(timesIn(join(entry.parentPath, entry.name), key), entry.name).toBe(0);
  }
}

test("TLS by the authority of the config works in a sandbox with the network, and by no other", async () => {
  const programs = newFolder("programs");
  authorityIn(programs).certify("provider", "IP:127.0.0.1");
  chmodSync(programs, 0o755);
  chmodSync(join(programs, "provider.key"), 0o444);
  const runtime = join(checkout, "node_modules/.bin/bun");
  await run([runtime, "build", "--compile", "--outfile", join(programs, "ask"), join(checkout, "agents/testing/ask-over-tls.ts")]);
  chmodSync(join(programs, "ask"), 0o755);
  const asker = "extra_services: { asker: { argv: [/mnt/ask, /mnt], network: true } }\n";
  const container = await startContainer({ config: `${without_models}${asker}`, programs });
  started.push(container);
  await container.ready("all");
  const aiosctl = new Aiosctl(container.console_socket);
  const logs = await waitFor(
    "all to be asked",
    async () => {
      const { out } = await aiosctl.run("--json", "logs", "asker");
      return out.includes("all were asked") ? out : null;
    },
    { limit_ms: 60_000, every_ms: 500 },
  );
  for (const kind of ["anthropic", "openai"]) {
    expect(logs).toContain(`${kind}, its authority: Over TLS.`);
    expect(logs).toMatch(new RegExp(`${kind}, well-known authorities: ChatError: .*UNABLE_TO_VERIFY_LEAF_SIGNATURE`));
  }
}, 180_000);

test("without a network interface that has an address it says that it is offline", async () => {
  const elsewhere = `tiers: { strategic: { providers: [{ kind: anthropic, model: claude-opus-5-5, key: { value: ${in_config} } }] } }\n`;
  const container = await startContainer({ config: `${without_models}${elsewhere}` });
  started.push(container);
  await container.ready("all");
  const strategic = async () => (await container.console.call("services")).find(({ name }) => name === "strategic");
  const said = async () => ((await strategic())?.health == null ? null : await strategic());
  const service = await waitFor("its health", said, { limit_ms: 60_000, every_ms: 100 });
  expect(service?.health?.facts).toMatchObject({ provider: "anthropic", offline: true });
  expect(service?.health?.detail).toContain("offline: no network interface has an address");
  expect(service?.health?.detail).toContain("forgotten at power-off");
}, 180_000);

test("the strategic tier has the keys of config and vault, and they are in no status, log, memory or record", async () => {
  const data = newFolder("data");
  const container = await startContainer({ data, config });
  started.push(container);
  await container.ready("all");
  const aiosctl = new Aiosctl(container.console_socket);
  const facts = async () => (await container.console.call("services")).find(({ name }) => name === "strategic")?.health?.facts;
  const until = (provider: string) =>
    waitFor(`the provider "${provider}" to be the first`, async () => (await facts())?.["provider"] === provider, {
      limit_ms: 60_000,
      every_ms: 250,
    });
  await until("openai");
  expect(await facts()).toMatchObject({
    model: "spare",
    breaker: "closed",
    providers: 2,
    providers_usable: 1,
    budget_hour_usd: 1,
    budget_day_usd: 5,
  });

  await listed(aiosctl); // waits until the console has found the broker
  const uses = JSON.stringify([{ to: "tier", tier: "strategic" }]);
  const put = await aiosctl.given(`${in_vault}\n`, "secret", "put", "claude", "--uses", uses, "--why", "a scenario");
  expect(put.status, put.err).toBe(0);
  await until("anthropic");
  expect(await facts()).toMatchObject({ model: "claude-opus-5-5", providers_usable: 2 });

  for (const path of ["/run/aios/config/aios.yaml", "/run/aios/secrets/strategic/claude", "/var/lib/aios/strategic/budget.db"])
    expect((await aiosctl.call("fs.read", { path }))._meta.status).toBe("refused");
  const said = [put.out, put.err, container.log()];
  for (const argv of [["status"], ["services"], ["logs", "strategic"], ["audit"], ["secret", "list"]]) {
    const ran = await aiosctl.run("--json", ...argv);
    expect(ran.status, `${argv.join(" ")}: ${ran.err}`).toBe(0);
    said.push(ran.out);
  }
  for (const key of [in_config, in_vault]) expect(said.join("\n")).not.toContain(key);
  expect(said.join("\n")).toContain("claude-opus-5-5");
  await container.poweroff();
  nowhereBelow(data);
}, 180_000);
