import { expect, test } from "bun:test";
import { capture } from "./capture.ts";
import { behindSandbox, run } from "./process.ts";

async function ran(script: string) {
  const lines: string[] = [];
  let captured: Promise<void> = Promise.resolve();
  const pids: number[] = [];
  const { pid, ended } = run({
    argv: ["/bin/sh", "-c", script],
    env: { WORD: "here" },
    onPid: (each) => void pids.push(each),
    onOutput: (output) => {
      captured = capture(
        output,
        () => 0,
        (stream, { message }) => void lines.push(`${stream}: ${message}`),
      );
    },
  });
  const how = await ended;
  await captured;
  return { how, lines: lines.sort(), known: pids[0] === pid };
}

test("a process: its output by lines and streams, its status, its signal", async () => {
  expect(await ran('echo "$WORD"; echo there; echo oh >&2; exit 3')).toEqual({
    how: { status: 3, signal: null },
    lines: ["stderr: oh", "stdout: here", "stdout: there"],
    known: true,
  });
  expect((await ran("kill -9 $$")).how).toEqual({ status: null, signal: "SIGKILL" });
  expect(() => run({ argv: ["/no/such/program"], env: {} })).toThrow();
});

test("bubblewrap says a signal as a status: it is told as the signal", () => {
  expect(behindSandbox({ status: 137, signal: null })).toEqual({ status: null, signal: "SIGKILL" });
  expect(behindSandbox({ status: 3, signal: null })).toEqual({ status: 3, signal: null });
});
