import { expect, test } from "bun:test";
import { allPages } from "./all-pages.ts";

const all = ["e", "d", "c", "b", "a"].map((id) => ({ id }));

test("pages are read until there is no more, each after the last of the one before", async () => {
  const asked: (string | undefined)[] = [];
  const page = async (before: string | undefined) => {
    asked.push(before);
    const at = all.findIndex(({ id }) => id === before) + 1;
    return { items: all.slice(at, at + 2), more: at + 2 < all.length };
  };
  expect(await allPages(page)).toEqual(all);
  expect(asked).toEqual([undefined, "d", "b"]);
});

test("a page that is empty though there is more is an error, not the end", async () => {
  await expect(allPages(async () => ({ items: [], more: true }))).rejects.toThrow("the page is empty");
});
