/** The tools of files. */

import type { AnyTool } from "../../tool.ts";
import { checksum } from "./checksum.ts";
import { chmod } from "./chmod.ts";
import { chown } from "./chown.ts";
import { copy } from "./copy.ts";
import { edit } from "./edit.ts";
import { find } from "./find.ts";
import { link } from "./link.ts";
import { list } from "./list.ts";
import { mkdir } from "./mkdir.ts";
import { mount } from "./mount.ts";
import { move } from "./move.ts";
import { read } from "./read.ts";
import { remove } from "./remove.ts";
import { search } from "./search.ts";
import { stat } from "./stat.ts";
import { unmount } from "./unmount.ts";
import { usage } from "./usage.ts";
import { watch } from "./watch.ts";
import { write } from "./write.ts";

export const fs: readonly AnyTool[] = [
  ...[read, write, edit, list, stat, find, search, copy, move, remove, mkdir, link],
  ...[chmod, chown, usage, watch, mount, unmount, checksum],
];
