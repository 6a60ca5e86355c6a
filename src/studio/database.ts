/** The studio's one SQLite file, for its owner only, and for one studio at a time: opening, tables, settings. */
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentError } from "../model/errors.ts";

const VERSION = 1;
const TABLES = `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE devices (
    device_key INTEGER PRIMARY KEY AUTOINCREMENT, serial TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
    swarm_key INTEGER NOT NULL, swarm_name TEXT NOT NULL, owner TEXT NOT NULL, architecture TEXT NOT NULL,
    secret TEXT NOT NULL, cred_key TEXT NOT NULL, registry TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'DISCONNECTED', session INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE apps (app_key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE releases (
    release_key INTEGER PRIMARY KEY AUTOINCREMENT, app_key INTEGER NOT NULL REFERENCES apps, version TEXT NOT NULL,
    UNIQUE (app_key, version)) STRICT;
  CREATE TABLE desired (
    device_key INTEGER NOT NULL REFERENCES devices, app_key INTEGER NOT NULL REFERENCES apps,
    stage TEXT NOT NULL DEFAULT 'PROD', target TEXT NOT NULL, release_key INTEGER NOT NULL REFERENCES releases,
    requestor INTEGER NOT NULL, PRIMARY KEY (device_key, app_key, stage)) STRICT;
  CREATE TABLE reported (
    device_key INTEGER NOT NULL REFERENCES devices, app_key INTEGER NOT NULL REFERENCES apps,
    stage TEXT NOT NULL, state TEXT NOT NULL, release_key INTEGER NOT NULL, update_status TEXT NOT NULL,
    at TEXT NOT NULL, PRIMARY KEY (device_key, app_key, stage)) STRICT;
`;

/** @throws {AgentError} studio_refused: another studio has it, a newer one made it, or the folder is not ours to write. */
export function openDatabase(folder: string): DatabaseSync {
  const path = join(folder, "studio.db");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw new AgentError("studio_refused", `${path} cannot be written: ${String(error)}`, { cause: error });
  }
  const database = new DatabaseSync(path);
  try {
    prepare(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** With exclusive locking, the first write locks the file for as long as this process lives, and no longer. */
function prepare(database: DatabaseSync, path: string): void {
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    database.exec("BEGIN EXCLUSIVE; COMMIT");
  } catch (error) {
    throw new AgentError("studio_refused", `${path} is in use by another studio, or damaged: ${String(error)}`);
  }
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (found > VERSION) throw new AgentError("studio_refused", `${path} is of a newer version (${found})`);
  if (found === 0) database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${VERSION}; COMMIT`);
}

export const settingIn = (database: DatabaseSync, name: string): string | undefined => {
  const value = database.prepare("SELECT value FROM settings WHERE name = ?").get(name)?.["value"];
  return typeof value === "string" ? value : undefined;
};

export const keepSetting = (database: DatabaseSync, name: string, value: string): void => {
  database.prepare("INSERT OR REPLACE INTO settings VALUES (?, ?)").run(name, value);
};
