/** For tests: pieces of TypeScript that run in namespaces of their own. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface InNamespaces {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** What never ends is ended; below the limit of a test (`test-vm/test.ts`), so that the test says so and nothing is left over. */
const limit_ms = 240_000;

/** Every namespace but the user's and the process's: mounts, network, host name, message queues, and the time of boot. */
const namespaces = ["--mount", "--net", "--uts", "--ipc"];

/**
 * Runs TypeScript `source` as a program of its own, in fresh namespaces, with `sys` there as the real system.
 * @param options.namespaces arguments for unshare(1)
 */
async function inNamespaces(source: string, options: { readonly namespaces?: readonly string[]; readonly imports?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "aios-ns-"));
  try {
    const file = join(folder, "program.ts");
    const head = `import { linuxSystem } from ${JSON.stringify(join(import.meta.dir, "linux.ts"))};\nconst sys = linuxSystem();\n${options.imports ?? ""}\n`;
    writeFileSync(file, head + source);
    const child = Bun.spawn(["unshare", ...(options.namespaces ?? namespaces), process.execPath, file], {
      cwd: import.meta.dir,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: limit_ms,
      killSignal: "SIGKILL", // unshare(1) with --fork does not heed TERM
    });
    const [stdout, stderr, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { stdout, stderr, status } satisfies InNamespaces;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The last line that the program printed, as JSON. @throws with all that it said when it failed */
export async function valueInNamespaces(...args: Parameters<typeof inNamespaces>): Promise<unknown> {
  const { stdout, stderr, status } = await inNamespaces(...args);
  if (status !== 0) throw new Error(`a program in namespaces ended with ${status}:\n${stdout}\n${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "null");
}

/** Source of a function `codeOf(work)`: the errno symbol with which `work` fails, or "ok". */
export const code_of_source = `
const codeOf = (work) => { try { work(); return "ok"; } catch (error) { if (typeof error.code !== "string") throw error; return error.code; } };
`;

/** The errno symbol with which `work` fails, or "ok". */
export function codeOfFailure(work: () => unknown): string {
  try {
    work();
    return "ok";
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
    throw error;
  }
}
