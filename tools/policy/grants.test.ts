import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Principal, Resource } from "../../contracts/tool.ts";
import { settle_ms } from "./grants.ts";
import { newGrant, type PermissionRig, permissionRig } from "./testing/permission.ts";
import { ask, path } from "./testing/questions.ts";

let rig: PermissionRig;
beforeAll(async () => {
  rig = await permissionRig();
  expect(rig.permission.degradation).toBeNull();
}, 60_000);
afterAll(() => rig.close());
beforeEach(() => {
  rig.now_ms = 1000;
  rig.db.exec("DELETE FROM grants; DELETE FROM agents");
  rig.permission.stores.grants.reload();
  for (const { name } of rig.permission.agents()) rig.permission.stores.agents.release(name, 1000);
});

const verdict = (line: string, now_ms = 1000, resources?: readonly Resource[]) => {
  const question = ask(line);
  return rig.permission.authority.decide({ ...question, ...(resources && { resources }), context: { ...question.context, now_ms } });
};
const effect = (line: string, now_ms = 1000) => verdict(line, now_ms).effect;
const give = (principal: Principal, change: Parameters<typeof newGrant>[1] = {}) =>
  rig.permission.stores.grants.create(newGrant(principal, change), rig.now_ms);
const line = "tier:operational fs.write path:/data/a";

describe("a grant", () => {
  test("permits what it names, to whom it names, and nothing else", () => {
    expect(effect(line)).toBe("deny");
    const { id } = give("tier:operational");
    expect(verdict(line)).toMatchObject({ effect: "allow", policies: [id], uses_grants: [] });
    expect(effect("tier:operational fs.write path:/data")).toBe("allow");
    expect(effect("tier:operational fs.write path:/data2/a")).toBe("deny");
    expect(effect("tier:operational fs.write path:/dat")).toBe("deny");
    expect(effect("tier:operational fs.edit path:/data/a")).toBe("deny");
    expect(effect("tier:reactive fs.write path:/data/a")).toBe("deny");
    expect(effect("tier:operational fs.write path:/data/a compensable")).toBe("deny");
    expect(effect("tier:operational fs.write service:/data")).toBe("deny");
  });

  test("of a family, of a whole kind, of one by name", () => {
    give("tier:operational", { scope: { tools: ["service.*"], resources: [{ kind: "service", id: "web" }], risk: "compensable" } });
    expect(effect("tier:operational service.restart service:web")).toBe("allow");
    expect(effect("tier:operational service.restart service:web2")).toBe("deny");
    give("tier:operational", { scope: { tools: ["service.stop"], resources: [{ kind: "service", id: "*" }], risk: "compensable" } });
    expect(effect("tier:operational service.stop service:db")).toBe("allow");
    expect(effect("tier:operational service.stop service:broker")).toBe("deny");
    expect(effect("tier:operational service.stop path:/data/a compensable")).toBe("deny");
  });

  test("has to reach every resource of a call; two grants may do it together", () => {
    give("tier:operational");
    const both = [path("/data/a"), path("/more/b")];
    expect(verdict(line, 1000, both).effect).toBe("deny");
    const { id } = give("tier:operational", { scope: { resources: [{ kind: "path", id: "/more" }], calls_max: 1 } });
    expect(verdict(line, 1000, both)).toMatchObject({ effect: "allow", uses_grants: [id] });
  });

  test("ends at its time without anybody doing anything, and stays ended when the clock goes back", () => {
    give("tier:operational", { expires_ms: 5000 });
    expect(effect(line, 4999)).toBe("allow");
    expect(effect(line, 5000)).toBe("deny");
    rig.steady_ms += settle_ms;
    expect(effect(line, 5001)).toBe("deny");
    expect(effect(line, 4000)).toBe("deny");
    expect(rig.permission.grants(true)).toMatchObject([{ state: "expired" }]);
    expect(() => give("tier:operational", { expires_ms: 1000 })).toThrow("in the past");
  });

  test("is out of force while the clock is wrong, and in force again when it is right, unless that took long", () => {
    const { id } = give("tier:operational", { expires_ms: 5000, scope: { calls_max: 9 } });
    for (const _ of [1, 2]) {
      rig.now_ms = 1e12;
      expect(effect(line, rig.now_ms)).toBe("deny");
      expect(rig.permission.grants(false)).toEqual([]);
      expect(rig.permission.grants(true)).toMatchObject([{ id, state: "expired" }]);
      expect(() => rig.permission.spend([id])).toThrow("has ended");
      rig.steady_ms += settle_ms - 1;
      expect(effect(line, rig.now_ms)).toBe("deny");
      rig.now_ms = 1000;
      expect(effect(line)).toBe("allow");
      expect(rig.permission.grants(false)).toMatchObject([{ id, state: "active", calls_used: 0 }]);
      rig.steady_ms += 1;
    }
  });

  test("that is revoked ends at once, and given back begins at once", () => {
    const { id } = give("tier:operational");
    expect(rig.permission.stores.grants.revoke(id, 1001)).toBe(true);
    expect(rig.permission.stores.grants.revoke(id, 1002)).toBe(false);
    expect(effect(line)).toBe("deny");
    expect(rig.permission.grants(false)).toEqual([]);
    rig.permission.stores.grants.restore(id);
    expect(effect(line)).toBe("allow");
    expect(() => rig.permission.stores.grants.revoke("grant-999", 1)).toThrow("there is none");
  });

  test("for a number of calls is good for so many, whoever is quicker", () => {
    const { id } = give("tier:operational", { scope: { calls_max: 2 } });
    expect(verdict(line)).toMatchObject({ effect: "allow", uses_grants: [id] });
    rig.permission.spend([id]);
    expect(verdict(line)).toMatchObject({ effect: "allow", uses_grants: [id] });
    rig.permission.spend([id]);
    expect(effect(line)).toBe("deny");
    expect(() => rig.permission.spend([id])).toThrow("used up");
    expect(rig.permission.grants(true)).toMatchObject([{ state: "used-up", calls_used: 2 }]);
  });

  test("without a number is used before one with", () => {
    const counted = give("tier:operational", { scope: { calls_max: 2 } });
    expect(verdict(line).uses_grants).toEqual([counted.id]);
    give("tier:operational");
    expect(verdict(line).uses_grants).toEqual([]);
  });

  test("all or none are spent", () => {
    const [one, two] = [give("tier:operational", { scope: { calls_max: 1 } }), give("tier:operational", { scope: { calls_max: 1 } })];
    rig.permission.spend([two.id]);
    expect(() => rig.permission.spend([one.id, two.id])).toThrow(two.id);
    expect(rig.permission.grants(false)).toMatchObject([{ id: one.id, calls_used: 0 }]);
    expect(verdict(line).uses_grants).toEqual([one.id]);
  });

  test("survives a restart, with everything that is known of it", async () => {
    const kept = give("tier:operational", { scope: { calls_max: 3 } });
    rig.permission.spend([kept.id]);
    const revoked = give("tier:operational");
    rig.permission.stores.grants.revoke(revoked.id, 2000);
    const other = await rig.again();
    try {
      expect(other.permission.grants(true)).toEqual(rig.permission.grants(true));
      expect(other.permission.authority.decide(ask(line)).policies).toEqual([kept.id]);
    } finally {
      other.db.close();
    }
  });

  test("is listed as the policy that it is", () => {
    give("tier:operational", { reason: "nightly copies" });
    const policies = rig.permission.policies();
    expect(policies.filter(({ source }) => source === "image").length).toBeGreaterThan(30);
    const [listed] = policies.filter(({ source }) => source === "grant");
    expect(listed).toMatchObject({ effect: "permit", reason: "nightly copies" });
    expect(listed?.text).toContain('resource in Path::"/data"');
  });
});

describe("a forbid stands above every grant", () => {
  const protected_lines = [
    "tier:tactical fs.write path:/var/lib/aios/broker/audit.db",
    "tier:tactical fs.read path:/etc/shadow",
    "tier:tactical fs.read path:/proc/1/mem",
    "tier:tactical fs.read path:/dev/vda type=block-device",
    "tier:tactical fs.chmod path:/data/a allow_setuid=true",
    "tier:tactical fs.write path:/data/a type=file links=2",
    "tier:tactical sec.grant principal:tier:tactical",
    "tier:tactical service.stop service:broker",
    "tier:tactical fs.read secret:db-password",
  ];
  test.each(protected_lines)("%s", (forbidden) => {
    for (const kind of ["path", "principal", "service", "secret"])
      give("tier:tactical", {
        granted_by: "person:eve",
        granter_role: "admin",
        scope: { tools: ["fs.*", "sec.*", "service.*"], resources: [{ kind, id: kind === "path" ? "/" : "*" }], risk: "irreversible" },
      });
    expect(effect("tier:tactical fs.write path:/home/x")).toBe("allow");
    expect(verdict(forbidden)).toMatchObject({ effect: "deny", uses_grants: [] });
    expect(verdict(forbidden).reason).toContain("neither a grant nor an approval");
  });

  test("what only an approval lifts, a grant does not", () => {
    give("tier:tactical", { scope: { tools: ["fs.remove"], resources: [{ kind: "path", id: "/data" }] } });
    expect(effect("tier:tactical fs.remove path:/data/a delete")).toBe("allow");
    expect(effect("tier:tactical fs.remove path:/data/a delete tainted")).toBe("approval");
    expect(effect("tier:tactical fs.remove path:/data/a delete tainted approved")).toBe("allow");
  });
});

describe("nobody gives more than he has", () => {
  test("an operator's grant of what cannot be taken back is empty, an admin's is not", () => {
    const scope = { tools: ["process.kill"], resources: [{ kind: "process", id: "*" }], risk: "irreversible" };
    const kill = "tier:operational process.kill process:4711";
    give("tier:operational", { scope });
    expect(effect(kill)).toBe("deny");
    give("tier:operational", { scope, granted_by: "person:eve", granter_role: "admin" });
    expect(effect(kill)).toBe("allow");
  });

  test("an observer's, a tier's to itself or another, and an unknown's are empty", () => {
    for (const change of [
      { granted_by: "person:bob", granter_role: "observer" },
      { granted_by: "person:bob", granter_role: null },
      { granted_by: "tier:operational", granter_role: null },
      { granted_by: "tier:strategic", granter_role: null },
      { granted_by: "system", granter_role: null },
    ] as const) {
      give("tier:operational", change);
      expect(effect(line)).toBe("deny");
    }
  });
});

describe("agents", () => {
  const lease = (name: string, owner: Principal = "tier:tactical", expires_ms = 10_000) =>
    rig.permission.stores.agents.lease({ call: `0000bbbb-call-${name}${expires_ms}`, name, task: "a test", owner, expires_ms }, rig.now_ms);
  const call = "agent:web-setup fs.write path:/srv/www/a by=tier:tactical";

  test("do what both they and their owner may", () => {
    lease("web-setup");
    expect(effect(call)).toBe("deny");
    give("agent:web-setup", { granted_by: "tier:tactical", granter_role: null, scope: { resources: [{ kind: "path", id: "/srv/www" }] } });
    expect(effect(call)).toBe("allow");
    expect(effect("agent:web-setup fs.write path:/srv/db/a by=tier:tactical")).toBe("deny");
    expect(effect("agent:web-setup fs.write path:/srv/www/a by=tier:strategic")).toBe("deny");
    give("agent:web-setup", { scope: { resources: [{ kind: "path", id: "/home" }] } });
    expect(effect("agent:web-setup fs.write path:/home/x by=tier:tactical")).toBe("approval");
  });

  test("a tier gives nothing to another's agent", () => {
    lease("web-setup");
    give("agent:web-setup", { granted_by: "tier:strategic", granter_role: null, scope: { resources: [{ kind: "path", id: "/srv/www" }] } });
    expect(effect(call)).toBe("deny");
  });

  test("end with their lease, and their grants with them", () => {
    lease("web-setup");
    give("agent:web-setup", { scope: { resources: [{ kind: "path", id: "/srv/www" }] } });
    expect(effect(call, 9999)).toBe("allow");
    expect(effect(call, 10_000)).toBe("deny");
    expect(rig.permission.agents()).toEqual([]);
    expect(rig.permission.grants(true)).toMatchObject([{ state: "revoked" }]);
    rig.now_ms = 10_001;
    lease("web-setup", "tier:tactical", 20_000);
    expect(effect(call, 10_002)).toBe("deny");
  });

  test("a name is nobody else's afterwards, and one's own only once at a time", () => {
    lease("web-setup");
    expect(() => lease("web-setup", "tier:tactical", 20_000)).toThrow("there is one of this name");
    rig.permission.stores.agents.release("web-setup", 1001);
    expect(() => lease("web-setup", "tier:strategic", 20_000)).toThrow("has used this name");
    expect(lease("web-setup", "tier:tactical", 30_000).owner).toBe("tier:tactical");
  });

  test("that end by a clock that is wrong take their grants with them, whatever it says later", () => {
    lease("web-setup");
    const { id } = give("agent:web-setup");
    rig.now_ms = 1e12;
    expect(effect(line, rig.now_ms)).toBe("deny");
    rig.now_ms = 1000;
    lease("web-setup", "tier:tactical", 20_000);
    expect(rig.permission.grants(false)).toEqual([]);
    expect(rig.permission.grants(true)).toMatchObject([{ id, state: "revoked" }]);
  });

  test("released and brought back, with their grants", () => {
    const { call: made_by } = lease("web-setup");
    const { id } = give("agent:web-setup", { scope: { resources: [{ kind: "path", id: "/srv/www" }] } });
    expect(rig.permission.stores.agents.release("web-setup", 1001)).toEqual([id]);
    expect(effect(call)).toBe("deny");
    rig.permission.stores.agents.restore("web-setup", made_by, [id]);
    expect(effect(call)).toBe("allow");
  });
});

test("names in grants are only names", () => {
  const evil = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
    fc.constantFrom(
      '"',
      '\\"',
      '"); permit(principal, action, resource); //',
      "}",
      "\\u{0}",
      "*",
      "/*",
      "?resource",
      "\u202e",
      "é",
      "e\u0301",
    ),
  );
  fc.assert(
    fc.property(evil, evil, (name, other) => {
      rig.db.exec("DELETE FROM grants");
      rig.permission.stores.grants.reload();
      if (name === "*" || name === other) return;
      const scope = { tools: ["service.restart"], resources: [{ kind: "service", id: name }], risk: "compensable" };
      give("tier:operational", { scope });
      const asked = (id: string) =>
        verdict("tier:operational service.restart service:x", 1000, [{ kind: "service", id, access: "write", attributes: {} }]);
      const usable = name.isWellFormed() && !name.includes("\0");
      expect(asked(name).effect).toBe(usable ? "allow" : "deny");
      expect(asked(other).effect).toBe("deny");
      expect(asked("web").effect).toBe(name === "web" ? "allow" : "deny");
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("a folder's grant reaches exactly what is in it", () => {
  const name = fc
    .string({ minLength: 1, maxLength: 8 })
    .filter((one) => !/[/\0]/.test(one) && one !== "." && one !== ".." && one.isWellFormed());
  const folder = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => `/home/${names.join("/")}`);
  fc.assert(
    fc.property(folder, folder, (granted, asked) => {
      rig.db.exec("DELETE FROM grants");
      rig.permission.stores.grants.reload();
      give("tier:operational", { scope: { resources: [{ kind: "path", id: granted }] } });
      const is_in = asked === granted || asked.startsWith(`${granted}/`);
      const secret = /\/\.ssh\/|\/etc\//.test(asked);
      if (!secret) expect(verdict(line, 1000, [path(asked)]).effect).toBe(is_in ? "allow" : "deny");
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("a thousand are the most", () => {
  for (let n = 0; n < 1000; n += 1) rig.db.exec(insert(n));
  rig.permission.stores.grants.reload();
  expect(() => give("tier:operational")).toThrow("1000 grants are in force");
}, 60_000);

function insert(n: number): string {
  const scope = JSON.stringify(newGrant("tier:operational").scope);
  return `INSERT INTO grants (call, principal, scope, reason, granted_by, created_ms, expires_ms)
    VALUES ('0000cccc-call-${n}', 'tier:operational', '${scope}', 'x', 'person:anna', 1, 3600000)`;
}
