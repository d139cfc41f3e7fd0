import { beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Grant, Scope } from "../../contracts/permission.ts";
import type { Principal, Resource } from "../../contracts/tool.ts";
import type { Question } from "./authorise.ts";
import { loadCedar } from "./cedar.ts";
import { createAuthority, type PolicyAuthority } from "./engine.ts";
import { loadPolicies } from "./load.ts";
import { policy_files } from "./policies/index.ts";
import { cedarQuestion, contextOf, namedAction, namedSubject, resourceEntity } from "./question.ts";
import { ask, path } from "./testing/questions.ts";
import { tool_names } from "./tool-names.ts";
import { risks } from "./vocabulary.ts";

const cedar = loadCedar();
let authority: PolicyAuthority;
const reports: string[] = [];
const agents = { isAlive: (name: string, owner: Principal) => name === "web-setup" && owner === "tier:tactical" };

beforeAll(async () => {
  authority = await createAuthority({ cedar, agents, report: (text) => reports.push(text) });
  expect(authority.degradation).toBeNull();
}, 60_000);

const effect = (line: string, change: Partial<Question> = {}): string => authority.decide(ask(line, change)).effect;

describe("the tiers", () => {
  const cases: readonly (readonly [line: string, effect: string])[] = [
    ["tier:reactive service.restart service:web", "allow"],
    ["tier:reactive fs.write path:/srv/a", "deny"],
    ["tier:reactive sec.ban address:198.51.100.7/32 reach=public single=true lifeline=false duration_ms=60000", "allow"],
    ["tier:operational fs.read path:/etc/hosts", "allow"],
    ["tier:operational fs.read path:/home/x", "deny"],
    ["tier:operational service.restart service:web", "deny"],
    ["tier:operational sec.request principal:tier:operational", "approval"],
    ["tier:tactical fs.write path:/srv/www/a", "allow"],
    ["tier:tactical fs.write path:/etc/hosts", "approval"],
    ["tier:tactical pkg.install package:nginx", "approval"],
    ["tier:tactical fs.remove path:/srv/www/a delete tainted", "approval"],
    ["tier:tactical fs.write path:/srv/www/a type=file links=2", "deny"],
    ["tier:tactical sec.grant principal:tier:tactical", "deny"],
    ["tier:strategic fs.write path:/srv/www/a", "allow"],
    ["tier:strategic fs.write path:/etc/hosts", "approval"],
    ["tier:strategic service.restart service:web owner=person:anna", "allow"],
    ["tier:strategic service.restart service:web tainted", "approval"],
    ["tier:strategic service.define service:web exists=false", "approval"],
    ["tier:strategic fs.read path:/home/x", "allow"],
    ["tier:strategic fs.read path:/etc/shadow", "deny"],
    ["person:bob/observer fs.write path:/srv/a", "deny"],
    ["person:anna/operator fs.write path:/etc/hosts", "allow"],
    ["person:anna/operator process.kill process:4711", "approval"],
    ["person:anna/admin process.kill process:4711", "approval"],
    ["person:anna/admin process.kill process:4711 approved", "allow"],
    ["person:anna/admin fs.write path:/var/lib/aios/broker/audit.db approved", "deny"],
    ["system fs.write path:/srv/a", "deny"],
  ];
  test.each(cases)("%s → %s", (line, expected) => expect(effect(line)).toBe(expected));
});

describe("several resources", () => {
  test("all have to be allowed, and the strictest decides", () => {
    const line = "tier:tactical fs.copy path:/x";
    expect(effect(line, { resources: [path("/srv/a", "read"), path("/srv/b")] })).toBe("allow");
    expect(effect(line, { resources: [path("/srv/a", "read"), path("/etc/b")] })).toBe("approval");
    expect(effect(line, { resources: [path("/srv/a"), path("/etc/b"), path("/var/lib/aios/broker/b")] })).toBe("deny");
    expect(effect(line, { resources: [path("/etc/shadow", "read"), path("/srv/b")] })).toBe("deny");
  });

  test("none is the system itself, never nothing", () => {
    expect(effect("tier:tactical sys.info system:x", { resources: [] })).toBe("allow");
    expect(effect("tier:tactical sys.power system:x", { resources: [] })).toBe("approval");
    expect(effect("tier:operational fs.write path:/x", { resources: [] })).toBe("deny");
  });

  test("too many are refused", () => {
    const resources = Array.from({ length: 513 }, (_, at) => path(`/srv/${at}`));
    expect(authority.decide(ask("tier:tactical fs.write path:/x", { resources }))).toMatchObject({ effect: "deny" });
    expect(effect("tier:tactical fs.write path:/x", { resources: resources.slice(0, 512) })).toBe("allow");
  });
});

describe("agents", () => {
  test("need their owner, a lease, and both permissions", () => {
    const line = "agent:web-setup service.status service:web";
    expect(effect(line)).toBe("deny");
    expect(effect(line, { owner: "tier:tactical" })).toBe("allow");
    expect(effect(line, { owner: "tier:strategic" })).toBe("deny");
    expect(effect("agent:other service.status service:web", { owner: "tier:tactical" })).toBe("deny");
    expect(effect("agent:web-setup fs.write path:/srv/www/a by=tier:tactical")).toBe("deny");
    expect(effect("tier:tactical service.status service:web", { owner: "tier:strategic" })).toBe("deny");
  });
});

describe("approvals", () => {
  const call = ask("tier:tactical fs.write path:/etc/hosts");
  const kill = ask("tier:tactical process.kill process:4711");
  test("by role, and never of what is forbidden", () => {
    const anna = { principal: "person:anna", role: "operator" } as const;
    const eve = { principal: "person:eve", role: "admin" } as const;
    expect(authority.mayApprove(call, anna).effect).toBe("allow");
    expect(authority.mayApprove(kill, anna).effect).toBe("deny");
    expect(authority.mayApprove(kill, eve).effect).toBe("allow");
    expect(authority.mayApprove(call, { principal: "person:bob", role: "observer" }).effect).toBe("deny");
    expect(authority.mayApprove(call, { principal: "tier:strategic", role: null }).effect).toBe("deny");
    expect(authority.mayApprove(ask("tier:tactical fs.read path:/etc/shadow"), eve).effect).toBe("deny");
  });
});

describe("names that try to be something else", () => {
  const forged = [
    'tactical"',
    'x", "y',
    'a\\"b',
    "tier:tactical",
    "a)} permit(principal,action,resource);",
    "ａ",
    "\u202e",
    "a\0b",
    "\ud800",
    "",
  ];
  test.each(forged)("as a principal: %j", (name) => {
    for (const principal of [`tier:${name}`, `person:${name}`, `agent:${name}`, name, `tier:tactical${name}x`] as Principal[]) {
      if (principal === "tier:tactical") continue;
      expect(authority.decide(ask("tier:tactical sys.info system:x", { principal, role: null })).effect).toBe("deny");
    }
  });

  test("as a resource, they are only names", () => {
    for (const name of forged) {
      const id = `/srv/${name}`;
      const usable = name !== "" && !name.includes("\0") && name.isWellFormed();
      expect(effect("tier:tactical fs.write path:/x", { resources: [path(id)] })).toBe(usable ? "allow" : "deny");
      expect(effect("person:anna/admin fs.write path:/x", { resources: [path(`/var/lib/aios/broker/${name}x`)] })).toBe("deny");
    }
  });

  test("as a tool or a role", () => {
    for (const tool of ["fs.*", "risk:observe", "approve", "fs.read x", "FS.read", "fs.read\n"])
      expect(authority.decide(ask("person:anna/admin fs.read path:/x", { tool })).effect).toBe("deny");
    expect(effect("tier:tactical fs.read path:/x", { role: "admin" })).toBe("deny");
    expect(effect("person:anna/admin fs.read path:/x", { role: null })).toBe("deny");
    expect(authority.decide(ask("person:anna/admin fs.read path:/x", { role: "root" as "admin" })).effect).toBe("deny");
  });
});

describe("paths", () => {
  test("a folder's name is not the start of another's", () => {
    for (const id of ["/srv2", "/srv2/a", "/srvx", "/var/lib/aios/work2/a", "/var/lib/aios/workx"])
      expect(effect("tier:operational fs.list path:/x", { resources: [path(id, "read")] })).toBe("deny");
  });

  test("one that is not canonical is no path", () => {
    for (const id of ["/srv/../etc/x", "/srv/./x", "/srv//x", "/srv/x/", "srv/x", "//srv/x", "/srv/x\0", "/..", "/."])
      expect(effect("tier:tactical fs.write path:/x", { resources: [path(id)] })).toBe("deny");
  });

  test("depth is bounded and costs little", () => {
    expect(effect("tier:tactical fs.write path:/x", { resources: [path(`/srv${"/a".repeat(1000)}`)] })).toBe("allow");
    expect(effect("tier:tactical fs.write path:/x", { resources: [path(`/srv${"/a".repeat(1500)}`)] })).toBe("deny");
    expect(effect("tier:tactical fs.write path:/x", { resources: [path(`/srv${"/a".repeat(10_000)}`)] })).toBe("deny");
  });
});

describe("facts that do not fit", () => {
  test("are denied, never mended", () => {
    const bad: Partial<Question>[] = [
      { resources: [path("/srv/a", "write", { unheard_of: true })] },
      { resources: [path("/srv/a", "write", { links: "1" })] },
      { resources: [path("/srv/a", "write", { links: 2 ** 60 })] },
      { resources: [path("/srv/a", "write", { links: Number.NaN })] },
      { resources: [path("/srv/a", "write", JSON.parse('{"__proto__": 1}'))] },
      { resources: [{ kind: "planet" as Resource["kind"], id: "x", access: "read", attributes: {} }] },
      { resources: [{ kind: "constructor" as Resource["kind"], id: "x", access: "read", attributes: {} }] },
      { risk: "none" as "observe" },
    ];
    for (const change of bad) expect(effect("tier:tactical fs.write path:/x", change)).toBe("deny");
    const { context } = ask("tier:tactical fs.write path:/srv/a");
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 63])
      for (const name of ["calls_last_hour", "cost_today_usd", "now_ms"])
        expect(effect("tier:tactical fs.write path:/srv/a", { context: { ...context, [name]: value } })).toBe("deny");
  });
});

describe("what a broken policy does", () => {
  const whole =
    '@id("all-of-it")\n@reason("everything, for a test")\n@matches("tier:tactical fs.write path:/srv/a")\n@spares("tier:strategic fs.write path:/srv/a")\n';
  const broken: readonly (readonly [what: string, text: string])[] = [
    ["does not parse", "permit (principal, action"],
    ["has no reason", '@id("all-of-it") permit (principal, action, resource);'],
    ["has no examples", '@id("all-of-it") @reason("everything, for a test") permit (principal, action, resource);'],
    ["matches what it should spare", `${whole}permit (principal, action, resource);`],
    ["does not match what it should", `${whole}permit (principal == Tier::"reactive", action, resource);`],
    ["is a template", `${whole}permit (principal == ?principal, action, resource);`],
    ["has an unknown annotation", `@note("x")\n${whole}permit (principal == Tier::"tactical", action, resource);`],
  ];
  test.each(broken)("%s: everything is refused", async (_, text) => {
    const other = await createAuthority({ cedar, files: { ...policy_files, "broken.cedar": text } });
    expect(other.degradation).toContain("every call is refused");
    expect(other.decide(ask("person:anna/admin sys.info system:aios"))).toMatchObject({ effect: "deny", policies: [] });
    expect(other.mayApprove(ask("tier:tactical fs.write path:/etc/hosts"), { principal: "person:eve", role: "admin" }).effect).toBe("deny");
  });

  test("one that cannot be evaluated denies and is reported", async () => {
    const text = `${whole}permit (principal == Tier::"tactical", action, resource);
@id("overflow") @reason("an error in a forbid must not let through") @matches("tier:tactical fs.write path:/srv/a size_bytes=1") @spares("tier:tactical fs.write path:/srv/a")
forbid (principal, action, resource is Path) when { resource has size_bytes && resource.size_bytes * 9007199254740991 > 0 };`;
    const heard: string[] = [];
    const other = await createAuthority({ cedar, files: { "odd.cedar": text }, report: (what) => heard.push(what) });
    expect(other.degradation).toBeNull();
    const question = ask("tier:tactical fs.write path:/srv/a size_bytes=2000");
    expect(other.decide(question)).toMatchObject({ effect: "deny" });
    expect(heard.join()).toContain("overflow");
    expect(other.decide(ask("tier:tactical fs.write path:/srv/a")).effect).toBe("allow");
  });

  test("other folders than the usual", async () => {
    const other = await createAuthority({ cedar, places: { run: "/tmp/a/b/c/d/run", data: "/tmp/a/b/c/d/data" } });
    expect(other.degradation).toBeNull();
    expect(other.decide(ask("tier:tactical fs.write path:/tmp/a/b/c/d/data/work/a")).effect).toBe("allow");
    expect(other.decide(ask("person:anna/admin fs.write path:/tmp/a/b/c/d/data/broker/a")).effect).toBe("deny");
    const odd = await createAuthority({ cedar, places: { run: '/tmp/a"b', data: "/tmp/a/b/c/d/data" } });
    expect(odd.degradation).toContain("cannot stand in a policy");
  });
});

/** The same question, asked of all policies at once with everything that is known, by the stateless interface. */
async function reference(): Promise<(question: Question, approved: boolean) => string> {
  const { policies } = await loadPolicies(() => cedar, policy_files);
  cedar.preparsePolicySet("reference", { staticPolicies: Object.fromEntries(policies.map(({ name, json }) => [name, json])) });
  return (question, approved) => {
    const [resource] = question.resources;
    if (resource === undefined) throw new Error("the question names no resource");
    const subject = { principal: question.principal, role: question.role };
    const asked = { subject, named: namedSubject(subject), action: namedAction(question), resource, entity: resourceEntity(resource) };
    const answer = cedar.statefulIsAuthorized({
      ...cedarQuestion(asked, contextOf(question, resource, approved), null),
      preparsedPolicySetId: "reference",
    });
    if (answer.type === "failure") throw new Error(answer.errors.map((one) => one.message).join());
    expect(answer.response.diagnostics.errors).toEqual([]);
    return answer.response.decision;
  };
}

/** A Cedar that counts its questions. */
function counter() {
  let asked = 0;
  const counting: typeof cedar = {
    ...cedar,
    statefulIsAuthorized(call) {
      asked += 1;
      return cedar.statefulIsAuthorized(call);
    },
  };
  const times = (decide: () => string): [effect: string, times: number] => {
    asked = 0;
    return [decide(), asked];
  };
  return { counting, times };
}

test("what no approval changes is asked once, anything else that is refused twice", async () => {
  const { counting, times: timesOf } = counter();
  const counted = await createAuthority({ cedar: counting, agents });
  const times = (line: string) => timesOf(() => counted.decide(ask(line)).effect);
  expect(times("tier:tactical fs.write path:/var/lib/aios/broker/a")).toEqual(["deny", 1]);
  expect(times("tier:tactical fs.write path:/etc/hosts")).toEqual(["approval", 2]);
  expect(times("tier:tactical fs.remove path:/srv/www/b delete tainted")).toEqual(["approval", 2]);
});

test("resources that no policy tells apart are one question: of a file below a granted folder only the image's policies ask again", async () => {
  const { counting, times: timesOf } = counter();
  const scope = Scope.parse({ tools: ["fs.write"], resources: [{ kind: "path", id: "/data/a" }] });
  const grant: Grant = {
    ...{ id: "grant-1", principal: "tier:tactical", scope, reason: "a test", granted_by: "person:anna", created_ms: 0, expires_ms: 5000 },
    ...{ revoked_ms: null, calls_used: 0, state: "active" },
  };
  const held = [{ grant, granter_role: "operator" as const }];
  const granted = await createAuthority({ cedar: counting, agents, grants: { of: () => held, all: () => held } });
  const times = (line: string, now_ms: number) => {
    const question = ask(line);
    return timesOf(() => granted.decide({ ...question, context: { ...question.context, now_ms } }).effect);
  };
  expect(times("tier:tactical fs.write path:/data/a/1", 1000)).toEqual(["allow", 3]);
  // for the caller and for who gave it, whose policies speak of names
  expect(times("tier:tactical fs.write path:/data/a/2", 1001)).toEqual(["allow", 2]);
  // the folder itself is named by the grant, and another is not in it
  expect(times("tier:tactical fs.write path:/data/a", 1002)[0]).toBe("allow");
  expect(times("tier:tactical fs.write path:/data/b/1", 1003)[0]).toBe("approval");
  expect(times("tier:tactical fs.write path:/data/a/3", 5000)[0]).toBe("approval");
});

test("leaving out what cannot matter changes no answer", async () => {
  const whole = await reference();
  const folders = [
    "/srv",
    "/srv2",
    "/etc",
    "/etc/ssl/private",
    "/proc/1",
    "/dev",
    "/sys",
    "/var/lib/aios/work",
    "/var/lib/aios/broker",
    "/var/lib/aios/memory",
    "/usr",
    "/root/.ssh",
    "/run/aios/x",
  ];
  const names = ["a", "mem", "shadow", "environ", "*", 'q"uote', "root", "ssh_host_rsa_key"];
  const path_resource = fc
    .record({
      folder: fc.constantFrom(...folders),
      names: fc.array(fc.constantFrom(...names), { maxLength: 3 }),
      access: fc.constantFrom("read", "write", "delete", "execute"),
      attributes: fc.record(
        {
          type: fc.constantFrom("file", "directory", "fifo", "block-device"),
          links: fc.integer({ min: 1, max: 3 }),
          setuid: fc.boolean(),
          recursive: fc.boolean(),
          mode: fc.integer({ min: 0, max: 4095 }),
          allow_setuid: fc.boolean(),
          alias_of: fc.constantFrom("/var/lib/aios/broker/x", "/srv/y"),
          size_bytes: fc.nat(),
        },
        { requiredKeys: [] },
      ),
    })
    .map(
      ({ folder, names: below, access, attributes }): Resource =>
        path([folder, ...below].join("/"), access as "read", attributes as Resource["attributes"]),
    );
  const other_resource = fc
    .record({
      kind: fc.constantFrom("service", "process", "package", "secret", "system", "timer", "principal"),
      id: fc.constantFrom("web", "broker", "1", "tier:tactical", "agent:web-setup"),
      access: fc.constantFrom("read", "write", "delete", "execute"),
      owner: fc.constantFrom("tier:tactical", "person:anna", null),
    })
    .map(({ kind, id, access, owner }): Resource => {
      const has_owner = owner !== null && kind !== "package" && kind !== "system" && kind !== "process" && kind !== "timer";
      return { kind, id, access, attributes: has_owner ? { owner } : {} } as Resource;
    });
  const question = fc.record({
    who: fc.constantFrom(
      "tier:reactive",
      "tier:operational",
      "tier:tactical",
      "tier:strategic",
      "person:bob/observer",
      "person:anna/operator",
      "person:eve/admin",
      "system",
    ),
    tool: fc.constantFrom(...tool_names.keys()),
    risk: fc.constantFrom(...risks),
    resource: fc.oneof(path_resource, other_resource),
    tainted: fc.boolean(),
    calls: fc.constantFrom(0, 3000),
  });
  fc.assert(
    fc.property(question, ({ who, tool, risk, resource, tainted, calls }) => {
      const asked = ask(`${who} ${tool} path:/x`, { risk, resources: [resource] });
      const full = { ...asked, context: { ...asked.context, tainted, calls_last_hour: calls } };
      const expected = whole(full, false) === "allow" ? "allow" : whole(full, true) === "allow" ? "approval" : "deny";
      expect(authority.decide(full).effect).toBe(expected as "allow");
    }),
    { numRuns: 600 },
  );
}, 120_000);

test("a tier that only looks asks the same question again, however often it has looked", async () => {
  let evaluated = 0;
  const statefulIsAuthorized: typeof cedar.statefulIsAuthorized = (call) => {
    evaluated += 1;
    return cedar.statefulIsAuthorized(call);
  };
  const counting = await createAuthority({ cedar: { ...cedar, statefulIsAuthorized }, agents });
  const asked = ask("tier:reactive process.list process:*", { risk: "observe" });
  evaluated = 0; // the policies' own examples are asked at the start
  for (const calls_last_hour of [0, 99, 100, 2999, 3000, 9000])
    expect(counting.decide({ ...asked, context: { ...asked.context, calls_last_hour } }).effect).toBe("allow");
  expect(evaluated).toBe(1);
});

test("whatever is asked, it answers", () => {
  const anything = fc.record({
    principal: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("tier:tactical", "person:anna")),
    role: fc.constantFrom(null, "admin", "observer"),
    owner: fc.constantFrom(null, "tier:tactical"),
    tool: fc.oneof(fc.string(), fc.constantFrom("fs.write", "sys.info")),
    risk: fc.constantFrom("observe", "irreversible"),
    resources: fc.array(
      fc.record({
        kind: fc.constantFrom("path", "service", "secret", "system"),
        id: fc.oneof(fc.string({ unit: "binary", maxLength: 100 }), fc.webPath()),
        access: fc.constantFrom("read", "write"),
        attributes: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double(), fc.boolean()), { maxKeys: 3 }),
      }),
      { maxLength: 4 },
    ),
    context: fc.record({
      tainted: fc.boolean(),
      calls_last_hour: fc.double(),
      cost_today_usd: fc.double(),
      now_ms: fc.double(),
      approved: fc.boolean(),
    }),
  });
  const before = reports.length;
  fc.assert(
    fc.property(anything, (question) => {
      expect(["allow", "approval", "deny"]).toContain(authority.decide(question as Question).effect);
    }),
    { numRuns: 500 },
  );
  expect(reports.slice(before)).toEqual([]);
}, 60_000);
