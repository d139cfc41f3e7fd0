import { expect, test } from "bun:test";
import { architectures, gather, parseExceptions, readWishes, type Wish, wishesText, withExceptions } from "./wanted.ts";

const why = "A reason that is long enough to be one.";
const kfence: Wish = { symbol: "KFENCE", value: "y", from: "hardening.config:3", hardening: true };
const ext4: Wish = { symbol: "EXT4_FS", value: "y", from: "base.config:9", hardening: false };

test("fragments are laid together, each symbol with where it came from", () => {
  const wishes = gather([
    { name: "base.config", text: "# x\nCONFIG_A=y\n" },
    { name: "hardening.config", text: "# CONFIG_B is not set\n" },
  ]);
  expect(wishes).toEqual([
    { symbol: "A", value: "y", from: "base.config:2", hardening: false },
    { symbol: "B", value: "n", from: "hardening.config:1", hardening: true },
  ]);
  expect(wishesText(wishes)).toBe("CONFIG_A=y\n# CONFIG_B is not set\n");
});

test("two fragments that name one symbol are refused", () => {
  const files = [
    { name: "a.config", text: "CONFIG_A=y\n" },
    { name: "b.config", text: "CONFIG_A=y\n" },
  ];
  expect(() => gather(files)).toThrow(/CONFIG_A is in a\.config:1 and in b\.config:1/);
});

test("an exception changes what is wanted of a hardening symbol, and of nothing else", () => {
  const [first, second] = withExceptions([kfence, ext4], [{ symbol: "KFENCE", value: "n", why }]);
  expect(first?.value).toBe("n");
  expect(first?.from).toContain("hardening.config:3 wants y");
  expect(second).toEqual(ext4);
});

test("an exception that excuses nothing is refused", () => {
  for (const exception of [
    { symbol: "NO_SUCH", value: "n", why },
    { symbol: "EXT4_FS", value: "n", why },
    { symbol: "KFENCE", value: "y", why },
  ]) {
    expect(() => withExceptions([kfence, ext4], [exception]), exception.symbol).toThrow(/excuses nothing/);
  }
});

test("an exception without a reason, or with an unknown field, is refused", () => {
  expect(() => parseExceptions("- symbol: A\n  value: n\n", "e.yaml")).toThrow(/e\.yaml.*why/s);
  expect(() => parseExceptions("- symbol: A\n  value: n\n  why: no\n", "e.yaml")).toThrow(/a reason takes a sentence/);
  expect(() => parseExceptions(`- symbol: CONFIG_A\n  value: n\n  why: ${why}\n`, "e.yaml")).toThrow(/CONFIG_ prefix/);
  expect(() => parseExceptions(`- symbol: A\n  value: n\n  why: ${why}\n  because: x\n`, "e.yaml")).toThrow(/because/);
});

test.each([...architectures])("the fragments in this folder fit together: %s", (architecture) => {
  const wishes = new Map(readWishes(architecture).map(({ symbol, value }) => [symbol, value]));
  // What other rooms stand on.
  for (const symbol of ["EROFS_FS", "DM_VERITY", "PSI", "SECCOMP_FILTER", "USER_NS", "VIRTIO_CONSOLE", "FW_CFG_SYSFS", "KEXEC_FILE"]) {
    expect(wishes.get(symbol), symbol).toBe("y");
  }
  expect(wishes.get("MODULES")).toBe("n");
});
