/**
 * What may be lost without harm: the results of the last runs of each app. Written about once a second, all that came since
 * in one go; a power loss costs that second. A damaged file is set aside and begun anew.
 */
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type AppId, appName } from "../model/app.ts";
import { type Ms, seconds } from "../model/duration.ts";
import { MOST_RUNS, RunRecord } from "../model/runRecord.ts";
import { openDatabase } from "./database.ts";

export interface JournalOptions {
  readonly folder: string;
  readonly now: () => number;
  readonly onProblem: (error: unknown) => void;
  /** Default is 1 s. */
  readonly every?: Ms;
}

const SCHEMA = `
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS runs (
    app TEXT NOT NULL, run TEXT NOT NULL, begin INTEGER NOT NULL, record TEXT NOT NULL, PRIMARY KEY (app, run)
  ) STRICT;
`;

export class Journal {
  /** What the damaged file is called now, if there was one. */
  readonly setAside: string | undefined;
  readonly #options: JournalOptions;
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #trim: StatementSync;
  /** Not on disk yet, by app and run. */
  readonly #fresh = new Map<string, Map<string, RunRecord>>();
  #timer: NodeJS.Timeout | undefined;

  /** @throws {AgentError} storage_failed when there can be no file. */
  constructor(options: JournalOptions) {
    const { database, setAside } = openDatabase(join(options.folder, "journal.db"), SCHEMA, options.now());
    this.#options = options;
    this.setAside = setAside;
    this.#database = database;
    this.#put = database.prepare("INSERT OR REPLACE INTO runs (app, run, begin, record) VALUES (?, ?, ?, ?)");
    this.#trim = database.prepare(
      "DELETE FROM runs WHERE app = ?1 AND run NOT IN (SELECT run FROM runs WHERE app = ?1 ORDER BY begin DESC LIMIT ?2)",
    );
  }

  keep(app: AppId, record: RunRecord): void {
    const name = appName(app);
    this.#fresh.set(name, (this.#fresh.get(name) ?? new Map<string, RunRecord>()).set(record.run, record));
    this.#timer ??= setTimeout(() => this.flush(), this.#options.every ?? seconds(1));
    this.#timer.unref();
  }

  /** Newest first. */
  runs(app: AppId): RunRecord[] {
    this.flush();
    const rows = this.#database.prepare("SELECT record FROM runs WHERE app = ? ORDER BY begin DESC").all(appName(app));
    return rows.flatMap(({ record }) => {
      const parsed = RunRecord.safeParse(JSON.parse(String(record)));
      return parsed.success ? [parsed.data] : [];
    });
  }

  forget(app: AppId): void {
    this.#fresh.delete(appName(app));
    this.#attempt(() => this.#database.prepare("DELETE FROM runs WHERE app = ?").run(appName(app)));
  }

  /** A disk that is full keeps what is fresh in memory until there is room: at most the runs that are kept of each app. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#fresh.size === 0) return;
    this.#attempt(() => {
      this.#database.exec("BEGIN");
      for (const [name, records] of this.#fresh) {
        for (const record of records.values()) this.#put.run(name, record.run, record.begin, JSON.stringify(record));
        this.#trim.run(name, MOST_RUNS);
      }
      this.#database.exec("COMMIT");
      this.#fresh.clear();
    });
    for (const records of this.#fresh.values())
      for (const run of [...records.keys()].slice(0, -MOST_RUNS)) records.delete(run);
  }

  close(): void {
    this.flush();
    this.#database.close();
  }

  #attempt(write: () => unknown): void {
    try {
      write();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#options.onProblem(error);
    }
  }
}
