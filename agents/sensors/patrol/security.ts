/** Ports, files with the rights of others, certificates, by the broker's tools. */

import { createHash } from "node:crypto";
import type { AskTool } from "../../shared/ask-tool.ts";
import type { Figure } from "../figure.ts";

const why = "the patrol looks for what an attacker, or nobody, left open";
const certificates_max = 50;
/** Packages bring setuid files, and pkg.* keeps account of them. */
const userland = "/var/lib/aios/userland/";

const port_figures: Readonly<Record<string, string>> = {
  "undeclared-listener": "port.undeclared_listener",
  "wrong-listener": "port.wrong_listener",
  "declared-but-closed": "port.declared_but_closed",
};

/**
 * `where` of such a finding is `tcp:443`: ours. Who listens there begins with a name that a program gave itself; what PID 1 and the
 * kernel say of it comes at the end.
 */
const listener = / \(pid ([0-9]+)(?:, service "([a-z][a-z0-9-]*)")?\) listens on [0-9a-f.:]+$/;
const nobody = /^open in the firewall for "([a-z][a-z0-9-]*)", and nobody listens$/;

function portSubject(where: string, evidence: string): string {
  const [, pid, service] = listener.exec(evidence) ?? [];
  const owner = service ?? nobody.exec(evidence)?.[1];
  const who = owner !== undefined ? ` of ${owner}` : pid !== undefined ? ` pid:${pid}` : "";
  return `${where.slice(0, 100)}${who}`;
}

/** Subjects are `tcp:443 of web`, or `tcp:443 pid:4711` of what belongs to no service. */
export async function portFigures(ask: AskTool): Promise<Figure[]> {
  const { findings } = await ask("sec.scan", { checks: ["listening"], limit: 200 }, why);
  return findings.flatMap(({ kind, where, evidence }) => {
    const figure = port_figures[kind];
    return figure === undefined ? [] : [{ figure, subject: portSubject(where, evidence), value: 1, untrusted: evidence }];
  });
}

export async function setuidFigures(ask: AskTool): Promise<Figure[]> {
  const { findings } = await ask("sec.scan", { checks: ["setuid"], limit: 200 }, why);
  return findings
    .filter(({ where }) => !where.startsWith(userland))
    .map(({ where, evidence }) => ({
      figure: "file.setuid",
      subject: `file-${createHash("sha256").update(where).digest("hex").slice(0, 12)}`,
      value: 1,
      untrusted: `${where}: ${evidence}`,
    }));
}

export async function certificateFigures(ask: AskTool): Promise<Figure[]> {
  const { secrets } = await ask("sec.secret_list", { kind: "certificate", limit: certificates_max }, why);
  const figures: Figure[] = [];
  for (const { name } of secrets) {
    const { chain } = await ask("sec.certificate_inspect", { of: { is: "kept", name } }, why);
    const [leaf] = chain;
    if (leaf !== undefined)
      figures.push({ figure: "certificate.left_d", subject: name, value: leaf.days_left, detail: `${leaf.days_left} days are left` });
  }
  return figures;
}
