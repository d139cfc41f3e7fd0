/**
 * Many connections over one byte stream.
 *
 * A session begins when the host greets with a new number and the guest answers with the same. The host greets again each
 * `greet_ms` until it is answered, when it is asked to (reset), and when what it reads makes no sense. A new number ends
 * all channels of the old one at both ends; frames of another session are dropped. Whoever starts on a line sends the
 * preamble first, so that a reader in the middle of a cut-off frame comes out of it.
 *
 * Each channel may have `window_bytes` on the way in each direction; the reader gives credit back as it takes them. So
 * both ends hold at most `channels_max × window_bytes` however slow one connection is, and no channel stops another.
 */

import { creditOf, creditPayload, encode, type Frame, FrameReader, frame_type, payload_bytes_max, preamble } from "./frame.ts";

export const window_bytes = 64 * 1024;
const channels_max = 64;
export const greet_ms = 500;

export interface ChannelEvents {
  readonly onData: (bytes: Uint8Array) => void;
  /** There is credit again. */
  readonly onWritable: () => void;
  /** The other end has nothing more to say, or the session ended. */
  readonly onClose: () => void;
}

export interface Channel {
  /** @returns how many bytes were taken; the rest waits for `onWritable` */
  write(bytes: Uint8Array): number;
  /** So many bytes that `onData` gave are dealt with. */
  taken(bytes: number): void;
  close(): void;
}

interface MuxOptions {
  readonly role: "host" | "guest";
  /** Puts bytes on the line, in order. */
  readonly send: (bytes: Uint8Array) => void;
  /** Guest: the host opened a channel. */
  readonly onOpen?: (channel: Channel) => ChannelEvents;
  /** Host: a session number never used before on this line. */
  readonly newSession?: () => number;
  readonly onSession?: (up: boolean) => void;
}

interface Open {
  credit: number;
  /** Bytes that the other end may still send. */
  allowed: number;
  /** Bytes taken and not yet given back as credit. */
  owed: number;
  said_close: boolean;
  heard_close: boolean;
  events: ChannelEvents;
}

const silent_events: ChannelEvents = { onData: () => {}, onWritable: () => {}, onClose: () => {} };

export class Mux {
  readonly #options: MuxOptions;
  readonly #reader: FrameReader;
  readonly #channels = new Map<number, Open>();
  #session: number | null = null;
  #up = false;
  #next_channel = 1;

  constructor(options: MuxOptions) {
    this.#options = options;
    this.#reader = new FrameReader(
      (frame) => this.#take(frame),
      () => this.#lost(),
    );
  }

  get up(): boolean {
    return this.#up;
  }

  get open_channels(): number {
    return this.#channels.size;
  }

  /** The line is there: greet, or ask to be greeted. */
  start(): void {
    this.#reader.restart();
    this.#options.send(preamble);
    if (this.#options.role === "host") this.#newSession();
    else this.#options.send(encode(frame_type.reset, 0, 0));
  }

  /** The line is gone; all channels end. */
  stop(): void {
    this.#reader.restart();
    this.#endSession();
  }

  /** Host: to be called each `greet_ms`; greets again while nobody has answered. */
  tick(): void {
    if (this.#options.role === "host" && !this.#up && this.#session !== null)
      this.#options.send(encode(frame_type.hello, this.#session, 0));
  }

  receive(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** Host: a new channel, or null while there is no session or too many are open. */
  open(events: (channel: Channel) => ChannelEvents): Channel | null {
    if (!this.#up || this.#channels.size >= channels_max) return null;
    const id = this.#next_channel;
    this.#next_channel += 1;
    this.#send(frame_type.open, id);
    return this.#add(id, events);
  }

  #add(id: number, events: (channel: Channel) => ChannelEvents): Channel {
    const open: Open = {
      credit: window_bytes,
      allowed: window_bytes,
      owed: 0,
      said_close: false,
      heard_close: false,
      events: silent_events,
    };
    this.#channels.set(id, open);
    const channel: Channel = {
      write: (bytes) => this.#write(id, open, bytes),
      taken: (bytes) => this.#taken(id, open, bytes),
      close: () => this.#close(id, open),
    };
    open.events = events(channel);
    return channel;
  }

  #write(id: number, open: Open, bytes: Uint8Array): number {
    if (open.said_close || this.#channels.get(id) !== open) return bytes.length;
    const count = Math.min(open.credit, bytes.length);
    for (let at = 0; at < count; at += payload_bytes_max)
      this.#send(frame_type.data, id, bytes.subarray(at, Math.min(at + payload_bytes_max, count)));
    open.credit -= count;
    return count;
  }

  #taken(id: number, open: Open, bytes: number): void {
    if (this.#channels.get(id) !== open) return;
    open.owed += bytes;
    // Small debts wait: a credit for each few bytes would double the frames.
    if (open.owed < window_bytes / 4 || open.heard_close) return;
    open.allowed += open.owed;
    this.#send(frame_type.credit, id, creditPayload(open.owed));
    open.owed = 0;
  }

  #close(id: number, open: Open): void {
    if (open.said_close || this.#channels.get(id) !== open) return;
    open.said_close = true;
    this.#send(frame_type.close, id);
    if (open.heard_close) this.#channels.delete(id);
  }

  #take(frame: Frame): void {
    if (frame.type === frame_type.hello || frame.type === frame_type.reset || frame.type === frame_type.hello_ack)
      this.#takeGreeting(frame);
    else if (!this.#up || frame.session !== this.#session) return;
    else if (frame.type === frame_type.open) this.#opened(frame.channel);
    else this.#takeOf(frame);
  }

  #takeGreeting({ type, session }: Frame): void {
    if (this.#options.role === "guest") {
      if (type === frame_type.hello) this.#greeted(session);
    } else if (type === frame_type.reset) this.#newSession();
    else if (type === frame_type.hello_ack && session === this.#session && !this.#up) this.#setUp();
  }

  #takeOf(frame: Frame): void {
    const open = this.#channels.get(frame.channel);
    if (open === undefined) return;
    if (frame.type === frame_type.data) this.#data(open, frame.payload);
    else if (frame.type === frame_type.credit) this.#credit(open, creditOf(frame.payload));
    else this.#heardClose(frame.channel, open);
  }

  #data(open: Open, payload: Uint8Array): void {
    if (open.heard_close) return;
    open.allowed -= payload.length;
    if (open.allowed < 0) this.#lost();
    else open.events.onData(payload);
  }

  #credit(open: Open, bytes: number): void {
    if (open.credit + bytes > window_bytes) {
      this.#lost();
      return;
    }
    open.credit += bytes;
    open.events.onWritable();
  }

  #heardClose(id: number, open: Open): void {
    if (open.heard_close) return;
    open.heard_close = true;
    if (open.said_close) this.#channels.delete(id);
    open.events.onClose();
  }

  #opened(id: number): void {
    if (this.#options.role === "host" || this.#channels.has(id)) return;
    if (this.#options.onOpen === undefined || this.#channels.size >= channels_max) this.#send(frame_type.close, id);
    else this.#add(id, this.#options.onOpen);
  }

  /** Guest: a greeting. The same number again only wants its answer again. */
  #greeted(session: number): void {
    if (session !== this.#session) {
      this.#endSession();
      this.#session = session;
      this.#setUp();
    }
    this.#options.send(encode(frame_type.hello_ack, session, 0));
  }

  #setUp(): void {
    this.#up = true;
    this.#options.onSession?.(true);
  }

  /** What was read makes no sense: begin again. */
  #lost(): void {
    if (this.#options.role === "host") {
      this.#newSession();
      return;
    }
    this.#endSession();
    this.#options.send(encode(frame_type.reset, 0, 0));
  }

  #newSession(): void {
    this.#endSession();
    this.#session = this.#options.newSession?.() ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
    this.#next_channel = 1;
    this.#options.send(encode(frame_type.hello, this.#session, 0));
  }

  #endSession(): void {
    const was_up = this.#up;
    this.#up = false;
    this.#session = null;
    const ended = [...this.#channels.values()];
    this.#channels.clear();
    for (const open of ended) if (!open.heard_close) open.events.onClose();
    if (was_up) this.#options.onSession?.(false);
  }

  #send(type: Parameters<typeof encode>[0], channel: number, payload?: Uint8Array): void {
    if (this.#session !== null) this.#options.send(encode(type, this.#session, channel, payload));
  }
}
