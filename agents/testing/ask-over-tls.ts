/**
 * As a program in a sandbox like the strategic tier's (test-vm/scenarios/container/models.test.ts): a provider that speaks TLS by a
 * certificate of `<folder>`, asked by both SDKs with the authority that signed it, and with the well-known ones alone.
 */

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiProvider, StrategicConfig } from "../../contracts/model/provider.ts";
import { Budget } from "../model/budget/budget.ts";
import { Ledger } from "../model/budget/ledger.ts";
import { asks, says, test_key } from "../model/testing/providers.ts";
import { Models } from "../strategic/models.ts";
import { startProvider } from "./provider/server.ts";

const [folder = ""] = process.argv.slice(2);
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const server = await startProvider({
  script: says("Over TLS."),
  key: test_key,
  tls: { key: read("provider.key"), cert: read("provider.crt") },
});

for (const kind of ApiProvider.shape.kind.options)
  for (const ca of [read("ca.crt"), undefined]) {
    const base_url = kind === "anthropic" ? server.anthropic_url : server.openai_url;
    const provider = {
      kind,
      model: "m",
      base_url,
      key: { value: test_key },
      price: { input: 0, output: 0 },
      ...(ca === undefined ? {} : { ca }),
    };
    const config = StrategicConfig.parse({ providers: [provider] });
    const ledger = new Ledger(mkdtempSync(join(tmpdir(), "ledger-")), { id: "one", clock: () => 0 });
    const budget = new Budget(ledger, config.budget);
    const models = new Models({
      settings: { config, problems: [] },
      budget,
      secrets: folder,
      clock: () => performance.now(),
      warn: console.error,
    });
    const said = await models.chat(asks("Well?")).then(
      ({ text }) => text,
      (error: unknown) => String(error),
    );
    console.log(`${kind}, ${ca === undefined ? "well-known authorities" : "its authority"}: ${said}`);
  }
console.log("all were asked");
setInterval(() => {}, 1e6); // a service that ends would be started again
