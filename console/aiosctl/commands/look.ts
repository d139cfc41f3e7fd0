/** Commands that look and change nothing. */

import type { Command } from "commander";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { say, show } from "../output.ts";
import { bootView } from "../views/boot.ts";
import { hardwareView } from "../views/hardware.ts";
import { whyView } from "../views/lines.ts";
import { metricsView } from "../views/metrics.ts";
import { processesView } from "../views/processes.ts";
import { servicesView } from "../views/services.ts";
import { statusView, unwell } from "../views/status.ts";

export type Run = (command: (context: Context, ...rest: string[]) => Promise<number>) => (...args: unknown[]) => Promise<void>;

export function addLookCommands(program: Command, run: Run): void {
  program
    .command("status")
    .description("state of the whole system, worst first")
    .option("--check", "exit with 4 unless the system runs and every service is ready and well")
    .action(
      run(async (context) => await status(context, program.commands.find((one) => one.name() === "status")?.opts()["check"] === true)),
    );
  program
    .command("boot")
    .description("boot timeline: where the time went")
    .action(run(async (context) => whole(context, await context.client.call("boot"), (boot) => bootView(boot, context.view))));
  program
    .command("services")
    .description("all services with state, health and reason")
    .action(
      run(async (context) => {
        const [services, { uptime_ms }] = await Promise.all([context.client.call("services"), context.client.call("status")]);
        return whole(context, services, (all) => servicesView(all, uptime_ms, context.view));
      }),
    );
  program
    .command("ps")
    .description("processes and the services they belong to")
    .action(run(async (context) => whole(context, await context.client.call("processes"), (all) => processesView(all, context.view))));
  program
    .command("hw")
    .description("hardware inventory")
    .action(run(async (context) => whole(context, await context.client.call("hardware"), (hw) => hardwareView(hw, context.view))));
  program
    .command("metrics")
    .description("load, memory, pressure and what each service uses")
    .action(run(async (context) => whole(context, await context.client.call("metrics"), (one) => metricsView(one, context.view))));
  program
    .command("why")
    .description("what happened and why, for an event, a decision, an incident or a goal")
    .argument(
      "<id>",
      "id of an event, a decision, an incident or a goal, as `events`, `decisions`, `memory incidents` and `goal list` show it",
    )
    .action(
      run(async (context, id = "") =>
        whole(context, await context.client.call("why", { path: { id } }), (why) => whyView(why, context.view)),
      ),
    );
  program
    .command("openapi")
    .description("the API's own description (OpenAPI 3.1)")
    .action(
      run(async (context) => {
        say(JSON.stringify(await context.client.openapi(), null, 2));
        return exit.ok;
      }),
    );
}

async function status(context: Context, check: boolean): Promise<number> {
  const [system, services] = await Promise.all([context.client.call("status"), context.client.call("services")]);
  show(context, system, () => statusView(system, services, context.view));
  const well =
    system.state === "running" &&
    system.degradations.length === 0 &&
    services.every((one) => one.state === "ready") &&
    unwell(services).length === 0;
  return check && !well ? exit.degraded : exit.ok;
}

function whole<T>(context: Context, value: T, lines: (value: T) => readonly string[]): number {
  show(context, value, lines);
  return exit.ok;
}
