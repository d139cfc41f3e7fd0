/** Commands that change something. Each wants a reason, which is kept with what it causes. */

import type { Command } from "commander";
import type { ServiceStatus } from "../../../contracts/service.ts";
import { UnreachableError } from "../client.ts";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { say, show } from "../output.ts";
import { serviceLine } from "../views/services.ts";
import type { Run } from "./look.ts";

/** Milliseconds for the console to come back when it was itself restarted. */
const return_ms_max = 30_000;

const changes = [
  { verb: "start", does: "start a service", wanted: "ready" },
  { verb: "stop", does: "stop a service", wanted: "stopped" },
  { verb: "restart", does: "restart a service and wait until it is ready", wanted: "ready" },
] as const;

export function addChangeCommands(program: Command, run: Run): void {
  for (const { verb, does, wanted } of changes) {
    const command = program
      .command(verb)
      .description(does)
      .argument("<service>", "its name, as `services` shows it")
      .requiredOption("--why <text>", "the reason, for the record");
    command.action(
      run(async (context, name = "") => {
        const service = await change(context, `service_${verb}`, name, command.opts<{ why: string }>().why);
        show(context, service, (one) => serviceLine(one, context.view));
        return service.state === wanted ? exit.ok : exit.failed;
      }),
    );
  }
  const reboot = program.command("reboot").description("stop everything in order and reboot");
  reboot.option("--kexec", "start the kernel on the ESP directly, without the firmware");
  addShutdown(reboot, run, () => (reboot.opts<{ kexec?: boolean }>().kexec === true ? "kexec" : "reboot"));
  addShutdown(program.command("poweroff").description("stop everything in order and power off"), run, () => "poweroff");
}

function addShutdown(command: Command, run: Run, route: () => "reboot" | "kexec" | "poweroff"): void {
  command.requiredOption("--why <text>", "the reason, for the record");
  command.action(
    run(async (context) => {
      const answer = await context.client.call(route(), { body: { reason: command.opts<{ why: string }>().why } });
      show(context, answer, () => `${route()}: accepted; the services stop now`);
      return exit.ok;
    }),
  );
}

async function change(
  context: Context,
  route: "service_start" | "service_stop" | "service_restart",
  name: string,
  reason: string,
): Promise<ServiceStatus> {
  try {
    return await context.client.call(route, { path: { name }, body: { reason } });
  } catch (error) {
    // Restarting the console cuts the line on which it would answer.
    if (name !== "console" || route !== "service_restart" || !(error instanceof UnreachableError)) throw error;
    if (!context.json) say("the console restarts itself; waiting for it");
    return await returned(context, error);
  }
}

async function returned(context: Context, cause: UnreachableError): Promise<ServiceStatus> {
  const until_ms = Date.now() + return_ms_max;
  while (Date.now() < until_ms) {
    await Bun.sleep(250);
    const services = await context.client.call("services").catch(() => []);
    const found = services.find((one) => one.name === "console");
    if (found !== undefined) return found;
  }
  throw cause;
}
