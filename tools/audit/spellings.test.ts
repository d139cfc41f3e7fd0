import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spellingsOf } from "./spellings.ts";

test("a path over a link is asked for by its own name and by the one to which it leads, whether or not its end is there", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "spellings-")));
  mkdirSync(join(folder, "data/www"), { recursive: true });
  symlinkSync("data", join(folder, "srv"));
  const [known, real] = [join(folder, "srv"), join(folder, "data")];
  expect(spellingsOf(known)).toEqual([known, real]);
  expect(spellingsOf(`${known}/www/gone/file`)).toEqual([`${known}/www/gone/file`, `${real}/www/gone/file`]);
  expect(spellingsOf(`${known}/*`)).toEqual([`${known}/*`, `${real}/*`]);
  expect(spellingsOf(`${known}/ww*`)).toEqual([`${known}/ww*`, `${real}/ww*`]);
  expect(spellingsOf(`${real}/www`)).toEqual([`${real}/www`]);
  expect(spellingsOf(`${real}/gone/*`)).toEqual([`${real}/gone/*`]);
  expect(spellingsOf("/*")).toEqual(["/*"]);
});

test("what is no path is asked for as it is", () => {
  for (const name of ["tcp:80", "*", "", "power"]) expect(spellingsOf(name)).toEqual([name]);
});
