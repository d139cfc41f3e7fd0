/**
 * The parse tree of Drain (He et al., 2017): the number of words, then the first words, lead to a leaf with the few
 * templates that a line is compared with. Its depth is fixed and each node has so many children at most; where there are
 * more, further words share one child.
 */

import { any } from "./kinds.ts";
import { limits } from "./limits.ts";
import { generalise, likeness, weigh } from "./pattern.ts";
import { leading, type Words } from "./scan/words.ts";

/** At least as alike has a line to be. */
const alike_min = 0.65;

export interface Entry {
  readonly id: number;
  pattern: string[];
  weights: Uint8Array;
  /** Where it hangs; null: only in the database. */
  leaf: Leaf | null;
  /** When it was used last, in lines. */
  used: number;
}

class Leaf {
  readonly entries: Entry[] = [];
  constructor(
    readonly node: Node,
    /** The way to it, as it is kept with a template. */
    readonly path: string,
  ) {}
}

interface Node {
  readonly children: Map<string, Node>;
  readonly parent: Node | null;
  readonly word: string;
  leaf: Leaf | null;
}

export class Tree {
  readonly #root: Node = newNode(null, "");
  #nodes = 0;

  get nodes(): number {
    return this.#nodes;
  }

  /** The leaf of a line, when there is one. */
  leafOf({ masked, leads, count }: Words): Leaf | null {
    let node = this.#root.children.get(lengthWord(count));
    let left: number = limits.depth;
    for (let at = 0; node !== undefined && at < count && left > 0; at += 1) {
      const lead = leads[at] as number;
      if (lead === leading.nowhere) continue;
      if (lead === leading.word) left -= 1;
      const word = masked[at] as string;
      node = node.children.get(word) ?? (node.children.size >= limits.children_max ? node.children.get(any) : undefined);
    }
    return node?.leaf ?? null;
  }

  /** The way that a line goes now: full nodes send it on to the child of any word. */
  pathOf(words: Words): string {
    let node: Node | undefined = this.#root;
    const path: string[] = [];
    for (const word of steps(words)) {
      const child: Node | undefined = node?.children.get(word);
      const shared: boolean = child === undefined && node !== undefined && path.length > 0 && node.children.size >= limits.children_max;
      path.push(shared ? any : word);
      node = shared ? node?.children.get(any) : child;
    }
    return path.join(" ");
  }

  /** The leaf at the end of a path, made when it is not there. */
  leafAt(path: string): Leaf {
    let node = this.#root;
    for (const word of path.split(" ")) {
      let child = node.children.get(word);
      if (child === undefined) {
        child = newNode(node, word);
        node.children.set(word, child);
        this.#nodes += 1;
      }
      node = child;
    }
    node.leaf ??= new Leaf(node, path);
    return node.leaf;
  }

  /** Takes a template out of the tree, and the nodes that lead to nothing any more. */
  remove(entry: Entry): void {
    const { leaf } = entry;
    if (leaf === null) return;
    entry.leaf = null;
    leaf.entries.splice(leaf.entries.indexOf(entry), 1);
    if (leaf.entries.length > 0) return;
    leaf.node.leaf = null;
    for (let node = leaf.node; node.parent !== null && node.leaf === null && node.children.size === 0; node = node.parent) {
      node.parent.children.delete(node.word);
      this.#nodes -= 1;
    }
  }
}

function newNode(parent: Node | null, word: string): Node {
  return { children: new Map(), parent, word, leaf: null };
}

/** The full way of a line, as if no node were full. */
export function ownPath(words: Words): string {
  return steps(words).join(" ");
}

function steps({ masked, leads, count }: Words): string[] {
  const path = [lengthWord(count)];
  let left: number = limits.depth;
  for (let at = 0; at < count && left > 0; at += 1) {
    const lead = leads[at] as number;
    if (lead === leading.nowhere) continue;
    if (lead === leading.word) left -= 1;
    path.push(masked[at] as string);
  }
  return path;
}

const lengths = Array.from({ length: limits.words_max + 2 }, (_, count) => String(count));

function lengthWord(count: number): string {
  return lengths[count] as string;
}

/** The entry that is most like the line, when one is like it at all. */
export function bestOf(entries: readonly Entry[], masked: readonly string[]): Entry | null {
  let best: Entry | null = null;
  let best_alike = alike_min;
  for (let at = 0; at < entries.length; at += 1) {
    const entry = entries[at] as Entry;
    const alike = likeness(entry.pattern, entry.weights, masked);
    if (alike < best_alike || (alike === best_alike && best !== null)) continue;
    best = entry;
    best_alike = alike;
    if (alike === 1) break;
  }
  return best;
}

/** Takes the line into the pattern. @returns whether the pattern is another one now */
export function widen(entry: Entry, masked: readonly string[]): boolean {
  const pattern = generalise(entry.pattern, masked);
  if (pattern === entry.pattern) return false;
  entry.pattern = pattern;
  entry.weights = weigh(pattern);
  return true;
}
