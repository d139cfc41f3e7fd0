import { expect, test } from "bun:test";
import { ServiceState, type ServiceStatus } from "../../../contracts/service.ts";
import { tool_answers } from "../../../contracts/tool-answers.ts";
import type { AskTool } from "../../shared/ask-tool.ts";
import { sensorsOf } from "../list.ts";
import { driveFigures } from "./drives.ts";
import { loginFigures } from "./logins.ts";
import { portFigures } from "./security.ts";

/** A broker that answers every question with this. */
function answering(answer: unknown): AskTool {
  return (async (tool: keyof typeof tool_answers) => tool_answers[tool].parse(answer)) as unknown as AskTool;
}

const now_ms = 1_000_000_000;
const failed = (message: string, ago_ms = 0) => ({ time_ms: now_ms - ago_ms, message });

test("failed logins are counted by address, within the window; whoever types an address does not name another one", async () => {
  const records = [
    failed("Failed password for root from 203.0.113.7 port 40001 ssh2"),
    failed("Failed password for invalid user x from 198.51.100.9 port 22 from 203.0.113.7 port 40002 ssh2"),
    failed("Failed password for root from 203.0.113.7 port 40003", 599_999),
    failed("Failed password for root from 203.0.113.7 port 40004", 600_001),
    failed("Failed password for root from nowhere port 40005"),
    failed("Failed password for root from 2001:db8::7 port 40006"),
    failed("Failed password for root from 203.0.113.8 port 40007 and more"),
  ];
  const figures = await loginFigures(answering({ records }), 1, now_ms);
  expect(figures.map(({ subject, value }) => [subject, value])).toEqual([
    ["203.0.113.7", 3],
    ["2001:db8::7", 1],
  ]);
  expect(await loginFigures(answering({ records }), 60, now_ms)).toMatchObject([{ value: 2 }, { value: 1 }]);
});

test("a port's subject says whose it is by what the kernel and PID 1 know, not by the name that a program gave itself", async () => {
  const finding = (kind: string, evidence: string) => ({ kind, where: "tcp:4444", evidence });
  const findings = [
    finding("undeclared-listener", 'patient (pid 41, service "web") listens on 0.0.0.0'),
    finding("undeclared-listener", "nc (pid 1, ) (pid 42) listens on ::"),
    finding("undeclared-listener", 'x", service "db (pid 43) listens on 0.0.0.0'),
    finding("declared-but-closed", 'open in the firewall for "web", and nobody listens'),
    finding("undeclared-listener", "nobody known listens on 0.0.0.0"),
    finding("wrong-listener", "nc (pid 44) listens on 0.0.0.0"),
    finding("weak-key", "of something else"),
  ];
  const figures = await portFigures(answering({ findings, next_offset: null }));
  expect(figures.map(({ subject }) => subject)).toEqual([
    "tcp:4444 of web",
    "tcp:4444 pid:42",
    "tcp:4444 pid:43",
    "tcp:4444 of web",
    "tcp:4444",
    "tcp:4444 pid:44",
  ]);
});

test("a declared port is not missed while its service is stopped: it would be started again", async () => {
  const closed = (port: number, service: string) => ({
    ...{ kind: "declared-but-closed", where: `tcp:${port}` },
    evidence: `open in the firewall for "${service}", and nobody listens`,
  });
  const told = async (state: ServiceState): Promise<string[]> => {
    const status = (name: string, is: ServiceState): ServiceStatus => ({
      ...{ name, state: is, pid: null, since_ms: 0, restarts: 0, ready_after_ms: null },
      ...{ last_exit: null, status_text: null, health: null, reason: "by request" },
    });
    const findings = [
      ...[closed(80, "web"), closed(81, "shop"), closed(82, "unknown")],
      { kind: "undeclared-listener", where: "tcp:83", evidence: 'x (pid 41, service "web") listens on ::' },
    ];
    const never = (): never => {
      throw new Error("it is not looked at here");
    };
    const sensors = sensorsOf({
      ...{ status: never, measured: never, boot_ms: () => 0, pace: 1 },
      services: async () => [status("web", state), status("shop", "ready")],
      ask: answering({ findings, next_offset: null }),
    });
    const figures = await sensors.find(({ name }) => name === "ports")?.look(0);
    return (figures ?? []).map(({ subject }) => subject);
  };
  const others = ["tcp:81 of shop", "tcp:82 of unknown", "tcp:83 of web"];
  for (const state of ServiceState.options)
    expect(await told(state), state).toEqual(state === "stopped" || state === "stopping" ? others : ["tcp:80 of web", ...others]);
});

test("a drive is judged by what it says of itself, and one that says nothing is not", async () => {
  const drives = [
    { name: "nvme0n1", health: "failing", findings: ["it is read-only", "its spare blocks are below the threshold"], worn_ratio: 1.02 },
    { name: "sda", health: "good", findings: [], worn_ratio: null },
    { name: "vda", health: "unknown", findings: ["a virtual drive tells nothing: its host knows"], worn_ratio: null },
  ];
  expect(await driveFigures(answering({ drives }))).toEqual([
    { figure: "drive.failing", subject: "nvme0n1", value: 1, detail: "it is read-only; its spare blocks are below the threshold" },
    { figure: "drive.worn_ratio", subject: "nvme0n1", value: 1.02, detail: "102 % of the writes that it is made for" },
    { figure: "drive.failing", subject: "sda", value: 0, detail: "it says that it is well" },
  ]);
});
