/** Commands for approvals, grants and policies. */

import { type Command, InvalidArgumentError } from "commander";
import { Resource, Risk } from "../../../contracts/tool.ts";
import type { Context } from "../context.ts";
import { exit } from "../exit.ts";
import { show } from "../output.ts";
import { span } from "../text/times.ts";
import { approvalsView, grantsView, policiesView } from "../views/permission.ts";
import { count } from "./follow.ts";
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
  const grant = program
    .command("grant")
    .description("let somebody use tools on things, up to a risk, for a time (sec.grant)")
    .argument("<principal>", "who: tier:tactical, agent:web-setup, person:anna")
    .requiredOption("--tools <names...>", "tools, or families: 'fs.*'")
    .requiredOption("--on <things...>", "what may be touched, as kind:name; a path means all below it: path:/srv/www, port:tcp:443", thing)
    .requiredOption("--why <text>", "the reason, for the record")
    .addOption(program.createOption("--for <span>", "how long: 30m, 2h, 7d").argParser(span).default(3_600_000, "1h"))
    .option("--calls <count>", "good for so many calls only", count(1_000_000))
    .addOption(program.createOption("--risk <risk>", "the highest that needs no person").choices(Risk.options).default("reversible"));
  grant.action(
    run(async (context, principal = "") => {
      const { tools, on, why, for: for_ms, calls, risk } = grant.opts<GrantOptions>();
      const scope = { tools, resources: on, risk, calls_max: calls === undefined ? null : Number(calls) };
      return await callFor(context, "sec.grant", { principal, ...scope, expires_in_s: Math.round(for_ms / 1000), reason: why }, why);
    }),
  );
  const revoke = program
    .command("revoke")
    .description("end a grant before its time (sec.revoke)")
    .argument("<grant>", "its id, as `grants` shows it")
    .requiredOption("--why <text>", "the reason, for the record");
  revoke.action(run(async (context, id = "") => await callFor(context, "sec.revoke", { grant: id }, revoke.opts<{ why: string }>().why)));
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

interface GrantOptions {
  readonly tools: readonly string[];
  readonly on: readonly Thing[];
  readonly why: string;
  readonly for: number;
  readonly calls?: string;
  readonly risk: string;
}

interface Thing {
  readonly kind: string;
  readonly id: string;
}

/** For commander: `path:/srv/www` after those that were given before. @throws {InvalidArgumentError} */
function thing(text: string, before: readonly Thing[] = []): Thing[] {
  const at = text.indexOf(":");
  const kind = text.slice(0, Math.max(at, 0));
  if (!Resource.shape.kind.options.some((known) => known === kind) || at === text.length - 1)
    throw new InvalidArgumentError(`it is kind:name, and the kinds are ${Resource.shape.kind.options.join(", ")}.`);
  return [...before, { kind, id: text.slice(at + 1) }];
}

/** Grants are made by tools like any other: allowed, recorded, taken back. */
async function callFor(context: Context, name: string, args: Record<string, unknown>, why: string): Promise<number> {
  return showCall(context, await context.client.call("call_make", { body: { name, arguments: args, _meta: { reason: { text: why } } } }));
}
