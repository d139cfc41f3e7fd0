/** The other end of the system's wire: a network namespace with a gateway that answers names, on which nothing else is. */

import { atEnd, dyingWithUs, endProcess } from "../owned.ts";
import { waitFor } from "../wait.ts";

export const wire = { name: "up0", address: "10.77.0.2/24", gateway: "10.77.0.1" } as const;

/** Answers every question with "no such name" (RFC 1035, 4.1.1: QR, RA, code 3). */
const name_server = `
const server = await Bun.udpSocket({ hostname: "0.0.0.0", port: 53, socket: { data(socket, question, port, address) {
  const answer = Buffer.from(question.subarray(0, question.length));
  answer[2] = 0x80 | (answer[2] & 0x79); answer[3] = 0x83;
  for (const at of [6, 8, 10]) answer.writeUInt16BE(0, at);
  socket.send(answer.subarray(0, 12 + questionLength(answer)), port, address);
} } });
function questionLength(message) { let at = 12; while (message[at] !== 0) at += message[at] + 1; return at + 5 - 12; }
console.log("answering");
`;

/** @param inside the words that bring a program into the namespace in which it is to answer @returns its process */
export async function answerNames(inside: readonly string[]): Promise<number> {
  const child = Bun.spawn(dyingWithUs([...inside, process.execPath, "-e", name_server]), {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  });
  atEnd(() => endProcess(child));
  const reader = child.stdout.getReader();
  await waitFor("the name server", async () => new TextDecoder().decode((await reader.read()).value).includes("answering"), {
    limit_ms: 30_000,
  });
  return child.pid;
}

/** @param pid a process in the system's network namespace, by the host's number */
export async function connectWire(pid: number): Promise<void> {
  const far = String(await answerNames(["unshare", "--net", "--"]));
  ip(["link", "add", wire.name, "netns", String(pid), "type", "veth", "peer", "name", "far0", "netns", far]);
  const there = ["nsenter", `--net=/proc/${far}/ns/net`, "--", "ip"];
  for (const words of [`address add ${wire.gateway}/24 dev far0`, "link set far0 up", "link set lo up"])
    must([...there, ...words.split(" ")]);
}

function ip(words: readonly string[]): void {
  must(["ip", ...words]);
}

function must(argv: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv]);
  if (exitCode !== 0) throw new Error(`running "${argv.join(" ")}" failed: ${stderr.toString()}`);
}
