/** Loads data files that were made part of the program: each is tried, one that is wrong is refused with a sentence and the rest count. */

export interface Loaded<T> {
  readonly loaded: readonly T[];
  /** One sentence for each that was refused. */
  readonly refused: readonly string[];
}

/**
 * @param what for the sentence: `rule`
 * @param load throws what is wrong with it
 */
export function loadEach<T extends { readonly name: string }>(
  what: string,
  sources: Readonly<Record<string, unknown>>,
  load: (source: unknown) => T,
): Loaded<T> {
  const loaded: T[] = [];
  const refused: string[] = [];
  for (const [file, source] of Object.entries(sources)) {
    try {
      const one = load(source);
      if (loaded.some(({ name }) => name === one.name)) throw new Error(`there is already one named "${one.name}"`);
      loaded.push(one);
    } catch (error) {
      refused.push(`loading the ${what} "${file}" failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { loaded, refused };
}
