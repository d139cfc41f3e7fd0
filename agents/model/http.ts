/**
 * The way to a provider: fetch with limits of our own below the SDK. A redirect is an error (it could carry the key elsewhere),
 * an answer has a most, and silence has one: whatever comes counts as life, pings too, which SDKs keep to themselves.
 */

import { ChatError } from "./port.ts";

export interface Way {
  /** PEM; instead of the well-known authorities, which the runtime carries. */
  readonly ca: string | null;
  /** Milliseconds without one byte after which a try is given up. */
  readonly silence_ms: number;
}

/** An answer of `tokens_max` tokens with its framing is far below this. */
const answer_bytes_max = 64 * 1024 * 1024;

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** @param give_up is aborted with a ChatError when nothing comes any more; whoever waits for the answer has to listen to it */
export function watchedFetch({ ca, silence_ms }: Way, give_up: AbortController): Fetch {
  const tls = ca === null ? {} : { tls: { ca } };
  return async (input, init) => {
    const silence = watch(silence_ms, give_up);
    try {
      const signal = init?.signal == null ? give_up.signal : AbortSignal.any([init.signal, give_up.signal]);
      const response = await fetch(input, { ...init, ...tls, redirect: "error", signal });
      silence.heard();
      if (response.body === null) silence.end();
      return new Response(response.body?.pipeThrough(counted(silence)) ?? null, response);
    } catch (error) {
      silence.end();
      throw error;
    }
  };
}

interface Silence {
  heard(): void;
  end(): void;
}

function watch(limit_ms: number, give_up: AbortController): Silence {
  const say = (): void => give_up.abort(new ChatError("unreachable", `nothing came for ${limit_ms} ms`, { again: true, spent: "unknown" }));
  let timer = setTimeout(say, limit_ms);
  const end = (): void => clearTimeout(timer);
  give_up.signal.addEventListener("abort", end, { once: true });
  return {
    heard() {
      clearTimeout(timer);
      timer = setTimeout(say, limit_ms);
    },
    end,
  };
}

function counted(silence: Silence): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      silence.heard();
      bytes += chunk.byteLength;
      if (bytes > answer_bytes_max) throw new Error(`the answer is longer than ${answer_bytes_max} bytes`);
      controller.enqueue(chunk);
    },
    flush: () => silence.end(),
  });
}
