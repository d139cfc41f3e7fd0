/** A TPM that seals a few bytes. Each use has the device for itself and leaves nothing loaded in it. */

import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { Answer, commands, type SealedBlob, type TpmCommand, TpmError } from "./command.ts";

export interface Tpm {
  /** @throws {TpmError} @throws when it cannot be spoken with */
  seal(data: Uint8Array): Promise<SealedBlob>;
  /** @throws {TpmError} `foreign` when another TPM sealed it, or this one before it was cleared */
  unseal(blob: SealedBlob): Promise<Buffer>;
}

/** One command, one answer. */
export interface TpmLink {
  transmit(command: Uint8Array): Promise<Buffer>;
  close(): Promise<void>;
}

const answer_bytes_max = 4096; // linux/drivers/char/tpm/tpm.h: TPM_BUFSIZE
const tries_max = 10;
const retry_ms = 50;

/** The kernel's resource manager: what is loaded through it goes away with its descriptor (Documentation/security/tpm). */
const device = "/dev/tpmrm0";

/** @returns null where there is none */
export function machineTpm(path: string = device): Tpm | null {
  return existsSync(path) ? tpmOver(() => openDevice(path)) : null;
}

async function openDevice(path: string): Promise<TpmLink> {
  const handle = await open(path, "r+");
  return {
    async transmit(command) {
      await handle.write(command, 0, command.length, null);
      const answer = Buffer.alloc(answer_bytes_max);
      const { bytesRead } = await handle.read(answer, 0, answer.length, null);
      return answer.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}

export function tpmOver(connect: () => Promise<TpmLink>): Tpm {
  const using = async <T>(work: (link: TpmLink, storage_key: number) => Promise<T>): Promise<T> => {
    const link = await connect();
    try {
      return await loaded(link, "CreatePrimary", commands.createPrimary(), (key) => work(link, key));
    } finally {
      await link.close();
    }
  };
  return {
    seal: (data) =>
      using(async (link, key) => {
        const answer = (await ask(link, "Create", commands.create(key, data))).parameters();
        const inner = answer.sized();
        return { private: inner, public: answer.sized() };
      }),
    unseal: (blob) =>
      using(
        async (link, key) =>
          await loaded(link, "Load", commands.load(key, blob), async (handle) =>
            (await ask(link, "Unseal", commands.unseal(handle))).parameters().sized(),
          ),
      ),
  };
}

async function loaded<T>(link: TpmLink, name: TpmCommand, command: Uint8Array, work: (handle: number) => Promise<T>): Promise<T> {
  const handle = (await ask(link, name, command)).handle();
  try {
    return await work(handle);
  } finally {
    await ask(link, "FlushContext", commands.flush(handle));
  }
}

async function ask(link: TpmLink, name: TpmCommand, command: Uint8Array): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return new Answer(name, await link.transmit(command));
    } catch (error) {
      if (!(error instanceof TpmError && error.again) || tries === tries_max) throw error;
      await Bun.sleep(retry_ms);
    }
  }
}
