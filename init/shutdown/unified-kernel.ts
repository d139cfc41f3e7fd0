/**
 * What is in a unified kernel image (UAPI.5): a PE file whose sections hold a kernel and what belongs to it. The firmware
 * starts it through its stub; kexec_file_load(2) wants the parts.
 */

interface KernelParts {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array | null;
  readonly command_line: string;
}

/** PE/COFF, as the firmware reads it: a DOS header that points to the signature, the COFF header, an optional one, the sections. */
const pe_offset_at = 0x3c;
const coff_bytes = 20;
const section_bytes = 40;
/** COMMAND_LINE_SIZE of x86-64 and arm64, its final zero byte included. */
const command_line_bytes_max = 2048;

/** @throws with what is wrong with the file, in words */
export function kernelParts(file: Uint8Array): KernelParts {
  const sections = sectionsOf(file);
  const kernel = sections.get(".linux");
  const command_line = sections.get(".cmdline");
  if (kernel === undefined || kernel.length === 0) throw new Error("it has no section .linux, so it is no unified kernel image");
  if (command_line === undefined) throw new Error("it has no section .cmdline: the kernel in it would not find its root");
  const text = new TextDecoder("utf-8", { fatal: true }).decode(command_line).replace(/[\0\s]+$/, "");
  if (text === "" || text.includes("\0") || Buffer.byteLength(text) >= command_line_bytes_max)
    throw new Error(`its kernel command line has ${Buffer.byteLength(text)} bytes; 1 to ${command_line_bytes_max - 1} are possible`);
  return { kernel, initrd: sections.get(".initrd") ?? null, command_line: text };
}

/** By name; of several with one name (other profiles of the same image) the first. */
function sectionsOf(file: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const need = (at: number, bytes: number): void => {
    if (at + bytes > file.length) throw new Error(`it is cut off: ${file.length} bytes, and something at ${at} is referred to`);
  };
  need(0, pe_offset_at + 4);
  const pe = view.getUint32(pe_offset_at, true);
  need(pe, 4 + coff_bytes);
  if (latin1(file, 0, 2) !== "MZ" || latin1(file, pe, 4) !== "PE\0\0") throw new Error("it is no PE file");
  const count = view.getUint16(pe + 4 + 2, true);
  const table = pe + 4 + coff_bytes + view.getUint16(pe + 4 + 16, true);
  need(table, count * section_bytes);
  const sections = new Map<string, Uint8Array>();
  for (let at = table; at < table + count * section_bytes; at += section_bytes) {
    const name = latin1(file, at, 8).replace(/\0.*$/s, "");
    // on disk a section is padded; its size in memory is what was put in
    const length = Math.min(view.getUint32(at + 8, true), view.getUint32(at + 16, true));
    const start = view.getUint32(at + 20, true);
    need(start, length);
    if (!sections.has(name)) sections.set(name, file.subarray(start, start + length));
  }
  return sections;
}

function latin1(file: Uint8Array, at: number, length: number): string {
  return Buffer.from(file.buffer, file.byteOffset + at, length).toString("latin1");
}
