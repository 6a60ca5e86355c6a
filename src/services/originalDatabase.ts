/**
 * The database of an original agent, read and never written: not a byte of it changes, so whoever goes back finds it as it
 * was. A journal that a power cut left would have to be played back, which writes; so a copy is read then.
 */
import { copyFileSync, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentError } from "../model/errors.ts";
import { ordersIn, type Taken } from "../model/takenOver.ts";

const FILE = "reagent.db";
/** As many apps as a device may have; a longer list is no such table. */
const MOST = 10_000;

/** undefined: there is none. @throws {AgentError} storage_failed for one that cannot be read. */
export function readOriginal(home: string): Taken | undefined {
  const path = join(home, FILE);
  if (!existsSync(path)) return undefined;
  const isHot = (statSync(`${path}-journal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  try {
    return isHot ? readCopy(path) : ordersIn(rowsIn(path));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new AgentError("storage_failed", `the original agent's ${FILE} cannot be taken over: ${words}`, {
      cause: error,
    });
  }
}

function readCopy(path: string): Taken {
  const copy = `${path}.copy`;
  try {
    for (const ending of ["", "-journal"]) copyFileSync(path + ending, copy + ending);
    return ordersIn(rowsIn(copy, false));
  } finally {
    for (const ending of ["", "-journal"]) rmSync(copy + ending, { force: true });
  }
}

function rowsIn(path: string, readOnly = true) {
  const database = new DatabaseSync(path, { readOnly, timeout: 2_000 });
  try {
    return database.prepare("SELECT * FROM RequestedAppStates ORDER BY id LIMIT ?").all(MOST);
  } finally {
    database.close();
  }
}
