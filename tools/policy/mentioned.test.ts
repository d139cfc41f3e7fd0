import { expect, test } from "bun:test";
import { loadCedar } from "./cedar.ts";
import { mentionedIn } from "./mentioned.ts";

const cedar = loadCedar();
const of = (policy: string) => {
  const parsed = cedar.policyToJson(policy);
  if (parsed.type !== "success") throw new Error(parsed.errors.map(({ message }) => message).join("; "));
  return mentionedIn([parsed.json]);
};
const path = (id: string) => ({ type: "Path", id });

test("a name matters where a policy reads it, hands it on or compares it with what is not written down", () => {
  for (const condition of [
    'resource.id like "/x/*"',
    "context.callers.contains(resource.id)",
    "principal == resource",
    "resource == principal",
    "resource in context.folder",
    '[Path::"/a", Path::"/b"].contains(resource)',
    "context.seen.contains(resource)",
    '(if context.approved then resource else Path::"/a") == Path::"/q"',
  ])
    expect(of(`permit (principal, action, resource) when { ${condition} };`).names(path("/q")), condition).toBe(true);
});

test("it does not where a policy speaks of attributes and folders alone, but for those that it names", () => {
  for (const text of [
    "permit (principal, action, resource) when { resource.size_bytes > 3 };",
    "permit (principal, action, resource) unless { resource has setuid && resource.setuid };",
    'permit (principal, action, resource == Path::"/a");',
    'permit (principal, action, resource in Path::"/a");',
    'permit (principal, action, resource is Path in Path::"/a");',
    'permit (principal, action, resource) when { resource in Path::"/a" };',
    'permit (principal, action, resource) when { resource in [Path::"/a", Path::"/b"] };',
    'permit (principal, action, resource) when { !(resource == Path::"/a") || resource is Path in Path::"/b" };',
  ]) {
    const { names, paths } = of(text);
    expect(names(path("/q")), text).toBe(false);
    expect(names({ type: "Service", id: "/a" }), text).toBe(false);
    if (paths.has("/a")) expect(names(path("/a")), text).toBe(true);
  }
});
