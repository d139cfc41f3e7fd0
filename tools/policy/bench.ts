/**
 * What a decision costs, with 200 policies, against Cedar's plain interface, which is handed everything at each question.
 * With the compiler as the broker's service has it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Scope } from "../../contracts/permission.ts";
import type { BenchRow } from "../../tooling/bench.ts";
import { percentile } from "../../tooling/bench.ts";
import { openFile } from "../../wire/database.ts";
import { stateKind } from "../state/open.ts";
import type { Question } from "./authorise.ts";
import { loadCedar } from "./cedar.ts";
import { createAuthority } from "./engine.ts";
import { Grants } from "./grants.ts";
import { loadPolicies } from "./load.ts";
import { permission_schema } from "./permission-schema.ts";
import { policy_files } from "./policies/index.ts";
import { cedarQuestion, contextOf, namedAction, namedSubject, resourceEntity } from "./question.ts";

const policies_wanted = 200;
const rounds = 5000;
/** The compiler of WebAssembly takes its time to see what is worth its while. */
const warm_rounds = 3000;

/** Milliseconds of each of the rounds that count. */
function timed(work: (round: number) => void, n = rounds, warm = warm_rounds): number[] {
  const samples: number[] = [];
  for (let round = 0; round < warm + n; round += 1) {
    const begin = performance.now();
    work(round);
    if (round >= warm) samples.push(performance.now() - begin);
  }
  return samples.sort((a, b) => a - b);
}

function question(path: string, tool = "fs.write", access: "read" | "write" = "write"): Question {
  const attributes = { exists: true, type: "file", mode: 420, uid: 0, gid: 0, links: 1, size_bytes: 100, device: "8:1", setuid: false };
  const mount = { file_system: "ext4", mount: "/var/lib/aios", mount_options: "rw,relatime", read_only: false };
  return {
    ...{ principal: "tier:tactical", role: null, owner: null, tool, risk: access === "read" ? "observe" : "reversible" },
    resources: [{ kind: "path", id: path, access, attributes: { ...attributes, ...mount } }],
    context: { tainted: false, calls_last_hour: 17, cost_today_usd: 0.31, now_ms: Date.now(), approved: false },
  };
}

/** Policies of the same tier about other folders, until there are 200. */
function moreFiles(present: number): Record<string, string> {
  const more = Array.from({ length: policies_wanted - present }, (_, at) => {
    const example = `tier:tactical fs.write path:/data/${at}/a`;
    return `@id("bench-${at}") @reason("one of many, for the benchmark") @matches("${example}") @spares("tier:tactical fs.write path:/data/x")
permit (principal == Tier::"tactical", action in Action::"fs.*", resource in Path::"/data/${at}") when { context.risk_rank <= 1 && !context.tainted };`;
  });
  return { ...policy_files, "bench.cedar": more.join("\n") };
}

export async function benchAuthorisation(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "aios-bench-policy-"));
  const db = openFile(join(folder, "broker.db"), stateKind(permission_schema));
  try {
    const cedar = loadCedar();
    const { policies } = await loadPolicies(() => cedar, policy_files);
    const files = moreFiles(policies.length);
    const begin = performance.now();
    const many = await createAuthority({ cedar, files });
    const load_ms = performance.now() - begin;
    const grants = new Grants(db, Date.now());
    for (let at = 0; policies.length + at < policies_wanted; at += 1) grants.create(grantOf(at), Date.now());
    const granted = await createAuthority({ cedar, grants });
    const all = (await loadPolicies(() => cedar, files)).policies;
    const plain = plainly(cedar, Object.fromEntries(all.map(({ name, json }) => [name, json])));
    const row = (name: string, effect: string, authority: typeof many, ask: (round: number) => Question): BenchRow => {
      const found = timed((round) => {
        const verdict = authority.decide(ask(round));
        if (verdict.effect !== effect) throw new Error(`measuring "${name}" failed: ${verdict.effect}: ${verdict.reason}`);
      });
      return { name: `authorise, ${policies_wanted} policies: ${name}`, unit: "ms", n: found.length, ...quantiles(found) };
    };
    const reparsed = timed(() => plain(question("/srv/www/a")), 30, 3);
    const versus = { name: "Cedar's isAuthorized, stateless", n: reparsed.length, ...quantiles(reparsed) };
    return [
      { ...row("allowed, of the same tier", "allow", many, (round) => question(`/srv/www/${round}`)), versus },
      row("asked again", "allow", many, () => question("/srv/www/a")),
      row("a read", "allow", many, (round) => question(`/srv/www/${round}`, "fs.read", "read")),
      row("one of many folders", "allow", many, (round) => question(`/data/${round % (policies_wanted - policies.length)}/${round}`)),
      row("by a grant", "allow", granted, (round) => question(`/data/${round % 100}/${round}`)),
      row("a person is asked", "approval", many, (round) => question(`/home/${round}`)),
      row("denied", "deny", many, (round) => question(`/var/lib/aios/broker/${round}`)),
      {
        name: `authorise: loading ${policies_wanted} policies with their examples`,
        unit: "ms",
        n: 1,
        p50: load_ms,
        p99: load_ms,
        value: load_ms,
      },
    ];
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function quantiles(sorted: readonly number[]) {
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

function grantOf(at: number) {
  const scope = Scope.parse({ tools: ["fs.write"], resources: [{ kind: "path", id: `/data/${at}` }] });
  const who = { principal: "tier:tactical", granted_by: "person:anna", granter_role: "operator" } as const;
  return { call: `0000aaaa-call-${at}`, scope, reason: "for the benchmark", expires_ms: Date.now() + 3_600_000, ...who };
}

/** All policies and everything that is known, at each question. */
function plainly(
  cedar: ReturnType<typeof loadCedar>,
  policies: Parameters<typeof cedar.isAuthorized>[0]["policies"]["staticPolicies"] & object,
) {
  return (asked: Question): void => {
    const [resource] = asked.resources;
    if (resource === undefined) throw new Error("measuring failed: the question names no resource");
    const subject = { principal: asked.principal, role: asked.role };
    const parts = { subject, named: namedSubject(subject), action: namedAction(asked), resource, entity: resourceEntity(resource) };
    const answer = cedar.isAuthorized({
      ...cedarQuestion(parts, contextOf(asked, resource, false), null),
      policies: { staticPolicies: policies },
    });
    if (answer.type !== "success" || answer.response.decision !== "allow") throw new Error(`measuring failed: ${JSON.stringify(answer)}`);
  };
}
