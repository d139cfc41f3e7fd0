/**
 * The host's end: listens on a unix socket, and carries each connection there through QEMU's chardev socket to the
 * console in the guest. Waits for QEMU and for the guest, and comes back when either was gone.
 */

import { existsSync, unlinkSync } from "node:fs";
import type { Socket } from "bun";
import { Join, join_callbacks } from "./join.ts";
import { greet_ms, Mux } from "./mux.ts";
import { LineQueue } from "./queue.ts";

const reconnect_ms = 250;

interface HostLinkOptions {
  /** QEMU's unix socket of the chardev behind the port `aios.console`. */
  readonly chardev_path: string;
  /** Where clients connect. */
  readonly listen_path: string;
}

interface HostLink {
  readonly up: boolean;
  close(): void;
}

export async function startHostLink({ chardev_path, listen_path }: HostLinkOptions): Promise<HostLink> {
  let line: Socket<null> | null = null;
  let closed = false;
  let retry: ReturnType<typeof setTimeout> | null = null;
  const queue = new LineQueue((bytes) => line?.write(bytes) ?? 0);
  const mux = new Mux({ role: "host", send: (bytes) => queue.push(bytes) });
  const tick = setInterval(() => {
    if (queue.bytes === 0) mux.tick();
  }, greet_ms);

  const lost = (): void => {
    line = null;
    queue.clear();
    mux.stop();
    if (closed || retry !== null) return;
    retry = setTimeout(() => {
      retry = null;
      void connect();
    }, reconnect_ms);
  };
  const connect = async (): Promise<void> => {
    try {
      const socket = await Bun.connect<null>({
        unix: chardev_path,
        data: null,
        socket: { data: (_, chunk) => mux.receive(chunk), drain: () => void queue.drain(), close: lost, error: lost },
      });
      if (closed) {
        socket.end();
        return;
      }
      line = socket;
      mux.start();
    } catch {
      lost();
    }
  };

  if (existsSync(listen_path)) unlinkSync(listen_path);
  const listener = Bun.listen<Join>({
    unix: listen_path,
    data: new Join(),
    socket: {
      ...join_callbacks,
      open(socket) {
        const join = new Join();
        socket.data = join;
        const channel = mux.open(() => join.channel_events);
        // Nobody is there: the client sees a closed connection, and says that it cannot reach the console.
        if (channel === null) {
          socket.end();
          return;
        }
        join.attachSocket(socket);
        join.attachChannel(channel);
      },
    },
  });
  await connect();
  return {
    get up() {
      return mux.up;
    },
    close() {
      closed = true;
      clearInterval(tick);
      if (retry !== null) clearTimeout(retry);
      listener.stop(true);
      mux.stop();
      line?.end();
    },
  };
}
