import { expect, test } from "bun:test";
import fc from "fast-check";
import { kernelParts } from "./unified-kernel.ts";

/** A PE file with these sections, each padded on disk to 512 bytes as ukify leaves them. */
function peFile(sections: readonly (readonly [name: string, content: string])[]): Buffer {
  const pe = 0x80;
  const optional_bytes = 240;
  const table = pe + 24 + optional_bytes;
  const first = 1024;
  const file = Buffer.alloc(first + sections.reduce((sum, [, content]) => sum + Math.ceil(content.length / 512) * 512, 0));
  file.write("MZ", 0, "latin1");
  file.writeUInt32LE(pe, 0x3c);
  file.write("PE\0\0", pe, "latin1");
  file.writeUInt16LE(sections.length, pe + 6);
  file.writeUInt16LE(optional_bytes, pe + 20);
  let at = first;
  sections.forEach(([name, content], index) => {
    const header = table + index * 40;
    const padded = Math.ceil(content.length / 512) * 512;
    file.write(name, header, "latin1");
    file.writeUInt32LE(content.length, header + 8);
    file.writeUInt32LE(padded, header + 16);
    file.writeUInt32LE(at, header + 20);
    file.write(content, at, "latin1");
    at += padded;
  });
  return file;
}

const good = peFile([
  [".text", "stub"],
  [".cmdline", "root=PARTLABEL=root-a ro\n"],
  [".linux", "the kernel"],
  [".initrd", "files"],
]);

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString("latin1"));

test("kernel, initrd and command line, without the padding", () => {
  const { kernel, initrd, command_line } = kernelParts(good);
  expect([text(kernel), text(initrd), command_line]).toEqual(["the kernel", "files", "root=PARTLABEL=root-a ro"]);
  const without = kernelParts(
    peFile([
      [".cmdline", "quiet\0\0"],
      [".linux", "k"],
    ]),
  );
  expect([without.initrd, without.command_line]).toEqual([null, "quiet"]);
});

test("of two profiles the first", () => {
  const two = peFile([
    [".linux", "k"],
    [".cmdline", "first"],
    [".profile", ""],
    [".cmdline", "second"],
  ]);
  expect(kernelParts(two).command_line).toBe("first");
});

test.each([
  [Buffer.alloc(0), "cut off"],
  [Buffer.alloc(4096), "no PE file"],
  [good.subarray(0, 1500), "cut off"],
  [peFile([[".text", "a boot loader"]]), "no section .linux"],
  [peFile([[".linux", "k"]]), "no section .cmdline"],
  [
    peFile([
      [".linux", "k"],
      [".cmdline", " \n"],
    ]),
    "command line has 0 bytes",
  ],
  [
    peFile([
      [".linux", "k"],
      [".cmdline", "x".repeat(2048)],
    ]),
    "command line has 2048 bytes",
  ],
])("what is not one is refused with the reason (%#)", (file, reason) => {
  expect(() => kernelParts(file)).toThrow(reason);
});

test("whatever is broken in it, there is an error or parts of the file, never anything outside", () => {
  const edits = fc.array(fc.record({ at: fc.nat(1100), value: fc.nat(255) }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(edits, fc.nat(good.length), (changes, length) => {
      const file = Buffer.from(good).subarray(0, length < 200 ? good.length : length);
      for (const { at, value } of changes) if (at < file.length) file[at] = value;
      try {
        expect(kernelParts(file).kernel.length).toBeLessThanOrEqual(file.length);
      } catch (error) {
        if (!(error instanceof Error) || error.message.startsWith("expect")) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
