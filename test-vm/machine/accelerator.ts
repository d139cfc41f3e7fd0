/**
 * Which accelerator works here. That /dev/kvm exists says nothing: on some hosts a guest hangs in it. So our own kernel
 * is booted once with KVM, without a root, and has to get to its panic within the limit.
 */

import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { say } from "../../tooling/progress.ts";
import { dyingWithUs } from "../owned.ts";
import { build, built } from "../places.ts";

/** Milliseconds from the start of QEMU to the panic. With working KVM it takes about one second. */
const probe_limit_ms = 15_000;

export type Accelerator = "kvm" | "tcg";

/**
 * Software emulation runs `rep stosb` and `rep movsb` byte by byte. Without `erms` the guest's kernel and libc clear and
 * copy in words instead: the first start of a Bun executable takes a seventh less. And it calls a function for most of what
 * AVX has: without, a start takes a twentieth less, and models take as long.
 */
const emulated = "max,-erms,-avx,-avx2";

export function acceleratorArguments(accelerator: Accelerator): string[] {
  return accelerator === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", emulated];
}

/** Probes once for each boot of the host and each kernel. `AIOS_ACCEL=tcg` or `kvm` skips the probe. */
export async function accelerator(): Promise<Accelerator> {
  const wanted = process.env["AIOS_ACCEL"];
  if (wanted === "tcg" || wanted === "kvm") return wanted;
  if (!mayOpenKvm() || !existsSync(built.kernel)) return "tcg";
  const found_path = join(build, "run/accelerator");
  const key = `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${statSync(built.kernel).mtimeMs}`;
  if (existsSync(found_path)) {
    const [held_key, held] = readFileSync(found_path, "utf8").trim().split("\n");
    if (held_key === key && (held === "kvm" || held === "tcg")) return held;
  }
  say("accelerator: probing KVM with our kernel …");
  const found = (await kvmBoots()) ? "kvm" : "tcg";
  say(`accelerator: ${found === "kvm" ? "KVM works" : "KVM does not boot our kernel; software emulation is used"}`);
  mkdirSync(dirname(found_path), { recursive: true });
  writeFileSync(found_path, `${key}\n${found}\n`);
  return found;
}

function mayOpenKvm(): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function kvmBoots(): Promise<boolean> {
  const argv = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-m", "256", ...acceleratorArguments("kvm")];
  argv.push("-kernel", built.kernel, "-append", "console=ttyS0 panic=-1", "-serial", "stdio");
  const child = Bun.spawn(dyingWithUs(argv), { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const timer = setTimeout(() => child.kill("SIGKILL"), probe_limit_ms);
  const output = await new Response(child.stdout).text();
  await child.exited;
  clearTimeout(timer);
  return output.includes("Kernel panic");
}
