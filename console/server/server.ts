/** HTTP on the console's unix socket, with a limit on everything that a client can make large or long. */

import { chmodSync, renameSync, rmSync } from "node:fs";
import { call_bytes_max } from "../../contracts/console-broker.ts";
import type { McpEndpoint } from "../mcp/http.ts";
import { dispatch } from "./dispatch.ts";
import type { Handlers } from "./handlers.ts";
import { ProblemError, problemResponse } from "./problem.ts";

/** Requests in work at once, streams included; further ones are refused. */
const requests_max = 128;
/**
 * Seconds without a byte after which a connection is closed: longer than the pause between two bytes of a quiet stream
 * or of an answer that takes its time.
 */
const idle_s = 120;

export interface ConsoleServer {
  readonly requests: () => number;
  readonly streams: () => number;
  stop(): Promise<void>;
}

interface ServeOptions {
  /** File mode of the socket. */
  readonly mode?: number;
  readonly log?: (message: string) => void;
  readonly mcp?: McpEndpoint;
}

export function serveConsole(path: string, handlers: Handlers, options: ServeOptions = {}): ConsoleServer {
  // Made beside and then renamed: whoever connects reaches the one before (first-answer at boot) or this one, never nobody.
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  let requests = 0;
  let streams = 0;
  const serving: Bun.Serve.Options<undefined> = {
    unix: fresh,
    development: false,
    // Our own answer to a large body is a problem document; far beyond the limit Bun refuses by itself.
    maxRequestBodySize: 4 * call_bytes_max,
    async fetch(request) {
      if (requests + streams >= requests_max)
        return problemResponse(
          new ProblemError(503, `${requests_max} requests are in work`, "ask again in a few seconds", { "retry-after": "2" }),
        );
      requests += 1;
      try {
        return await dispatch(request, handlers, {
          onStream: () => {
            streams += 1;
          },
          onStreamEnd: (end) => {
            streams -= 1;
            if (end.reason === "reader-slow" || end.reason === "failed") options.log?.(`a stream was broken off: ${end.detail}`);
          },
          streamsOpen: () => streams,
          mcp: options.mcp ?? null,
        });
      } finally {
        requests -= 1;
      }
    },
    error: (error) => {
      options.log?.(`a request failed: ${error.message}`);
      return problemResponse(new ProblemError(500, `answering the request failed: ${error.message}`));
    },
  };
  // Bun's types refuse this for unix sockets; Bun obeys it, and its limit of one request (`timeout`) it does not.
  const server = Bun.serve(Object.assign(serving, { idleTimeout: idle_s }));
  chmodSync(fresh, options.mode ?? 0o660);
  renameSync(fresh, path);
  return { requests: () => requests, streams: () => streams, stop: () => server.stop(true) };
}
