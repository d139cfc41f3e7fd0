/** One HTTP request to an address that was judged before: not to one that the name may have by now. */

import { type ClientRequest, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { isIP } from "node:net";

interface RequestParts {
  readonly url: URL;
  /** The address that policies have seen. */
  readonly address: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Aborts it, also while its answer is read. */
  readonly signal: AbortSignal;
}

/** The name in an address, without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

export function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** Redirects are not followed; certificates are checked. @returns the answer, whose body is still to be read */
export async function sendRequest({ url, address, method = "GET", headers, body, signal }: RequestParts): Promise<IncomingMessage> {
  const options = {
    host: address,
    port: url.port === "" ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method,
    headers: { "user-agent": "aiOS", ...headers, host: url.host },
    signal,
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const name = isIP(hostOf(url)) === 0 ? { servername: hostOf(url) } : {};
  const sent: ClientRequest = url.protocol === "https:" ? requestTls({ ...options, ...name }, resolve) : requestPlain(options, resolve);
  sent.once("error", reject);
  sent.end(body);
  return await promise;
}
