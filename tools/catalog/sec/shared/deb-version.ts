/**
 * Versions of Debian packages in their order (deb-version(7)). Our own: the package for it on npm (deb-version-compare, of
 * 2017) takes 1 and 1-1 for equal, and 1.00-1 for later than 1.0+dfsg, which dpkg does not.
 */

/** Negative when `a` is earlier than `b`, 0 when they are equal (`1.0` and `1.00` are), else positive. */
export function compareDebVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  return left.epoch - right.epoch || comparePart(left.upstream, right.upstream) || comparePart(left.revision, right.revision);
}

/** `[epoch:]upstream[-revision]`: a missing epoch is 0, a missing revision the empty one. */
function split(version: string): { readonly epoch: number; readonly upstream: string; readonly revision: string } {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const hyphen = rest.lastIndexOf("-");
  return {
    epoch: colon === -1 ? 0 : Number(version.slice(0, colon)) || 0,
    upstream: hyphen === -1 ? rest : rest.slice(0, hyphen),
    revision: hyphen === -1 ? "" : rest.slice(hyphen + 1),
  };
}

/** What is no digit compared by `order`, then digits as a number, and so on from the left. */
function comparePart(a: string, b: string): number {
  let [at, other] = [0, 0];
  while (at < a.length || other < b.length) {
    while ((at < a.length && !isDigit(a[at])) || (other < b.length && !isDigit(b[other]))) {
      const difference = order(a[at]) - order(b[other]);
      if (difference !== 0) return difference;
      at += 1;
      other += 1;
    }
    const [first, second] = [digitsFrom(a, at), digitsFrom(b, other)];
    at += first.length;
    other += second.length;
    const [x, y] = [first.replace(/^0+/, ""), second.replace(/^0+/, "")]; // of any length: not as numbers
    if (x.length !== y.length) return x.length - y.length;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

function digitsFrom(text: string, at: number): string {
  let end = at;
  while (isDigit(text[end])) end += 1;
  return text.slice(at, end);
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= "0" && char <= "9";
}

/** A tilde before everything, also the end; letters before the rest. */
function order(char: string | undefined): number {
  if (char === undefined || isDigit(char)) return 0;
  if (char === "~") return -1;
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256;
}
