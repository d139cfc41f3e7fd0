import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Resource } from "../../contracts/tool.ts";
import { isBelow, Locks, overlaps } from "./locks.ts";

const path = (id: string, access: Resource["access"] = "write"): Resource => ({ kind: "path", id, access, attributes: {} });
const never = new AbortController().signal;

describe("overlap", () => {
  test("a path and what is below it, not what only begins with the same letters", () => {
    expect(overlaps(path("/srv/www"), path("/srv/www/a"))).toBe(true);
    expect(overlaps(path("/srv/www/a"), path("/srv/www"))).toBe(true);
    expect(overlaps(path("/srv/www"), path("/srv/www2"))).toBe(false);
    expect(overlaps(path("/"), path("/anything"))).toBe(true);
    expect(isBelow("/", "/")).toBe(false);
  });

  test("other kinds by name, or all of a kind", () => {
    const port = (id: string): Resource => ({ kind: "port", id, access: "write", attributes: {} });
    expect(overlaps(port("tcp:80"), port("tcp:80"))).toBe(true);
    expect(overlaps(port("tcp:80"), port("tcp:8080"))).toBe(false);
    expect(overlaps(port("*"), port("tcp:8080"))).toBe(true);
    expect(overlaps(port("/a"), path("/a"))).toBe(false);
  });
});

describe("locks", () => {
  test("readers wait for nobody; a writer waits for the writer before", async () => {
    const locks = new Locks();
    const first = await locks.take([path("/a")], never);
    expect(first.waited).toBe(false);
    expect((await locks.take([path("/a/b", "read")], never)).waited).toBe(false);
    let in_turn = false;
    const second = locks.take([path("/a/b")], never).then((lock) => {
      in_turn = true;
      return lock;
    });
    await Bun.sleep(5);
    expect(in_turn).toBe(false);
    first.release();
    first.release(); // twice is once
    expect((await second).waited).toBe(true);
  });

  test("nobody overtakes one who waits for the same thing, and the others are not held up", async () => {
    const locks = new Locks();
    const order: string[] = [];
    const a = await locks.take([path("/a")], never);
    const b = await locks.take([path("/b")], never);
    const both = locks.take([path("/a"), path("/b")], never).then((lock) => {
      order.push("both");
      lock.release();
    });
    const late = locks.take([path("/b")], never).then((lock) => {
      order.push("late");
      lock.release();
    });
    await locks.take([path("/c")], never).then(() => order.push("other"));
    b.release();
    await Bun.sleep(5);
    expect(order).toEqual(["other"]);
    a.release();
    await Promise.all([both, late]);
    expect(order).toEqual(["other", "both", "late"]);
  });

  test("one who gives up waiting holds up nobody", async () => {
    const locks = new Locks();
    const held = await locks.take([path("/a")], never);
    const abort = new AbortController();
    const waiting = locks.take([path("/a"), path("/b")], abort.signal);
    const behind = locks.take([path("/b")], never);
    abort.abort(new Error("enough"));
    expect(waiting).rejects.toThrow("enough");
    expect((await behind).waited).toBe(true);
    held.release();
  });

  test("property: never two inside that overlap, and everyone gets in", async () => {
    const resource = fc.constantFrom("/", "/a", "/a/b", "/a/b/c", "/ab", "/d").map((id) => path(id));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(resource, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), async (wishes) => {
        const locks = new Locks();
        const inside = new Set<readonly Resource[]>();
        let served = 0;
        await Promise.all(
          wishes.map(async (wish) => {
            const lock = await locks.take(wish, never);
            for (const other of inside) expect(wish.some((one) => other.some((two) => overlaps(one, two)))).toBe(false);
            inside.add(wish);
            await Promise.resolve();
            inside.delete(wish);
            served += 1;
            lock.release();
          }),
        );
        expect(served).toBe(wishes.length);
      }),
      { numRuns: 200 },
    );
  });
});
