/**
 * A SQLite file that may be damaged, full or away. Damage is found before anything is written, and the file is then set
 * aside, never deleted; a full disk is no damage and passes (measured with SQLite 3.53 of Node 24).
 */
import { closeSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { storageFailed } from "../model/storageFailed.ts";

export interface OpenDatabase {
  readonly database: DatabaseSync;
  /** What the damaged one is called now, if there was one. */
  readonly setAside: string | undefined;
}

/** SQLITE_CORRUPT, SQLITE_NOTADB. All others pass or are somebody else's business. */
const DAMAGED = [11, 26];

/** SQLITE_IOERR, SQLITE_FULL: what a full disk makes of the 32 KiB of -shm. */
const NO_ROOM = [10, 13];

/** Where the index of its log is: in a file, so that others can look at the database too, or in memory, where a full disk has no room for that. */
type Locking = "NORMAL" | "EXCLUSIVE";

/** Opens it durable (each write is on disk when it returns) and for the owner alone. @throws {AgentError} storage_failed */
export function openDatabase(path: string, schema: string, now: number): OpenDatabase {
  try {
    const database = withRoomOrNot((locking) => healthy(locking, path, schema));
    if (database) return { database, setAside: undefined };
    const setAside = putAside(path, now);
    return { database: withRoomOrNot((locking) => opened(locking, path, schema)), setAside };
  } catch (error) {
    throw storageFailed(error);
  }
}

function withRoomOrNot<Opened>(openAs: (locking: Locking) => Opened): Opened {
  try {
    return openAs("NORMAL");
  } catch (error) {
    if (!NO_ROOM.includes(codeOf(error))) throw error;
    return openAs("EXCLUSIVE");
  }
}

function healthy(locking: Locking, path: string, schema: string): DatabaseSync | undefined {
  try {
    return opened(locking, path, schema, (database) => {
      const [found] = database.prepare("PRAGMA quick_check(1)").all() as { quick_check?: string }[];
      if (found?.quick_check !== "ok") throw Object.assign(new Error(found?.quick_check), { errcode: DAMAGED[0] });
    });
  } catch (error) {
    if (!DAMAGED.includes(codeOf(error))) throw error;
    return undefined;
  }
}

/**
 * The mode is there before the first byte is; SQLite gives its -wal and -shm the same.
 *
 * @param check before anything is written
 */
function opened(
  locking: Locking,
  path: string,
  schema: string,
  check?: (database: DatabaseSync) => void,
): DatabaseSync {
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 2_000 });
  try {
    database.exec(`PRAGMA locking_mode = ${locking}`);
    check?.(database);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${schema}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Only the newest damaged file is kept. */
function putAside(path: string, now: number): string {
  const folder = dirname(path);
  const older = readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.corrupt-`));
  for (const name of older) rmSync(join(folder, name), { recursive: true, force: true });
  const aside = `${path}.corrupt-${now}`;
  for (const ending of ["", "-wal", "-shm"]) {
    if (statSync(path + ending, { throwIfNoEntry: false })) renameSync(path + ending, aside + ending);
  }
  return aside;
}

function codeOf(error: unknown): number {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : 0;
}
