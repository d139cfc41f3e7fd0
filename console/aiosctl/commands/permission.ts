/** Commands for approvals, grants and policies. */

import type { Command } from "commander";
import { exit } from "../exit.ts";
import { show } from "../output.ts";
import { approvalsView, grantsView, policiesView } from "../views/permission.ts";
import type { Run } from "./look.ts";
import { showCall } from "./tools.ts";

export function addPermissionCommands(program: Command, run: Run): void {
  const approvals = program
    .command("approvals")
    .description("calls that wait for a person: what will change, and what cannot be taken back")
    .option("--all", "also those that were decided");
  approvals.action(
    run(async (context) => {
      const all = await context.client.call("approvals", {
        query: { all: approvals.opts<{ all?: boolean }>().all === true ? "true" : "false" },
      });
      show(context, all, () => approvalsView(all, Date.now(), context.view));
      return exit.ok;
    }),
  );
  for (const { verb, approve, does } of [
    { verb: "approve", approve: true, does: "let one call that waits be made, now and once" },
    { verb: "decline", approve: false, does: "say no to one call that waits" },
  ] as const) {
    const decide = program
      .command(verb)
      .description(does)
      .argument("<call>", "its id, as `approvals` shows it")
      .requiredOption("--why <text>", "the reason, for the record");
    decide.action(
      run(async (context, id = "") => {
        const body = { approve, reason: decide.opts<{ why: string }>().why };
        const result = await context.client.call("approval_decide", { path: { id }, body });
        const code = showCall(context, result);
        return approve || result._meta.status !== "declined" ? code : exit.ok;
      }),
    );
  }
  const grants = program
    .command("grants")
    .description("what tiers and agents may do beyond the policies, and the agents there are")
    .option("--all", "also those that ended");
  grants.action(
    run(async (context) => {
      const all = await context.client.call("grants", { query: { all: grants.opts<{ all?: boolean }>().all === true ? "true" : "false" } });
      show(context, all, () => grantsView(all, Date.now(), context.view));
      return exit.ok;
    }),
  );
  program
    .command("policies")
    .description("the policies by which calls are allowed or refused")
    .action(
      run(async (context) => {
        const policies = await context.client.call("policies");
        show(context, policies, () => policiesView(policies, context.view));
        return exit.ok;
      }),
    );
}
