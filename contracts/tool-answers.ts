/**
 * What tiers read of the answers of tools, and no more of them: the tools declare the whole. A test holds each against the
 * tool's own schema (tools/testing/tool-answers.test.ts).
 */

import { z } from "zod";
import { Severity } from "./event.ts";
import { Parameter } from "./memory/templates.ts";

/** By the name of the tool. */
export const tool_answers = {
  "process.list": z.object({
    processes: z.array(
      z.object({
        pid: z.number(),
        started_ticks: z.number(),
        name: z.string(),
        service: z.string().nullable(),
        core: z.boolean(),
        cpu_ms: z.number(),
        waited_ms: z.number(),
        nice: z.number(),
      }),
    ),
  }),
  "knowledge.list": z.object({
    documents: z.array(
      z.object({
        document: z.string(),
        version: z.number(),
        author: z.string(),
        taint: z.array(z.string()),
        tools: z.array(z.string()),
        time_ms: z.number(),
      }),
    ),
    total: z.number(),
  }),
  "fs.stat": z.object({ type: z.string(), mtime: z.string() }),
  "pkg.list": z.object({ total: z.number() }),
  "pkg.history": z.object({
    current: z.number(),
    generations: z.array(z.object({ number: z.number(), principal: z.string() })),
    outdated_services: z.array(z.object({ service: z.string(), generation: z.number() })),
  }),
  "knowledge.history": z.object({ total: z.number() }),
  "knowledge.show": z.object({ text: z.string() }),
  "memory.train": z.object({ version: z.number().nullable(), report: z.object({ said: z.string() }) }),
  "memory.classifier": z.object({ was: z.number().nullable() }),
  "memory.recall": z.object({ memories: z.array(z.object({ id: z.string(), taint: z.array(z.string()) })) }),
  "service.list": z.object({ services: z.array(z.object({ name: z.string(), state: z.string().nullable() })) }),
  "memory.search": z.object({
    found: z.array(
      z.object({
        memory: z.object({
          id: z.string(),
          kind: z.string(),
          outcome: z.string().nullable(),
          body: z.record(z.string(), z.unknown()),
        }),
        meaning: z.object({ cosine: z.number() }).nullable(),
        words: z.object({ rank: z.number() }).nullable(),
        usefulness: z.number(),
      }),
    ),
  }),
  "knowledge.search": z.object({
    found: z.array(z.object({ document: z.string() })),
  }),
  "service.usage": z.object({
    services: z.array(
      z.object({
        service: z.string(),
        tasks: z.number(),
        tasks_max: z.number().nullable(),
        memory_bytes: z.number(),
        memory_max_bytes: z.number().nullable(),
        open_files_ratio: z.number(),
        deleted_bytes: z.number(),
      }),
    ),
  }),
  "memory.templates": z.object({
    unusual: z.array(
      z.object({
        template: z.object({ id: z.number(), level: Severity, vague: z.boolean(), lines: z.number(), first_ms: z.number() }),
        new: z.boolean(),
        log_known_ms: z.number(),
        burst: z.object({ last_ms: z.number(), times_usual: z.number() }).nullable(),
      }),
    ),
    one: z
      .object({
        sources: z.array(z.object({ source: z.string() })),
        examples: z.array(z.object({ parameters: z.array(Parameter) })),
      })
      .nullable(),
  }),
  "sys.logs": z.object({ records: z.array(z.object({ time_ms: z.number(), message: z.string() })) }),
  "net.interfaces": z.object({
    interfaces: z.array(
      z.object({
        name: z.string(),
        kind: z.string().nullable(),
        up: z.boolean(),
        carrier: z.boolean(),
        master: z.string().nullable(),
        addresses: z.array(z.string()),
        other_addresses: z.array(z.string()),
        routes: z.array(z.object({ to: z.string(), via: z.string().nullable() })),
        other_routes: z.array(z.object({ to: z.string(), via: z.string().nullable() })),
      }),
    ),
    gateways: z.array(z.object({ interface: z.string(), via: z.string().nullable(), by: z.enum(["call", "config", "lease"]) })),
    unnamed: z.array(z.object({ interface: z.string(), had_link: z.boolean(), had_address: z.boolean() })),
    dns: z.array(z.string()),
  }),
  "net.declared": z.object({ drift: z.array(z.object({ what: z.string(), detail: z.string() })) }),
  "sys.drives": z.object({
    drives: z.array(
      z.object({
        name: z.string(),
        health: z.enum(["good", "failing", "unknown"]),
        findings: z.array(z.string()),
        worn_ratio: z.number().nullable(),
      }),
    ),
  }),
  "sys.declared": z.object({ drift: z.array(z.object({ what: z.string(), detail: z.string() })) }),
  "net.dns": z.object({ answer: z.string() }),
  "sec.scan": z.object({
    findings: z.array(z.object({ kind: z.string(), where: z.string(), evidence: z.string() })),
    next_offset: z.number().nullable(),
  }),
  "sec.secret_list": z.object({ secrets: z.array(z.object({ name: z.string() })), total: z.number() }),
  "sec.certificate_inspect": z.object({ chain: z.array(z.object({ days_left: z.number() })) }),
} as const;
export type AnsweringTool = keyof typeof tool_answers;
export type ToolAnswer<T extends AnsweringTool> = z.infer<(typeof tool_answers)[T]>;
