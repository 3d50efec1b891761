// Databases: closed, so that nothing is left to recover.

import { files, type Subject } from "./subject.ts";

const noJournal = (name: string) => (ended: Parameters<typeof files>[0]) =>
  !files(ended).includes(`${name}-wal`);

export const databases: Subject[] = [
  {
    packages: ["node:sqlite"],
    releases: "the database is closed, its log is merged",
    isReleased: noJournal("app.db"),
    program: `
      import { DatabaseSync } from "node:sqlite";
      const db = new DatabaseSync("app.db");
      db.exec("PRAGMA journal_mode = wal; CREATE TABLE notes (text); INSERT INTO notes VALUES ('one')");
      atEnd(async () => { db.exec("INSERT INTO notes VALUES ('last')"); db.close(); return !db.isOpen; });`,
    not: { bun: "there is no such module" },
  },
  {
    packages: ["better-sqlite3@13.2.0"],
    releases: "the database is closed, its log is merged",
    isReleased: noJournal("app.db"),
    program: `
      import Database from "better-sqlite3";
      const db = new Database("app.db");
      db.pragma("journal_mode = WAL");
      db.exec("CREATE TABLE notes (text)");
      db.prepare("INSERT INTO notes VALUES (?)").run("one");
      atEnd(async () => { db.exec("INSERT INTO notes VALUES ('last')"); db.close(); return !db.open; });`,
  },
  {
    packages: ["@electric-sql/pglite@0.5.17"],
    releases: "the last row is written, the database is closed",
    prepare: `
      import { PGlite } from "@electric-sql/pglite";
      const db = await PGlite.create("prepared-pglite");
      await db.exec("CREATE TABLE notes (text text)");
      await db.close();`,
    program: `
      import { PGlite } from "@electric-sql/pglite";
      import { cpSync } from "node:fs";
      cpSync(new URL("../prepared-pglite", import.meta.url), "data", { recursive: true });
      const db = await PGlite.create("data");
      atEnd(async () => {
        await db.query("INSERT INTO notes VALUES ($1)", ["last"]);
        await db.close();
        return db.closed;
      });`,
  },
  {
    packages: ["@libsql/client@0.18.0"],
    releases: "the last row is written, the client is closed",
    program: `
      import { createClient } from "@libsql/client";
      const client = createClient({ url: "file:app.db" });
      await client.execute("CREATE TABLE notes (text)");
      atEnd(async () => {
        await client.execute("INSERT INTO notes VALUES ('last')");
        const { rows } = await client.execute("SELECT * FROM notes");
        client.close();
        return client.closed && rows.length === 1;
      });`,
  },
  {
    packages: ["level@10.0.0"],
    releases: "the last value is written, the database is closed",
    program: `
      import { Level } from "level";
      const db = new Level("data");
      await db.put("one", "1");
      atEnd(async () => { await db.put("last", "2"); await db.close(); return db.status === "closed"; });`,
  },
  {
    packages: ["ioredis@6.0.0"],
    needs: "redis",
    releases: "the last value is written, the connection has ended",
    program: `
      import { Redis } from "ioredis";
      const client = new Redis(process.env.PACKAGES_REDIS);
      await client.set("one", "1");
      atEnd(async () => {
        await client.set("last", "2");
        const ended = once(client, "end");
        await client.quit();
        await ended;
        return client.status === "end";
      });`,
  },
  {
    packages: ["redis@6.3.1"],
    needs: "redis",
    releases: "the last value is written, also after `unref()`",
    program: `
      import { createClient } from "redis";
      const client = await createClient({ url: process.env.PACKAGES_REDIS }).connect();
      client.unref();
      atEnd(async () => { await client.set("last", "2"); await client.close(); return !client.isOpen; });`,
  },
  {
    packages: ["pg@8.23.1"],
    needs: "postgres",
    releases: "the last row is written, the pool has ended",
    program: `
      import pg from "pg";
      const pool = new pg.Pool({ connectionString: process.env.PACKAGES_POSTGRES });
      await pool.query("CREATE TABLE IF NOT EXISTS notes (text text)");
      atEnd(async () => {
        await pool.query("INSERT INTO notes VALUES ($1)", ["last"]);
        await pool.end();
        return pool.ended;
      });`,
  },
];
