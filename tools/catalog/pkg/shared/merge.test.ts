import { expect, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";

const Told = z.strictObject({ rounds: z.number(), problem: z.string().nullable() });
const rounds = process.env["AIOS_LONG"] === "1" ? 20_000 : 300;

test.skipIf(process.getuid?.() !== 0)(
  "layers made one show what the kernel shows of them all: random installations (property)",
  async () => {
    const script = join(import.meta.dir, "../testing/layers.ts");
    const seed = Math.floor(Math.random() * 1_000_000_000);
    const argv = ["unshare", "--mount", "--propagation", "private", "--", process.execPath, script, String(rounds), String(seed)];
    const child = Bun.spawn(argv, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, said, status] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    expect(status, said).toBe(0);
    expect(Told.parse(JSON.parse(out))).toEqual({ rounds, problem: null });
  },
  300_000,
);
