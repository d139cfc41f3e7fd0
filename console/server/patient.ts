/**
 * An answer that takes its time (a tool that runs for minutes, a call that waits for a person): after `patience_ms` it
 * begins with status 200 and a blank, and goes on with one blank every so often, so that nobody on the way takes the
 * connection for dead. White space before a JSON text means nothing (RFC 8259, 2). What fails after that can only say so in
 * the body: a problem document instead of the answer.
 */

import { problemOf, problemResponse } from "./problem.ts";

const patience_ms = 30_000;
const blank_every_ms = 15_000;

/** @param answering the finished response; its rejection becomes the caller's while there is still time */
export async function patient(answering: Promise<Response>, wait_ms = patience_ms): Promise<Response> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), wait_ms);
  });
  try {
    const answer = await Promise.race([answering, late]);
    return answer ?? slow(answering);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

function slow(answering: Promise<Response>): Response {
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval> | null = null;
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const blank = (): void => controller.enqueue(encoder.encode("\n"));
      blank();
      timer = setInterval(blank, blank_every_ms);
      const answer = await answering.catch((error: unknown) => problemResponse(problemOf(error)));
      clearInterval(timer);
      try {
        controller.enqueue(await answer.bytes());
        controller.close();
      } catch {
        // the reader left meanwhile
      }
    },
    cancel() {
      if (timer !== null) clearInterval(timer);
    },
  });
  return new Response(body, { headers: { "content-type": "application/json", "cache-control": "no-store", "aios-source": "console" } });
}
