/** A TPM in software (swtpm(8), libtpms) that is spoken with as with the kernel's device, over a socket. */

import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type Tpm, type TpmLink, tpmOver } from "../tpm/tpm.ts";

interface SoftTpm {
  readonly tpm: Tpm;
  end(): Promise<void>;
}

/** @param folder its state: another folder is another TPM */
export async function startSoftTpm(folder: string): Promise<SoftTpm> {
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, "socket");
  // it goes when we go, also when a test has failed
  const argv = [
    "setpriv",
    "--pdeathsig",
    "KILL",
    "swtpm",
    "socket",
    "--tpm2",
    "--tpmstate",
    `dir=${folder}`,
    "--server",
    `type=unixio,path=${socket}`,
  ];
  const control = ["--ctrl", `type=unixio,path=${join(folder, "control")}`, "--flags", "not-need-init,startup-clear"];
  const child = Bun.spawn([...argv, ...control], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  // it takes one connection after the other, and ends with the first: so there is one, and its answers come one by one
  let link: TpmLink | null = null;
  while (link === null) {
    if (child.exitCode !== null) throw new Error(`starting swtpm failed: it ended with status ${child.exitCode}`);
    // not there yet, or there and not listened on yet
    link = await linkTo(socket).catch(() => null);
    if (link === null) await Bun.sleep(10);
  }
  const only = link;
  return {
    tpm: tpmOver(async () => ({ ...only, close: async () => {} })),
    async end() {
      await only.close();
      child.kill();
      await child.exited;
    },
  };
}

function linkTo(path: string): Promise<TpmLink> {
  const { promise, resolve, reject } = Promise.withResolvers<TpmLink>();
  const connection = connect(path);
  let take: (answer: Buffer) => void = () => {};
  let held = Buffer.alloc(0);
  connection.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    if (held.length < 6 || held.length < held.readUInt32BE(2)) return;
    const answer = held;
    held = Buffer.alloc(0);
    take(answer);
  });
  connection.once("error", reject);
  connection.once("connect", () =>
    resolve({
      transmit: (command) =>
        new Promise((answered) => {
          take = answered;
          connection.write(command);
        }),
      close: async () => void connection.destroy(),
    }),
  );
  return promise;
}
