/** The shop's database: a real one, which the service uses. */

import { Database } from "bun:sqlite";
import { closeSync, openSync, statSync, writeSync } from "node:fs";

const goods = 2000;

export function makeDatabase(path: string): void {
  const database = new Database(path, { create: true });
  database.run("CREATE TABLE goods (name TEXT, price INTEGER)");
  const insert = database.prepare("INSERT INTO goods VALUES (?, ?)");
  database.transaction(() => {
    for (let n = 0; n < goods; n += 1) insert.run(`article ${n} in its box`, n % 100);
  })();
  database.close();
}

/** @returns whether SQLite finds it whole, with all that was in it */
export function isWhole(path: string): boolean {
  try {
    const database = new Database(path, { readonly: true });
    try {
      const [check] = database.query<{ quick_check: string }, []>("PRAGMA quick_check").all();
      const [count] = database.query<{ n: number }, []>("SELECT count(*) AS n FROM goods").all();
      return check?.quick_check === "ok" && count?.n === goods;
    } finally {
      database.close();
    }
  } catch {
    return false;
  }
}

/** As a broken disk does: whole pages of something else in the middle. */
export function damage(path: string): void {
  const fd = openSync(path, "r+");
  try {
    const rubbish = Buffer.alloc(4096, 0xa5);
    for (let at = 4096; at < statSync(path).size; at += 4096) writeSync(fd, rubbish, 0, rubbish.length, at);
  } finally {
    closeSync(fd);
  }
}
