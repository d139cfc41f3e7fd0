/**
 * A segment file:
 *
 *   header    8 bytes   "aiOSseg" and the version of the form
 *   blocks              each a zstd frame with its checksum, of about 128 KiB of lines: one memory as JSON each
 *   index     8 bytes for each memory, in the order of hashes: the first 4 bytes of the SHA-256 of its id, its block's number
 *   places    16 bytes for each block: where it begins (8), its length (4), how many lines it has (4)
 *   trailer   64 bytes: number of memories (4) and blocks (4), where index (8) and places (8) begin, SHA-256 of all before
 *             the trailer (32), "aiOSend" and the version
 *
 * All numbers are little-endian. A file without a trailer was not finished.
 */

import { createHash } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

export const header = Buffer.from("aiOSseg\x01", "latin1");
export const ending = Buffer.from("aiOSend\x01", "latin1");
export const trailer_bytes = 64;
export const index_entry_bytes = 8;
export const place_bytes = 16;
/** Larger blocks compress better; one is what has to be unpacked to show one memory. */
export const block_plain_bytes = 128 * 1024;
/** A block is refused when it unpacks to more: one memory is at most some 80 KiB. */
const block_plain_bytes_max = 1024 * 1024;
const level = 9;

export interface Trailer {
  readonly memories: number;
  readonly blocks: number;
  readonly index_at: number;
  readonly places_at: number;
  readonly sha256: Buffer;
}

export interface Place {
  readonly at: number;
  readonly bytes: number;
  readonly lines: number;
}

export function pack(lines: readonly string[]): Buffer {
  return zstdCompressSync(Buffer.from(lines.join("\n")), {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/** @throws when its checksum is wrong or it is no such frame */
export function unpack(block: Uint8Array): string[] {
  return zstdDecompressSync(block, { maxOutputLength: block_plain_bytes_max }).toString("utf8").split("\n");
}

export function hashOf(id: string): number {
  return createHash("sha256").update(id).digest().readUInt32LE(0);
}

export function encodeTrailer({ memories, blocks, index_at, places_at, sha256 }: Trailer): Buffer {
  const bytes = Buffer.alloc(trailer_bytes);
  bytes.writeUInt32LE(memories, 0);
  bytes.writeUInt32LE(blocks, 4);
  bytes.writeBigUInt64LE(BigInt(index_at), 8);
  bytes.writeBigUInt64LE(BigInt(places_at), 16);
  sha256.copy(bytes, 24);
  ending.copy(bytes, 56);
  return bytes;
}

/** @throws when it is no trailer, or not of this version */
export function decodeTrailer(bytes: Buffer): Trailer {
  if (!bytes.subarray(56).equals(ending)) throw new Error("it has no end that this version knows: it was not finished, or was cut short");
  return {
    memories: bytes.readUInt32LE(0),
    blocks: bytes.readUInt32LE(4),
    index_at: Number(bytes.readBigUInt64LE(8)),
    places_at: Number(bytes.readBigUInt64LE(16)),
    sha256: Buffer.from(bytes.subarray(24, 56)),
  };
}
