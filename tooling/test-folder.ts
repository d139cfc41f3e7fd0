/**
 * Preloaded by every test (bunfig.toml): what a process of tests puts into the folder for temporary files (tmpdir() of node:os) is
 * in one folder of its own there, and gone when that process ends. Tests that were killed leave theirs to the system's own clean-up.
 */

import { afterAll } from "bun:test";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// short: unix sockets are made in it, and their paths have 108 bytes (unix(7))
const folder = mkdtempSync(join(tmpdir(), "aios-"));
chmodSync(folder, 0o755); // like the one above it: tests have other users look into theirs
process.env["TMPDIR"] = folder;
afterAll(() => rmSync(folder, { recursive: true, force: true }));
