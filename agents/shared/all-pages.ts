/** What is told in pages, read to its end. */

interface Page<T> {
  readonly items: readonly T[];
  /** There is more behind the last of them. */
  readonly more: boolean;
}

/** @param page what comes after the item `before`, as `work.list` answers: newest first, cut by number and by bytes */
export async function allPages<T extends { readonly id: string }>(page: (before: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  for (let before: string | undefined; ; before = all.at(-1)?.id) {
    const { items, more } = await page(before);
    all.push(...items);
    if (!more) return all;
    if (items.length === 0)
      throw new Error(`reading on after "${before ?? "(the beginning)"}" failed: there is more, and the page is empty`);
  }
}
