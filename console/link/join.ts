/** Joins a channel to a unix socket: bytes both ways, each side as fast as the other takes them. */

import type { Socket } from "bun";
import type { Channel, ChannelEvents } from "./mux.ts";

export class Join {
  #socket: Socket<Join> | null = null;
  #channel: Channel | null = null;
  /** From the channel, not yet taken by the socket. At most one window. */
  #to_socket: Uint8Array[] = [];
  /** From the socket, waiting for credit. The socket is paused meanwhile. */
  #to_channel: Uint8Array | null = null;
  #channel_ended = false;
  #socket_ended = false;

  readonly channel_events: ChannelEvents = {
    onData: (bytes) => {
      if (this.#socket_ended) {
        this.#channel?.taken(bytes.length);
        return;
      }
      this.#to_socket.push(bytes);
      this.#flush();
    },
    onWritable: () => this.#forward(),
    onClose: () => {
      this.#channel_ended = true;
      this.#flush();
    },
  };

  attachChannel(channel: Channel): void {
    this.#channel = channel;
    this.#forward();
  }

  attachSocket(socket: Socket<Join>): void {
    this.#socket = socket;
    this.#flush();
  }

  /** The socket could not be had. */
  fail(): void {
    this.socketClosed();
  }

  socketData(chunk: Uint8Array): void {
    this.#to_channel = this.#to_channel === null ? Buffer.from(chunk) : Buffer.concat([this.#to_channel, chunk]);
    this.#forward();
  }

  socketDrained(): void {
    this.#flush();
  }

  socketClosed(): void {
    this.#socket_ended = true;
    this.#to_socket = [];
    this.#forward();
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === null || this.#socket_ended) return;
    while (this.#to_socket[0] !== undefined) {
      const first = this.#to_socket[0];
      const written = Math.max(0, socket.write(first));
      if (written > 0) this.#channel?.taken(written);
      if (written < first.length) {
        this.#to_socket[0] = first.subarray(written);
        return;
      }
      this.#to_socket.shift();
    }
    if (this.#channel_ended) socket.end();
  }

  #forward(): void {
    const channel = this.#channel;
    if (channel === null) return;
    if (this.#to_channel !== null) {
      const written = channel.write(this.#to_channel);
      this.#to_channel = written < this.#to_channel.length ? this.#to_channel.subarray(written) : null;
    }
    if (this.#to_channel !== null) this.#socket?.pause();
    else if (this.#socket_ended) channel.close();
    else this.#socket?.resume();
  }
}

/** Socket callbacks of Bun for a socket whose data is its join. */
export const join_callbacks = {
  data: (socket: Socket<Join>, chunk: Uint8Array): void => socket.data.socketData(chunk),
  drain: (socket: Socket<Join>): void => socket.data.socketDrained(),
  close: (socket: Socket<Join>): void => socket.data.socketClosed(),
  error: (socket: Socket<Join>): void => socket.data.socketClosed(),
};
