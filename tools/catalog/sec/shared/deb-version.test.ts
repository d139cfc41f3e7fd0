import { expect, test } from "bun:test";
import { compareDebVersions } from "./deb-version.ts";

/** From dpkg's own tests (lib/dpkg/t/t-version.c, scripts/t/Dpkg_Version.t) and deb-version(7). */
const cases: readonly (readonly [string, "<" | "=" | ">", string])[] = [
  ["0", "=", "0"],
  ["0:0", "=", "0"],
  ["0:0-0", "=", "0:0-0"],
  ["0-00", "=", "00-0"],
  ["1:2-3", "=", "1:2-3"],
  ["0:0-0", "<", "1:0-0"],
  ["1:0-0", ">", "0:9-9"],
  ["0:a-0", "<", "0:b-0"],
  ["0:0-0", "<", "0:0-1"],
  ["0:0-a", "<", "0:0-b"],
  ["1.0-1", "<", "2.0-2"],
  ["2.2~rc-4", "<", "2.2-1"],
  ["2.2-1", ">", "2.2~rc-4"],
  ["1.0000-1", "=", "1.0-1"],
  ["1", "=", "0:1"],
  ["0", "=", "0:0-0"],
  ["2:2.5", ">", "1:7.5"],
  ["0:0foo", "=", "0foo"],
  ["0foo", "=", "0foo"],
  ["0foo-0", "=", "0foo"],
  ["0foo", ">", "0fo"],
  ["0foo-0", "<", "0foo+"],
  ["0foo~1", "<", "0foo"],
  ["0foo~foo+Bar", "<", "0foo~foo+bar"],
  ["0foo~~", "<", "0foo~"],
  ["1~", "<", "1"],
  ["12345+that-really-is-some-ver-0", "<", "12345+that-really-is-some-ver-10"],
  ["0foo-0", "<", "0foo-01"],
  ["0foo.bar", "=", "0foo.bar"],
  ["0foo.bar", "<", "1foo.bar"],
  ["0foo.bar-0", "<", "0foo.bar-1"],
  ["0foo2.0.0", "<", "0foo2.10.0"],
  ["a.1", ">", "a"],
  ["~~", "<", "~~a"],
  ["~~a", "<", "~"],
  ["~", "<", ""],
  ["", "<", "a"],
  ["1.2.3-1~deb13u1", "<", "1.2.3-1"],
  ["1.2.3-1+deb13u1", ">", "1.2.3-1"],
  ["1.2.3-1+b3", "<", "1.2.3-1+deb13u1"],
  ["2.41-12+deb13u5", ">", "2.41-12"],
  ["1:1.3.dfsg+really1.3.1-1+deb13u1", ">", "1:1.3.dfsg+really1.3.1-1"],
  ["99999999999999999999999", ">", "99999999999999999999998"],
];

test("dpkg's own cases, both ways round", () => {
  for (const [a, how, b] of cases) {
    const wanted = how === "<" ? -1 : how === ">" ? 1 : 0;
    expect([a, b, Math.sign(compareDebVersions(a, b))]).toEqual([a, b, wanted]);
    expect([b, a, Math.sign(compareDebVersions(b, a)) + 0]).toEqual([b, a, 0 - wanted]);
  }
});

test("the same as dpkg itself says", () => {
  const parts = ["0", "1", "10", "1a", "1~rc1", "1.0+dfsg", "2:0", "1-1", "1-1~", "1-1+b1", "1-2-3", "1.a-z"];
  for (const a of parts)
    for (const b of parts) {
      const says = (op: string): boolean => Bun.spawnSync(["dpkg", "--compare-versions", a, op, b]).exitCode === 0;
      const wanted = says("lt") ? -1 : says("gt") ? 1 : 0;
      expect([a, b, Math.sign(compareDebVersions(a, b))]).toEqual([a, b, wanted]);
    }
});
