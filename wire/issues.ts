/** What is wrong with a value, for people and models, from zod's issues. */

import type { z } from "zod";

const issues_max = 5;
const ways_max = 4;

/** One line: `network.interfaces.0.mtu: Too small; value: …`. */
export function issuesText(error: z.ZodError): string {
  return error.issues
    .slice(0, issues_max)
    .map((issue) => `${whereOf(issue)}${issueReason(issue)}`)
    .join("; ");
}

/** Nothing where the words name the member themselves. */
function whereOf({ path, code }: z.core.$ZodIssue): string {
  if (path.length > 0) return `${path.join(".")}: `;
  return code === "unrecognized_keys" ? "" : "value: ";
}

/** For a choice between shapes: what each of them wants. */
export function issueReason(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_union") return issue.message;
  const each = new Set(issue.errors.map((errors) => errors.map(within).join(" and ")));
  return each.size === 0 || each.size > ways_max ? issue.message : `it fits none of the ways to write it: ${[...each].join("; or ")}`;
}

/** Of one of the shapes, with the member that it is about. */
function within(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0 ? issueReason(issue) : `${issue.path.join(".")}: ${issueReason(issue)}`;
}
