import type { ToolCase } from "../../testing/case.ts";

export const audit_cases: readonly ToolCase[] = [
  {
    tool: "sec.audit",
    name: "one's own calls",
    prepare: () => ({}),
    observe: () => null,
    bad: () => [{ limit: 0 }, { principal: "root" }, { text: "x".repeat(201) }, { call: "17" }],
  },
];
