/** Refusals and failures, as RFC 9457 problem documents. */

import type { Problem } from "../../contracts/console.ts";
import { rpc_error } from "../../contracts/rpc.ts";
import { RpcError } from "../../wire/peer.ts";

const titles: Readonly<Record<number, string>> = {
  400: "The request does not fit",
  403: "Not permitted",
  404: "Not found",
  405: "Method not allowed",
  408: "The request took too long",
  409: "Not possible in this state",
  413: "The request is too large",
  414: "The address is too long",
  415: "The body is not JSON",
  500: "The console failed",
  502: "Not known whether it was done",
  503: "Not available now",
  504: "No answer in time",
};

/** Thrown anywhere below the dispatcher; becomes the answer. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  constructor(
    readonly status: number,
    detail: string,
    readonly todo?: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof RpcError) return ofRpc(error);
  const cause = error instanceof Error ? error.message : String(error);
  return new ProblemError(500, `answering the request failed: ${cause}`, "look at `aiosctl logs console`; this is a defect of the console");
}

export function problemResponse(error: ProblemError): Response {
  const body: Problem = {
    title: titles[error.status] ?? "The request failed",
    status: error.status,
    detail: error.message,
    ...(error.todo === undefined ? {} : { todo: error.todo }),
  };
  return new Response(JSON.stringify(body), {
    status: error.status,
    headers: { ...error.headers, "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

function ofRpc(error: RpcError): ProblemError {
  switch (error.code) {
    case rpc_error.invalid_params:
      return new ProblemError(400, error.message);
    case rpc_error.not_permitted:
      return new ProblemError(403, error.message);
    case rpc_error.not_found:
      return new ProblemError(404, error.message, "GET /v1/services lists what there is");
    case rpc_error.conflict:
      return new ProblemError(409, error.message, "look at the state in GET /v1/services, then ask again");
    case rpc_error.unavailable:
      return new ProblemError(503, error.message, "ask again in a few seconds", { "retry-after": "2" });
    case rpc_error.timeout:
      return new ProblemError(504, error.message, "ask again; when it stays so, look at GET /v1/status");
    default:
      return new ProblemError(500, error.message, "look at `aiosctl logs`");
  }
}
