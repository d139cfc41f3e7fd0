/** What an operator does with a secret on a running system. The same in a container and in the VM. */

import { expect } from "bun:test";
import { closeSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { waitFor } from "../wait.ts";
import type { Aiosctl } from "./aiosctl.ts";

/** The signs of it are in no other text. */
export const value = "Xylophon-9ae7c41f-quaint-harbour";
/** Ends with status 0 only when it finds a line like that in its file; it never shows it. */
const argv = ["/usr/bin/rg", "--quiet", "^Xylophon-.*-harbour$", "/run/secrets/shop"];
export const service = { name: "reader", argv, restart: "never" } as const;

export const Listed = z.object({
  sealed_by: z.string().nullable(),
  secrets: z.array(
    z.object({ name: z.string(), sealed_by: z.string().nullable(), trouble: z.string().nullable(), services: z.array(z.string()) }),
  ),
});

export async function listed(aiosctl: Aiosctl): Promise<z.infer<typeof Listed>> {
  return Listed.parse((await aiosctl.done("sec.secret_list", {})).structuredContent);
}

/** Put by stdin, handed to a service that reads it. */
export async function putAndUse(aiosctl: Aiosctl): Promise<void> {
  await listed(aiosctl); // waits until the console has found the broker
  const uses = JSON.stringify([{ to: "service", service: service.name, argv }]);
  const put = await aiosctl.given(`${value}\n`, "secret", "put", "shop", "--uses", uses, "--why", "a scenario");
  expect(put.status, put.err).toBe(0);
  expect(put.out + put.err).not.toContain(value);
  await aiosctl.done("service.define", { ...service, secrets: ["shop"] });
  await hasRead(aiosctl);
}

const Status = z.object({
  service: z.object({ state: z.string().nullable(), reason: z.string() }),
  last_exit: z.object({ status: z.number().nullable() }).nullish(),
});

/** The service has found the value in its file. */
export async function hasRead(aiosctl: Aiosctl): Promise<void> {
  const ended = async (): Promise<boolean> => {
    const { structuredContent } = await aiosctl.call("service.status", { name: service.name });
    const status = Status.safeParse(structuredContent);
    if (!status.success || status.data.service.state !== "stopped") return false;
    const text = JSON.stringify(structuredContent);
    if (/"status":[12]/.test(text)) throw new Error(`the service has not found it: ${text}`);
    return /"status":0/.test(text);
  };
  await waitFor("the service to have read its secret", ended, { limit_ms: 60_000, every_ms: 250 });
}

const piece_bytes = 8 * 1024 * 1024;

/** How often it is in a file of any size, as it is or in base64. */
export function timesIn(path: string, text: string): number {
  const forms = [text, Buffer.from(text).toString("base64").slice(0, 40)];
  const fd = openSync(path, "r");
  const piece = Buffer.alloc(piece_bytes);
  let found = 0;
  try {
    for (let at = 0; ; at += piece_bytes - 64) {
      const length = readSync(fd, piece, 0, piece_bytes, at);
      if (length <= 64 && at > 0) return found;
      for (const form of forms) if (piece.subarray(0, length).includes(form)) found += 1;
      if (length < piece_bytes) return found;
    }
  } finally {
    closeSync(fd);
  }
}
