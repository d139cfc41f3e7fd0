import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxSystem } from "../../sys/linux.ts";
import { crashingSystem } from "../testing/crash.ts";
import { newest, versions_max } from "./record.ts";
import { broken_tpm, draft, openTestVault, version } from "./testing/open.ts";
import { startSoftTpm } from "./testing/swtpm.ts";
import type { Tpm } from "./tpm/tpm.ts";

const base = mkdtempSync(join(tmpdir(), "vault-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let count = 0;
function folder(): string {
  count += 1;
  const made = join(base, String(count));
  mkdirSync(made);
  return made;
}

const plain = "correct horse battery staple";
const db = { kind: "secret", name: "db" } as const;
const other = { kind: "secret", name: "other" } as const;

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "it did not fail";
}

function all(at: string): Buffer[] {
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

test("what is kept opens again, also after a restart; nothing of it is plain on the disk; files are root's alone", async () => {
  const at = folder();
  await (await openTestVault(at)).keep(draft("db"), [version(plain)]);
  const again = await openTestVault(at);
  expect(again.value(db).toString()).toBe(plain);
  expect(again.sealed_by).toBe("file");
  for (const bytes of all(at)) {
    expect(bytes.includes(plain)).toBe(false);
    expect(bytes.includes(Buffer.from(plain).toString("base64").slice(0, 30))).toBe(false);
  }
  const modes = readdirSync(at, { recursive: true }).map((name) => (statSync(join(at, String(name))).mode & 0o777).toString(8));
  expect(new Set(modes)).toEqual(new Set(["700", "600"]));
});

test("the same value is sealed to other bytes each time", async () => {
  const vault = await openTestVault(folder());
  const first = newest(await vault.keep(draft("db"), [version(plain)]));
  const second = newest(await vault.keep(draft("db"), [version(plain)]));
  expect(second.nonce).not.toBe(first.nonce);
  expect(second.sealed).not.toBe(first.sealed);
});

test("as many versions as there is room for are kept, the newest is the one in use", async () => {
  const vault = await openTestVault(folder());
  const numbers = Array.from({ length: versions_max + 2 }, (_, index) => index + 1);
  await vault.keep(
    draft("db"),
    numbers.map((number) => version(`value ${number}`, number)),
  );
  expect(vault.value(db).toString()).toBe(`value ${versions_max + 2}`);
  expect(vault.value(db, 3).toString()).toBe("value 3");
  expect(refusal(() => vault.value(db, 1))).toBe('opening the secret "db" failed: its version 1 is not kept any more');
});

describe("a file that was changed", () => {
  test("any bit of it: that secret says so, the others open", async () => {
    const at = folder();
    const vault = await openTestVault(at);
    await vault.keep(draft("db"), [version(plain)]);
    await vault.keep(draft("other"), [version("untouched")]);
    const file = join(at, "vault/secret/db.json");
    const whole = readFileSync(file);
    for (let bit = 0; bit < (whole.length - 1) * 8; bit += 1) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(file, bytes);
      const opened = refusal(() => vault.value(db));
      expect(opened, bytes.toString("latin1")).toMatch(/^opening the secret "db" failed: (its file in the vault is damaged|its data key)/);
      expect(vault.value(other).toString()).toBe("untouched");
    }
  });

  test("cut off anywhere", async () => {
    const at = folder();
    await (await openTestVault(at)).keep(draft("db"), [version(plain)]);
    const file = join(at, "vault/secret/db.json");
    for (let length = statSync(file).size - 2; length >= 0; length -= 7) {
      truncateSync(file, length);
      const vault = await openTestVault(at);
      expect(refusal(() => vault.value(db))).toContain('opening the secret "db" failed: its file in the vault is damaged');
      expect(vault.list()).toMatchObject([{ name: "db", record: null, sealed_by: null }]);
      expect(vault.degradation).toContain("1 secrets or certificates cannot be opened");
    }
    const vault = await openTestVault(at);
    await vault.keep(draft("db"), [version("anew")]); // and can be put anew
    expect(vault.value(db).toString()).toBe("anew");
  });

  test("put under another name, given to another owner, with other uses: it does not open", async () => {
    const at = folder();
    const vault = await openTestVault(at);
    await vault.keep(draft("db"), [version(plain)]);
    const text = readFileSync(join(at, "vault/secret/db.json"), "utf8");
    writeFileSync(join(at, "vault/secret/other.json"), text);
    expect(refusal(() => vault.value(other))).toContain('opening the secret "other" failed');
    writeFileSync(join(at, "vault/secret/other.json"), text.replace('"name":"db"', '"name":"other"'));
    expect(refusal(() => vault.value(other))).toContain("was not sealed for it");
    writeFileSync(join(at, "vault/secret/db.json"), text.replace("tier:tactical", "tier:strategic"));
    expect(refusal(() => vault.value(db))).toContain("was not sealed for it");
    const wider = text.replace('"uses":[]', '"uses":[{"to":"host","host":"evil.example","port":443}]');
    writeFileSync(join(at, "vault/secret/db.json"), wider);
    expect(refusal(() => vault.value(db))).toContain("was not sealed for it");
    mkdirSync(join(at, "vault/certificate"), { recursive: true });
    writeFileSync(join(at, "vault/certificate/db.json"), text.replace('"kind":"secret"', '"kind":"certificate"'));
    expect(refusal(() => vault.value({ kind: "certificate", name: "db" }))).toContain("was not sealed for it");
  });

  test("another vault's key under the same id", async () => {
    const [one, two] = [folder(), folder()];
    await (await openTestVault(one)).keep(draft("db"), [version(plain)]);
    await (await openTestVault(two)).keep(draft("db"), [version(plain)]);
    const [key = ""] = readdirSync(join(one, "vault/keys"));
    const [foreign = ""] = readdirSync(join(two, "vault/keys"));
    const text = readFileSync(join(two, "vault/keys", foreign), "utf8");
    writeFileSync(join(one, "vault/keys", key), text.replace(foreign.slice(0, 16), key.slice(0, 16)));
    const vault = await openTestVault(one);
    expect(refusal(() => vault.value(db))).toContain("was not sealed for it");
  });

  test("a damaged or missing key: what it sealed says so, and new secrets get a new key", async () => {
    for (const [spoil, words] of [
      [(path: string) => truncateSync(path, 20), "is damaged; bring"],
      [(path: string) => rmSync(path), "is missing from the vault; put it anew"],
    ] as const) {
      const at = folder();
      await (await openTestVault(at)).keep(draft("db"), [version(plain)]);
      const [key = ""] = readdirSync(join(at, "vault/keys"));
      spoil(join(at, "vault/keys", key));
      const vault = await openTestVault(at);
      expect(refusal(() => vault.value(db))).toContain(words);
      await vault.keep(draft("other"), [version("fresh")]);
      expect(vault.value(other).toString()).toBe("fresh");
      expect((await openTestVault(at)).value(other).toString()).toBe("fresh");
    }
  });
});

test("a full disk: an error, and what was there still opens", async () => {
  const at = folder();
  const sys = linuxSystem();
  sys.mount.mount({ source: "none", target: at, type: "tmpfs", data: "size=64k" });
  try {
    const vault = await openTestVault(at);
    await vault.keep(draft("db"), [version(plain)]);
    refusal(() => writeFileSync(join(at, "filler"), Buffer.alloc(128 * 1024)));
    const error = await vault.keep(draft("db"), [version("x".repeat(10_000))]).catch((one: unknown) => String(one));
    expect(error).toContain('keeping the secret "db" failed');
    expect(error).toContain("ENOSPC");
    expect(error).not.toContain("xxx");
    expect(readdirSync(join(at, "vault/secret"))).toEqual(["db.json"]);
    expect(vault.value(db).toString()).toBe(plain);
  } finally {
    sys.mount.unmount(at, ["detach"]);
  }
});

test("cut off after any change to the disk: the value before or the one after, never none", async () => {
  const begin = folder();
  await (await openTestVault(begin)).keep(draft("db"), [version("before")]);
  let whole = false;
  for (let changes = 0; !whole; changes += 1) {
    const at = folder();
    cpSync(begin, at, { recursive: true });
    const sys = crashingSystem(linuxSystem(), changes);
    const dying = await openTestVault(at, { sys });
    whole = await dying.keep(draft("db"), [version("after", 2)]).then(
      () => true,
      () => false,
    );
    const vault = await openTestVault(at);
    const value = vault.value(db).toString();
    expect(whole ? ["after"] : ["before", "after"]).toContain(value);
    expect(readdirSync(join(at, "vault/secret"))).toEqual(["db.json"]);
  }
});

describe("with a TPM", () => {
  test("the key is on the disk only as the TPM sealed it; another TPM, or none: an error that says what to do, and nothing is deleted", async () => {
    const at = folder();
    const tpm = await startSoftTpm(join(folder(), "tpm"));
    const vault = await openTestVault(at, { tpm: tpm.tpm });
    await vault.keep(draft("db"), [version(plain)]);
    expect(vault.sealed_by).toBe("tpm");
    const [key = ""] = readdirSync(join(at, "vault/keys"));
    expect(Object.keys(JSON.parse(readFileSync(join(at, "vault/keys", key), "utf8"))).sort()).toEqual(
      ["created_ms", "format", "id", "private", "public", "sealed_by"].sort(),
    );
    expect((await openTestVault(at, { tpm: tpm.tpm })).value(db).toString()).toBe(plain);

    const foreign = await startSoftTpm(join(folder(), "other"));
    for (const [now, words] of [
      [
        foreign.tpm,
        "the TPM that sealed it was cleared, or this is another one; start with that TPM as it was, or put it anew (nothing was deleted)",
      ],
      [null, "there is no TPM in this machine now"],
      [broken_tpm, "it does not answer"],
    ] as const) {
      const lost = await openTestVault(at, { tpm: now });
      expect(refusal(() => lost.value(db))).toContain(words);
      expect(lost.degradation).toContain(words);
      expect(lost.list()[0]).toMatchObject({ name: "db", sealed_by: null });
      await lost.keep(draft("other"), [version("fresh")]);
      expect(lost.value(other).toString()).toBe("fresh");
    }
    const back = await openTestVault(at, { tpm: tpm.tpm });
    expect(back.value(db).toString()).toBe(plain);
    await foreign.end();
    await tpm.end();
  });

  test("one that appears later takes the key over, once; cut off anywhere it is one or the other", async () => {
    const begin = folder();
    await (await openTestVault(begin)).keep(draft("db"), [version(plain)]);
    const [key = ""] = readdirSync(join(begin, "vault/keys"));
    const secret: unknown = JSON.parse(readFileSync(join(begin, "vault/keys", key), "utf8"))["key"];
    const soft = await startSoftTpm(join(folder(), "tpm"));
    let sealed = 0;
    const seal = (data: Uint8Array) => {
      sealed += 1;
      return soft.tpm.seal(data);
    };
    const tpm: Tpm = { ...soft.tpm, seal };
    let moved = false;
    for (let changes = 0; changes < 12; changes += 1) {
      const at = folder();
      cpSync(begin, at, { recursive: true });
      const sys = crashingSystem(linuxSystem(), changes);
      await openTestVault(at, { sys, tpm });
      const vault = await openTestVault(at, { tpm });
      expect(vault.value(db).toString()).toBe(plain);
      expect(vault.sealed_by).toBe("tpm");
      moved = !readFileSync(join(at, "vault/keys", key), "utf8").includes(String(secret));
      expect(moved).toBe(true);
      const before = sealed;
      await openTestVault(at, { tpm });
      expect(sealed).toBe(before);
    }
    await soft.end();
  });

  test("one that does not work: the key is in a file, and it is said", async () => {
    const said: string[] = [];
    const vault = await openTestVault(folder(), { tpm: broken_tpm, log: (text) => void said.push(text) });
    await vault.keep(draft("db"), [version(plain)]);
    expect(vault.sealed_by).toBe("file");
    expect(said).toEqual([expect.stringContaining("it does not answer; it is kept in a file until the TPM works")]);
  });
});
