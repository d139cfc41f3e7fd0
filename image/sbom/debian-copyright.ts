/** Debian's machine-readable copyright files (copyright-format/1.0). */

interface Stanza {
  /** Globs of the source package that it is about; none for a paragraph that only holds a licence's words. */
  readonly files: readonly string[];
  /** The short name, as in `License: GPL-2+ or MIT`. */
  readonly licence: string;
  /** The licence's words; empty where they stand in a paragraph of their own. */
  readonly words: string;
}

export function isMachineReadable(text: string): boolean {
  return /^Format:/im.test(text);
}

/** Every paragraph with a `License` field, in order. */
export function stanzas(text: string): Stanza[] {
  return text.split(/\n[ \t]*\n/).flatMap((paragraph) => {
    const licence = field(paragraph, "License");
    if (licence === null) return [];
    const [name = "", ...words] = licence.split("\n");
    const files = (field(paragraph, "Files") ?? "").split(/\s+/).filter((glob) => glob !== "");
    return [
      {
        files,
        licence: name.trim(),
        words: words
          .map((line) => line.trim().replace(/^\.$/, ""))
          .join("\n")
          .trim(),
      },
    ];
  });
}

function field(paragraph: string, name: string): string | null {
  return new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, "m").exec(paragraph)?.[1] ?? null;
}
