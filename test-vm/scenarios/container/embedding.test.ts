/** The sentence model in the real root: it loads in the memory service's sandbox, and a fault in it is not the service's. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Health } from "../../../contracts/service.ts";
import { type Container, startContainer } from "../../container.ts";
import { descendants, processStatus } from "../../host-processes.ts";
import { newFolder } from "../../places.ts";
import { waitFor } from "../../wait.ts";
import { serviceStatus } from "../expect.ts";

let container: Container;

beforeAll(async () => {
  container = await startContainer({ data: newFolder("data") });
  await container.ready("all");
}, 300_000);

afterAll(() => container?.kill());

function facts(fits: (facts: Health["facts"]) => boolean): Promise<Health["facts"]> {
  const ask = async (): Promise<Health["facts"] | null> => {
    const found = (await serviceStatus(container.console, "memory")).health?.facts;
    return found !== undefined && fits(found) ? found : null;
  };
  return waitFor("the embedding model in memory's health", ask, { limit_ms: 120_000, every_ms: 100 });
}

async function embedProcess(): Promise<number> {
  const top = container.hostPid((await serviceStatus(container.console, "memory")).pid ?? 0);
  const found = descendants(top).find(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[1] === "embed");
  if (found === undefined) throw new Error("looking for the embedding process failed: memory has no such child");
  return found.pid;
}

test("it is loaded, in the sandbox of the memory service, and the first that the kernel would end", async () => {
  const loaded = await facts(({ embed_loaded }) => embed_loaded === true);
  expect(loaded["embed_model"]).toMatch(/^all-minilm-l6-v2@[0-9a-f]{12}$/);
  expect(loaded["embed_rss_bytes"]).toBeGreaterThan(20 * 1024 * 1024);
  expect(loaded["embed_rss_bytes"]).toBeLessThan(160 * 1024 * 1024);
  const pid = await embedProcess();
  const status = processStatus(pid);
  expect([status?.get("Uid")?.split(/\s+/)[0], status?.get("Seccomp"), status?.get("NoNewPrivs")]).toEqual(["801", "2", "1"]);
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("900");
});

test("killed, it comes back, and the memory service did not notice more than that", async () => {
  const before = (await serviceStatus(container.console, "memory")).pid;
  await facts(({ embed_loaded }) => embed_loaded === true);
  process.kill(await embedProcess(), "SIGKILL");
  await facts(({ embed_loaded, embed_restarts }) => embed_loaded === true && Number(embed_restarts) > 0);
  expect((await serviceStatus(container.console, "memory")).pid).toBe(before);
});
