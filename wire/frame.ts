/** Frames: a 4-byte big-endian length, then that many bytes (contracts/rpc.ts). */

import { frame_bytes_max, frame_header_bytes } from "../contracts/rpc.ts";

/** The other side broke the framing; the connection cannot be used any more. */
class FrameError extends Error {
  override readonly name = "FrameError";
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** @throws {FrameError} when the message is larger than a frame may be */
export function encodeFrame(message: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  if (body.length > frame_bytes_max) {
    throw new FrameError(`encoding a frame failed: ${body.length} bytes is more than ${frame_bytes_max}; send less at once`);
  }
  const frame = Buffer.allocUnsafe(frame_header_bytes + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, frame_header_bytes);
  return frame;
}

/** Cuts a byte stream into messages. Holds at most one frame; a longer one is refused when its header is seen. */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0);

  /** @throws {FrameError} on an oversized frame, broken UTF-8 or broken JSON */
  push(chunk: Uint8Array): unknown[] {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    const messages: unknown[] = [];
    let at = 0;
    while (this.#pending.length - at >= frame_header_bytes) {
      const length = this.#pending.readUInt32BE(at);
      if (length > frame_bytes_max)
        throw new FrameError(`reading a frame failed: its header says ${length} bytes, more than ${frame_bytes_max}`);
      if (this.#pending.length - at - frame_header_bytes < length) break;
      at += frame_header_bytes;
      messages.push(parse(this.#pending.subarray(at, at + length)));
      at += length;
    }
    this.#pending = this.#pending.subarray(at);
    return messages;
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body));
  } catch (error) {
    throw new FrameError(`reading a frame failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
