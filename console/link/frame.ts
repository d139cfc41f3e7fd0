/**
 * Frames on the serial line: magic, type, session, channel, length, payload. A byte stream that outlives the processes at
 * its ends carries stale bytes; the session number in every frame and the greeting that starts one let a reader tell them.
 */

export const frame_type = { hello: 1, hello_ack: 2, reset: 3, open: 4, data: 5, close: 6, credit: 7 } as const;
type FrameType = (typeof frame_type)[keyof typeof frame_type];

export interface Frame {
  readonly type: FrameType;
  readonly session: number;
  readonly channel: number;
  readonly payload: Uint8Array;
}

const magic = 0xa1_05;
const header_bytes = 16;
/** Bytes of payload in one frame. */
export const payload_bytes_max = 8 * 1024;
/** What a greeting carries, so that no data that looks like a header starts a session. */
const greeting = Buffer.from("aios-link/1 greeting");
/** Longer than any frame: after that many zeros a reader is out of the frame that was cut off before them. */
const preamble_bytes = header_bytes + payload_bytes_max;

export const preamble: Uint8Array = new Uint8Array(preamble_bytes);
const nothing = new Uint8Array(0);

export function encode(type: FrameType, session: number, channel: number, payload: Uint8Array = nothing): Uint8Array {
  const body = isGreeting(type) ? greeting : payload;
  const bytes = Buffer.alloc(header_bytes + body.length);
  bytes.writeUInt16BE(magic, 0);
  bytes.writeUInt8(type, 2);
  bytes.writeUInt32BE(session, 4);
  bytes.writeUInt32BE(channel, 8);
  bytes.writeUInt32BE(body.length, 12);
  bytes.set(body, header_bytes);
  return bytes;
}

export function creditPayload(bytes: number): Uint8Array {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return payload;
}

export function creditOf(payload: Uint8Array): number {
  return payload.length === 4 ? Buffer.from(payload).readUInt32BE() : 0;
}

/** Cuts the line into frames. Out of step, it skips to the next greeting. Holds at most one frame. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);
  #in_step = false;
  readonly #onFrame: (frame: Frame) => void;
  readonly #onLost: () => void;

  /** @param onLost the line was in step and is not any more */
  constructor(onFrame: (frame: Frame) => void, onLost: () => void) {
    this.#onFrame = onFrame;
    this.#onLost = onLost;
  }

  /** Forgets what was half read: the line was made anew. */
  restart(): void {
    this.#pending = Buffer.alloc(0);
    this.#in_step = false;
  }

  push(chunk: Uint8Array): void {
    let bytes = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    this.#pending = Buffer.alloc(0);
    while (bytes.length >= header_bytes) {
      const length = payloadLength(bytes, this.#in_step);
      if (length === null) {
        if (this.#in_step) {
          this.#in_step = false;
          this.#onLost();
        }
        bytes = bytes.subarray(nextMagic(bytes));
        continue;
      }
      if (bytes.length < header_bytes + length) break;
      const frame = frameAt(bytes, length);
      if (isGreeting(frame.type) && !greeting.equals(frame.payload)) {
        bytes = bytes.subarray(nextMagic(bytes));
        continue;
      }
      this.#in_step = true;
      bytes = bytes.subarray(header_bytes + length);
      this.#onFrame(frame);
    }
    this.#pending = Buffer.from(bytes);
  }
}

/** The payload's length when a frame can begin here: out of step, only a greeting or a reset can. */
function payloadLength(bytes: Buffer, in_step: boolean): number | null {
  if (bytes.readUInt16BE(0) !== magic || bytes.readUInt8(3) !== 0) return null;
  const type = bytes.readUInt8(2);
  const length = bytes.readUInt32BE(12);
  if (isGreeting(type)) return length === greeting.length ? length : null;
  if (!in_step) return null;
  return type >= frame_type.open && type <= frame_type.credit && length <= payload_bytes_max ? length : null;
}

function isGreeting(type: number): boolean {
  return type === frame_type.hello || type === frame_type.hello_ack || type === frame_type.reset;
}

function nextMagic(bytes: Buffer): number {
  const at = bytes.indexOf(magic >> 8, 1);
  return at < 0 ? bytes.length : at;
}

function frameAt(bytes: Buffer, length: number): Frame {
  const type = Object.values(frame_type).find((one) => one === bytes.readUInt8(2)) ?? frame_type.reset;
  return {
    type,
    session: bytes.readUInt32BE(4),
    channel: bytes.readUInt32BE(8),
    payload: Uint8Array.prototype.slice.call(bytes, header_bytes, header_bytes + length),
  };
}
