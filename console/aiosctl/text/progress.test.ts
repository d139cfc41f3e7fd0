import { expect, test } from "bun:test";
import { ProgressLine } from "./progress.ts";

function shown(moves: boolean, ...pieces: string[]): string {
  let text = "";
  const line = new ProgressLine({ write: (piece: string) => (text += piece) }, moves);
  for (const piece of pieces) line.take(piece);
  line.end();
  return text;
}

test("on a terminal a bar that is drawn over itself, and words between", () => {
  const text = shown(
    true,
    "@progress fetching 0 2048\n@progress fet",
    "ching 1024 2048\nhttps://x: it ends too early\n",
    "@progress verifying 2048 2048\n",
  );
  expect(text.split("\r").slice(1)).toEqual([
    "fetching ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0 B of 2.0 KiB, 0 %\u001b[K",
    "fetching ███████████████░░░░░░░░░░░░░░░ 1.0 KiB of 2.0 KiB, 50 %\u001b[K\nhttps://x: it ends too early\n",
    "verifying ██████████████████████████████ 2.0 KiB of 2.0 KiB, 100 %\u001b[K\n",
  ]);
});

test("elsewhere words alone, and nothing that would move a cursor", () => {
  expect(shown(false, "@progress fetching 1 2\nhalf\u001b[2J\n@progress \u001b 1 2\n")).toBe("half␛[2J\n@progress ␛ 1 2\n");
});
