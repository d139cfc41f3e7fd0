/** Where the image build reads and leaves things. */

import { join, resolve } from "node:path";

export const checkout = resolve(import.meta.dir, "..");
export const image = import.meta.dir;
export const build = join(checkout, "build");
export const logs = join(build, "log");
export const node_modules = join(checkout, "node_modules");
export const kernel = join(build, "kernel/x86_64/vmlinuz");
