import { expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { reconnecting, waitBeforeTry_ms } from "./reconnect.ts";
import { listenUnix, silent } from "./unix.ts";

const methods = { echo: { params: z.string(), result: z.string() } } as const;

test("waits grow from 25 ms to 5 s, half of each by chance", () => {
  const waits = [0, 1, 2, 5, 10, 1000].map((tries) => [waitBeforeTry_ms(tries, () => 0), waitBeforeTry_ms(tries, () => 1)]);
  expect(waits).toEqual([
    [25, 50],
    [50, 100],
    [100, 200],
    [800, 1600],
    [2500, 5000],
    [2500, 5000],
  ]);
});

test("a server that is late, goes away and returns is found each time; stopped means stopped", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "reconnect-")), "sock");
  const heard: string[] = [];
  const connection = reconnecting({
    path,
    sides: { ...silent, calls: methods, tells: {} },
    onUp: () => void heard.push("up"),
    onDown: () => void heard.push("down"),
    random: () => 0,
  });
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) await Bun.sleep(5);
  };
  const serve = () =>
    listenUnix(path, 0o600, () => ({
      ...silent,
      serves: { methods, handlers: { echo: (word: string) => word } },
      calls: {},
      tells: {},
    }));
  await Bun.sleep(30);
  expect(connection.peer).toBeNull();
  for (let round = 1; round <= 3; round += 1) {
    const server = serve();
    await until(round * 2 - 1);
    expect(await connection.peer?.call("echo", "hello")).toBe("hello");
    server.close();
    await until(round * 2);
    expect(connection.peer).toBeNull();
    expect(connection.why).not.toBe("");
  }
  connection.stop();
  const server = serve();
  await Bun.sleep(100);
  expect(heard).toEqual(["up", "down", "up", "down", "up", "down"]);
  server.close();
});
