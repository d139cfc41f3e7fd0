/** What the image build has to know of an ELF file: who loads it, and what it needs. 64-bit little-endian only. */

interface Elf {
  /** The loader that it asks the kernel for, when it is a dynamic executable. */
  readonly interpreter: string | null;
  /** The names of the shared libraries that it needs (DT_NEEDED). */
  readonly needed: readonly string[];
  /** Where it wants them looked for, other than in the usual places (DT_RPATH, DT_RUNPATH). */
  readonly search: string | null;
}

const segment_load = 1;
const segment_dynamic = 2;
const segment_interpreter = 3;
const tag_needed = 1n;
const tag_string_table = 5n;
const tag_rpath = 15n;
const tag_runpath = 29n;

export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 64 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** @throws when the file is no 64-bit little-endian ELF file */
export function readElf(bytes: Uint8Array, name: string): Elf {
  if (!isElf(bytes) || bytes[4] !== 2 || bytes[5] !== 1)
    throw new Error(`reading "${name}" as an ELF file failed: not 64-bit little-endian ELF`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = readSegments(view);
  const text = (offset: number): string => {
    const end = bytes.indexOf(0, offset);
    return new TextDecoder().decode(bytes.subarray(offset, end));
  };

  const interpreter = segments.find((segment) => segment.type === segment_interpreter);
  const dynamic = segments.find((segment) => segment.type === segment_dynamic);
  const entries = dynamic === undefined ? [] : readDynamic(view, dynamic);
  const strings_at = entries.find((entry) => entry.tag === tag_string_table);
  const strings = strings_at === undefined ? 0 : fileOffset(segments, Number(strings_at.value), name);
  const valuesOf = (tag: bigint): string[] =>
    entries.filter((entry) => entry.tag === tag).map((entry) => text(strings + Number(entry.value)));

  return {
    interpreter: interpreter === undefined ? null : text(interpreter.offset),
    needed: valuesOf(tag_needed),
    search: valuesOf(tag_runpath)[0] ?? valuesOf(tag_rpath)[0] ?? null,
  };
}

/**
 * Whether a search path names the file's own folder first and nothing that is there in the root. An empty entry is the
 * working directory, which is asked after the file's own folder: such libraries are for processes that run in `/`.
 */
export function searchesBeside(search: string): boolean {
  const [first, ...rest] = search.split(":");
  return first === "$ORIGIN" && rest.every((entry) => entry === "" || entry === "$ORIGIN/../bin");
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function readSegments(view: DataView): Segment[] {
  const table = Number(view.getBigUint64(32, true));
  const entry_size = view.getUint16(54, true);
  return Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const at = table + index * entry_size;
    return {
      type: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      address: Number(view.getBigUint64(at + 16, true)),
      size: Number(view.getBigUint64(at + 32, true)),
    };
  });
}

function readDynamic(view: DataView, segment: Segment): { tag: bigint; value: bigint }[] {
  return Array.from({ length: Math.floor(segment.size / 16) }, (_, index) => {
    const at = segment.offset + index * 16;
    return { tag: view.getBigUint64(at, true), value: view.getBigUint64(at + 8, true) };
  });
}

function fileOffset(segments: readonly Segment[], address: number, name: string): number {
  const holder = segments.find(
    (segment) => segment.type === segment_load && address >= segment.address && address < segment.address + segment.size,
  );
  if (holder === undefined) throw new Error(`reading "${name}" as an ELF file failed: address ${address} is in no segment`);
  return address - holder.address + holder.offset;
}
