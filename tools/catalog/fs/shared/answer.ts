/** Answers that fit. */

const slash = Buffer.from("/");

/** A relative path of its names. */
export function joined(names: readonly Buffer[]): Buffer {
  return Buffer.concat(names.flatMap((name, index) => (index === 0 ? [name] : [slash, name])));
}

/** The first entries that an answer has room for; at least one. */
export function fitting<T>(entries: readonly T[], bytes_max: number): T[] {
  let bytes = 0;
  const end = entries.findIndex((entry, index) => {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    return bytes > bytes_max && index > 0;
  });
  return end === -1 ? [...entries] : entries.slice(0, end);
}
