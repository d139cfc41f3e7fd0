/** JSON-RPC 2.0 (https://www.jsonrpc.org/specification) in length-prefixed frames. */

import { z } from "zod";

/** A frame is a 4-byte big-endian length and that many bytes of UTF-8 JSON. */
export const frame_header_bytes = 4;
export const frame_bytes_max = 256 * 1024;

export const RpcId = z.int().min(0);

export const RpcRequest = z.lazy(() =>
  z.strictObject({ jsonrpc: z.literal("2.0"), id: RpcId, method: z.string().max(64), params: z.unknown() }),
);
export const RpcNotification = z.lazy(() => z.strictObject({ jsonrpc: z.literal("2.0"), method: z.string().max(64), params: z.unknown() }));
export const RpcFault = z.lazy(() => z.strictObject({ code: z.int(), message: z.string(), data: z.unknown().optional() }));
export const RpcSuccess = z.lazy(() => z.strictObject({ jsonrpc: z.literal("2.0"), id: RpcId, result: z.unknown() }));
export const RpcFailure = z.lazy(() => z.strictObject({ jsonrpc: z.literal("2.0"), id: RpcId.nullable(), error: RpcFault }));
export const RpcMessage = z.union([RpcRequest, RpcNotification, RpcSuccess, RpcFailure]);

export type RpcMessage = z.infer<typeof RpcMessage>;
export type RpcFault = z.infer<typeof RpcFault>;

/** Error codes: those of JSON-RPC 2.0, and ours from -32000 down (the range it leaves to servers). */
export const rpc_error = {
  parse: -32700,
  invalid_request: -32600,
  method_not_found: -32601,
  invalid_params: -32602,
  internal: -32603,
  /** The caller may not do this. */
  not_permitted: -32001,
  /** What was asked for does not exist. */
  not_found: -32002,
  /** It exists but its state does not allow this now. */
  conflict: -32003,
  /** The other side is gone or does not answer. */
  unavailable: -32004,
  /** It took longer than the caller allowed. */
  timeout: -32005,
} as const;

/** A method: the shapes of its parameters and of its result. */
export interface Method<P extends z.ZodType = z.ZodType, R extends z.ZodType = z.ZodType> {
  readonly params: P;
  readonly result: R;
}

/**
 * A method whose shapes are made when it is first called or served. A process meets few of the methods of those it talks to,
 * and each piece of a shape takes zod one to six kilobytes.
 */
export function method<P extends z.ZodType, R extends z.ZodType>(shapes: () => Method<P, R>): Method<P, R> {
  let made: Method<P, R> | null = null;
  const shape = (): Method<P, R> => {
    made ??= shapes();
    return made;
  };
  return {
    get params() {
      return shape().params;
    },
    get result() {
      return shape().result;
    },
  };
}

/** What a shape is that is made when it is first used (`z.lazy`); any other is itself. */
export function made(schema: unknown): unknown {
  return schema instanceof z.ZodLazy ? made(schema.unwrap()) : schema;
}

export type Methods = Readonly<Record<string, Method>>;
export type Notifications = Readonly<Record<string, z.ZodType>>;

export const Nothing = z.strictObject({});
