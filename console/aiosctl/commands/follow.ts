/** Commands that read streams: logs, events, decisions. */

import { type Command, InvalidArgumentError } from "commander";
import { event_kinds } from "../../../contracts/event.ts";
import { showStream } from "../output.ts";
import { decisionLine, eventLine, logLine } from "../views/lines.ts";
import type { Run } from "./look.ts";

export function addFollowCommands(program: Command, run: Run): void {
  const logs = program
    .command("logs")
    .description("what services and the kernel wrote")
    .argument("[service]", "only of this service")
    .option("-f, --follow", "stay and show what comes")
    .option("-n, --lines <count>", "how many of those held", count(5000), "200");
  logs.action(
    run(async (context, service) => {
      const { follow, lines } = read(logs);
      const query = { lines, follow: flag(follow), ...(service === undefined ? {} : { service }) };
      return await showStream(context, context.client.stream("logs", { query, signal: context.signal }), follow, (one) =>
        logLine(one, context.view),
      );
    }),
  );

  const events = program
    .command("events")
    .description("what was noticed")
    .option("-f, --follow", "stay and show what comes")
    .option("-n, --lines <count>", "how many of those remembered", count(1000), "50")
    .option("-s, --service <name>", "only about this service")
    .addOption(program.createOption("-k, --kind <kind>", "only of this kind").choices(event_kinds));
  events.action(
    run(async (context) => {
      const { follow, lines } = read(events);
      const { service, kind } = events.opts<{ service?: string; kind?: string }>();
      const query = { lines, follow: flag(follow), ...(service === undefined ? {} : { service }), ...(kind === undefined ? {} : { kind }) };
      return await showStream(context, context.client.stream("events", { query, signal: context.signal }), follow, (one) =>
        eventLine(one, context.view),
      );
    }),
  );

  const decisions = program
    .command("decisions")
    .description("what was decided about it, why, and what came of it")
    .option("-f, --follow", "stay and show what comes")
    .option("-n, --lines <count>", "how many of those remembered", count(1000), "50");
  decisions.action(
    run(async (context) => {
      const { follow, lines } = read(decisions);
      const query = { lines, follow: flag(follow) };
      return await showStream(context, context.client.stream("decisions", { query, signal: context.signal }), follow, (one) =>
        decisionLine(one, context.view),
      );
    }),
  );
}

function read(command: Command): { follow: boolean; lines: string } {
  const { follow, lines } = command.opts<{ follow?: boolean; lines: string }>();
  return { follow: follow === true, lines };
}

function flag(value: boolean): "true" | "false" {
  return value ? "true" : "false";
}

export function count(max: number, min = 1): (text: string) => string {
  return (text) => {
    if (/^\d{1,7}$/.test(text) && Number(text) >= min && Number(text) <= max) return text;
    throw new InvalidArgumentError(`it is a whole number from ${min} to ${max}.`);
  };
}
