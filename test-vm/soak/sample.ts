/** What is measured of a running system: each of its processes, and what it has stored. */

import { Database } from "bun:sqlite";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Ours } from "../faults/ours/system.ts";

export interface Measure {
  /** `memory pss_mib`, `data files`, `audit rows`. */
  readonly name: string;
  readonly value: number;
  /** Another one is another series: a process that was started anew begins at nothing. */
  readonly of: string;
}

/** Processes of the system itself by their role; services under test end and begin. */
const roles = ["init", "broker", "memory", "reactive", "operational", "tactical", "strategic", "console", "embed", "think"];
const mib = 1024 * 1024;

export function sample(ours: Ours): Measure[] {
  return [...processes(ours), ...stored(ours)];
}

function processes({ container }: Ours): Measure[] {
  const found: Measure[] = [];
  const seen = new Map<string, number>();
  const all = container.processes().map((one) => ({ ...one, role: roleOf(one.pid) }));
  for (const { pid, ppid, pids, role } of all) {
    // a child that has not become its program yet looks like its parent
    if (role === null || all.some((other) => other.pid === ppid && other.role === role)) continue;
    const times = (seen.get(role) ?? 0) + 1;
    seen.set(role, times);
    const name = times === 1 ? role : `${role} ${times}`;
    const of = `process ${pids.at(-1) ?? pid}`;
    for (const [what, value] of [
      ["pss_mib", kept(pid, "Pss")],
      ["anon_mib", kept(pid, "Pss_Anon")],
      ["descriptors", entries(`/proc/${pid}/fd`)],
      ["threads", entries(`/proc/${pid}/task`)],
    ] as const)
      if (value !== null) found.push({ name: `${name} ${what}`, value, of });
  }
  return [...found, { name: "processes", value: all.length, of: "system" }];
}

function roleOf(pid: number): string | null {
  const [program = "", role = ""] = text(`/proc/${pid}/cmdline`).split("\0");
  return /(^|\/)aios$/.test(program) && roles.includes(role) ? role : null;
}

/** proc_pid_smaps(5): each page shared by n processes counts for one n-th; `Pss_Anon` leaves out pages of files, which are a cache. */
function kept(pid: number, field: "Pss" | "Pss_Anon"): number | null {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text(`/proc/${pid}/smaps_rollup`))?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

function entries(folder: string): number | null {
  try {
    return readdirSync(folder).length;
  } catch {
    return null;
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function stored({ disk }: Ours): Measure[] {
  const { files, bytes } = sizeOf(disk);
  return [
    { name: "data files", value: files, of: "system" },
    { name: "data mib", value: bytes / mib, of: "system" },
    ...rowsOf("memory", join(disk, "memory/memory.db")),
    ...rowsOf("audit", join(disk, "broker/audit.db")),
  ];
}

function sizeOf(folder: string): { readonly files: number; readonly bytes: number } {
  let [files, bytes] = [0, 0];
  const folders = [folder];
  for (const at of folders)
    for (const entry of list(at)) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else {
        files += 1;
        bytes += lengthOf(path);
      }
    }
  return { files, bytes };
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // gone meanwhile
  }
}

function lengthOf(path: string): number {
  try {
    return lstatSync(path).blocks * 512;
  } catch {
    return 0;
  }
}

/** All rows of all tables: what is remembered grows with what happens, and is judged by how fast. */
function rowsOf(name: string, path: string): Measure[] {
  try {
    const database = new Database(path, { readonly: true });
    try {
      const tables = database
        .query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
        .all();
      const rows = tables.reduce((sum, table) => sum + count(database, table.name), 0);
      return [{ name: `${name} rows`, value: rows, of: "system" }];
    } finally {
      database.close();
    }
  } catch {
    return [];
  }
}

function count(database: Database, table: string): number {
  return database.query<{ n: number }, []>(`SELECT count(*) AS n FROM "${table.replaceAll('"', '""')}"`).get()?.n ?? 0;
}
