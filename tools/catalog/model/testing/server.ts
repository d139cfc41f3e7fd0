/** A server of one file over HTTP that can do it wrong: real sockets on loopback, and each answer as it is told. */

import { createHash } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";

export interface Manners {
  /** Ends the connection in good order after so many bytes of the body. */
  readonly drop_after?: number;
  /** Begins and then says nothing more. */
  readonly stalls_after?: number;
  /** The file is another after this answer. */
  readonly becomes?: Uint8Array;
  /** Sends all of it whatever is asked for. */
  readonly ignores_range?: true;
  /** Sends what is asked for though the file is another than If-Range names. */
  readonly ignores_if_range?: true;
  /** No ETag. */
  readonly nameless?: true;
  /** Claims this length. */
  readonly claims?: number;
  /** Sends so many bytes more, without having claimed a length. */
  readonly adds?: number;
  readonly status?: number;
  readonly redirect?: string;
  readonly retry_after_s?: number;
}

export interface Asked {
  readonly url: string;
  readonly range: string | null;
  readonly if_range: string | null;
}

export const sha256Of = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

export class FileServer {
  /** What is asked for, in order. */
  readonly asked: Asked[] = [];
  /** How the next answers are given, one each; then well. */
  readonly manners: Manners[];
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #content: Uint8Array;

  private constructor(content: Uint8Array, manners: readonly Manners[], server: Server, sockets: Set<Socket>, port: number) {
    this.#content = content;
    this.manners = [...manners];
    this.#server = server;
    this.#sockets = sockets;
    this.url = `http://127.0.0.1:${port}/model.gguf`;
  }

  static async of(content: Uint8Array, ...manners: Manners[]): Promise<FileServer> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      let head = "";
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", (bytes) => {
        head += bytes.toString("latin1");
        if (!head.includes("\r\n\r\n")) return;
        const asked = head;
        head = "";
        made.#answer(asked, socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("a server without a port");
    const made = new FileServer(content, manners, server, sockets, address.port);
    return made;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #answer(head: string, socket: Socket): void {
    const header = (name: string): string | null => new RegExp(`^${name}: (.*)\\r$`, "im").exec(head)?.[1] ?? null;
    const asked = { url: head.split(" ")[1] ?? "", range: header("range"), if_range: header("if-range") };
    this.asked.push(asked);
    const how = this.manners.shift() ?? {};
    const reply = (status: number, headers: Readonly<Record<string, string | number>>, body: Uint8Array, ends = true): void => {
      const lines = Object.entries({ connection: "close", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 ${status} x\r\n${lines.join("")}\r\n`);
      socket.write(body);
      if (ends) socket.end();
    };
    const nothing = new Uint8Array();
    if (how.redirect !== undefined) return void reply(302, { location: how.redirect, "content-length": 0 }, nothing);
    if (how.status !== undefined)
      return void reply(
        how.status,
        { "content-length": 0, ...(how.retry_after_s === undefined ? {} : { "retry-after": how.retry_after_s }) },
        nothing,
      );
    const content = this.#content;
    const etag = `"${sha256Of(content).slice(0, 16)}"`;
    const same = asked.if_range === null || asked.if_range === etag || how.ignores_if_range === true;
    const wants = how.ignores_range === true || !same ? null : /^bytes=(\d+)-$/.exec(asked.range ?? "");
    const from = Number(wants?.[1] ?? 0);
    this.#content = how.becomes ?? content;
    if (from > 0 && from >= content.length) return void reply(416, { "content-length": 0 }, nothing);
    const rest = Buffer.concat([content.subarray(from), new Uint8Array(how.adds ?? 0)]);
    const headers = {
      ...(how.nameless === true ? {} : { etag }),
      ...(wants === null ? {} : { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
      ...(how.adds === undefined ? { "content-length": how.claims ?? rest.length } : {}),
    };
    reply(
      wants === null ? 200 : 206,
      headers,
      rest.subarray(0, how.drop_after ?? how.stalls_after ?? rest.length),
      how.stalls_after === undefined,
    );
  }
}
