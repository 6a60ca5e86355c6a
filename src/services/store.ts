/**
 * What must survive: the last order of each app, and what only the agent knows of it. Read once, kept in memory, and on disk
 * before anybody is told. A disk that is full refuses orders; what is remembered is kept in memory and written when there is
 * room again.
 */
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type AppId, type AppReport, appName, type Memory, NOTHING_REMEMBERED } from "../model/app.ts";
import type { AgentError } from "../model/errors.ts";
import { type KeptRow, readRow, rowOf, Untold } from "../model/keptApp.ts";
import { type AppOrder, onTopOf } from "../model/order.ts";
import type { HostPorts } from "../model/portRule.ts";
import type { Problems } from "../model/problem.ts";
import { Secret } from "../model/secret.ts";
import { storageFailed } from "../model/storageFailed.ts";
import { TakenOver } from "../model/takenOver.ts";
import { openDatabase } from "./database.ts";

export interface KeptApp {
  readonly order: AppOrder;
  readonly memory: Memory;
  /** Why it failed last. */
  readonly error?: AgentError | undefined;
}

export interface StoreOptions {
  readonly folder: string;
  readonly now: () => number;
  readonly problems: Problems;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS apps (
    stage TEXT NOT NULL, app_key INTEGER NOT NULL, app TEXT NOT NULL,
    PRIMARY KEY (stage, app_key)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS ports (stage TEXT NOT NULL, app_key INTEGER NOT NULL, ports TEXT NOT NULL, PRIMARY KEY (stage, app_key)) STRICT;
  CREATE TABLE IF NOT EXISTS folders (folder TEXT PRIMARY KEY, app TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT;
`;
const DISK = "disk";
const TAKEN_OVER = "taken over";
const UNTOLD = "untold";
const CREDENTIAL_KEY = "credential key";

export class Store {
  /** What the damaged database is called now, if there was one. */
  readonly setAside: string | undefined;
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #problems: Problems;
  readonly #apps = new Map<string, KeptApp>();
  readonly #ports = new Map<string, HostPorts>();
  /** Apps whose memory is newer than the disk's. */
  readonly #unwritten = new Set<string>();

  /** @throws {AgentError} storage_failed when there can be no database. */
  constructor({ folder, now, problems }: StoreOptions) {
    const { database, setAside } = openDatabase(join(folder, "agent.db"), SCHEMA, now());
    this.setAside = setAside;
    this.#database = database;
    this.#problems = problems;
    this.#put = database.prepare("INSERT OR REPLACE INTO apps (stage, app_key, app) VALUES (?, ?, ?)");
    this.#delete = database.prepare("DELETE FROM apps WHERE stage = ? AND app_key = ?");
    for (const row of database.prepare("SELECT stage, app_key, app FROM apps").all()) this.#read(row);
    for (const { stage, app_key: key, ports } of database.prepare("SELECT stage, app_key, ports FROM ports").all())
      this.#ports.set(`${stage}:${key}`, JSON.parse(String(ports)));
  }

  /** What was taken over from an original, if anything ever was. */
  get takenOver(): TakenOver | undefined {
    const row = this.#database.prepare("SELECT note FROM notes WHERE name = ?").get(TAKEN_OVER);
    return row && TakenOver.parse(JSON.parse(String(row["note"])));
  }

  /** All of it or nothing. @throws {AgentError} storage_failed */
  takeOver(orders: readonly AppOrder[], taken: TakenOver): void {
    this.#transact(() => {
      for (const order of orders) this.#write({ order, memory: NOTHING_REMEMBERED });
      this.#database.prepare("INSERT INTO notes (name, note) VALUES (?, ?)").run(TAKEN_OVER, JSON.stringify(taken));
    });
    for (const order of orders) this.#apps.set(appName(order.app), { order, memory: NOTHING_REMEMBERED });
  }

  apps(): readonly KeptApp[] {
    return [...this.#apps.values()];
  }

  orderOf(app: AppId): AppOrder | undefined {
    return this.#apps.get(appName(app))?.order;
  }

  /**
   * All of them or none, in one write: as durable as one, and a disk that is slow to write is waited for once. What is not
   * named stays what it was. @throws {AgentError} storage_failed; then nothing has changed.
   */
  keepOrders(orders: readonly AppOrder[]): void {
    const changed = new Map<string, KeptApp>();
    for (const asked of orders) {
      const name = appName(asked.app);
      const before = changed.get(name) ?? this.#apps.get(name);
      const kept = { memory: NOTHING_REMEMBERED, ...before, order: onTopOf(asked, before?.order) };
      if (!before || JSON.stringify(rowOf(kept)) !== JSON.stringify(rowOf(before))) changed.set(name, kept);
    }
    if (changed.size === 0) return;
    this.#transact(() => {
      for (const kept of changed.values()) this.#write(kept);
    });
    for (const [name, kept] of changed) {
      this.#apps.set(name, kept);
      this.#unwritten.delete(name);
    }
  }

  /** Durable when it returns, or a problem is shown and it is written with the next thing that can be. */
  keepMemory(app: AppId, memory: Memory, error: AgentError | undefined): void {
    const name = appName(app);
    const before = this.#apps.get(name);
    if (!before) return;
    this.#apps.set(name, { order: before.order, memory, error });
    this.#unwritten.add(name);
    this.#catchUp();
  }

  /** Ports of the host that the app has. */
  portsOf(app: AppId): HostPorts {
    return this.#ports.get(appName(app)) ?? {};
  }

  /** All that any app has. */
  takenPorts(): ReadonlySet<number> {
    return new Set(
      [...this.#ports.values()].flatMap((ports) => Object.values(ports).filter((port) => port !== undefined)),
    );
  }

  /** Durable when it returns. @throws {AgentError} storage_failed */
  keepPorts(app: AppId, ports: HostPorts): void {
    try {
      const put = "INSERT OR REPLACE INTO ports (stage, app_key, ports) VALUES (?, ?, ?)";
      this.#database.prepare(put).run(app.stage, app.key, JSON.stringify(ports));
    } catch (error) {
      throw storageFailed(error);
    }
    this.#ports.set(appName(app), ports);
  }

  /**
   * True: the folder is this app's. The first one has it, for good: its data stay when it is removed. Apps of an original
   * shared theirs, and go on. @throws {AgentError} storage_failed
   */
  claimFolder(folder: string, app: AppId): boolean {
    const name = appName(app);
    if (this.takenOver?.apps.includes(name)) return true;
    try {
      const owner = this.#database.prepare("SELECT app FROM folders WHERE folder = ?").get(folder)?.["app"];
      if (owner === undefined)
        this.#database.prepare("INSERT INTO folders (folder, app) VALUES (?, ?)").run(folder, name);
      return owner === undefined || owner === name;
    } catch (error) {
      throw storageFailed(error);
    }
  }

  /** Its ports and its folder's name are free for others. @throws {AgentError} storage_failed */
  release(app: AppId): void {
    try {
      this.#database.prepare("DELETE FROM ports WHERE stage = ? AND app_key = ?").run(app.stage, app.key);
      this.#database.prepare("DELETE FROM folders WHERE app = ?").run(appName(app));
    } catch (error) {
      throw storageFailed(error);
    }
    this.#ports.delete(appName(app));
  }

  /** Reports that the back end has to hear of, whatever happens to this process. */
  untold(): readonly AppReport[] {
    const row = this.#database.prepare("SELECT note FROM notes WHERE name = ?").get(UNTOLD);
    if (!row) return [];
    return Untold.parse(JSON.parse(String(row["note"]))).map((report) => ({ type: "app.changed", ...report }));
  }

  /** Durable when it returns, or a problem is shown. */
  keepUntold(reports: readonly AppReport[]): void {
    try {
      const kept = reports.map(({ app, state, version, updateStatus }) => ({ app, state, version, updateStatus }));
      this.#note(UNTOLD, JSON.stringify(kept));
      this.#problems.clear(DISK);
    } catch (error) {
      this.#problems.note(DISK, storageFailed(error));
    }
  }

  /** The key that apps' credentials are derived from, once anybody said it. */
  get credentialKey(): Secret | undefined {
    const row = this.#database.prepare("SELECT note FROM notes WHERE name = ?").get(CREDENTIAL_KEY);
    return row && new Secret(String(row["note"]));
  }

  /** @throws {AgentError} storage_failed */
  keepCredentialKey(key: Secret): void {
    try {
      if (this.credentialKey?.reveal() !== key.reveal()) this.#note(CREDENTIAL_KEY, key.reveal());
    } catch (error) {
      throw storageFailed(error);
    }
  }

  #note(name: string, note: string): void {
    this.#database.prepare("INSERT OR REPLACE INTO notes (name, note) VALUES (?, ?)").run(name, note);
  }

  forget(app: AppId): void {
    this.#apps.delete(appName(app));
    this.#ports.delete(appName(app));
    this.#unwritten.delete(appName(app));
    try {
      this.#delete.run(app.stage, app.key);
      this.#database.prepare("DELETE FROM ports WHERE stage = ? AND app_key = ?").run(app.stage, app.key);
      this.#catchUp();
    } catch (error) {
      this.#problems.note(DISK, storageFailed(error));
    }
  }

  /** Writes what is left, if it can. */
  close(): void {
    this.#catchUp();
    this.#database.close();
  }

  /** @throws {AgentError} storage_failed; then nothing of it is written. */
  #transact(write: () => void): void {
    try {
      this.#database.exec("BEGIN");
      write();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw storageFailed(error);
    }
  }

  #catchUp(): void {
    try {
      for (const name of this.#unwritten) {
        const kept = this.#apps.get(name);
        if (kept) this.#write(kept);
        this.#unwritten.delete(name);
      }
      this.#problems.clear(DISK);
    } catch (error) {
      this.#problems.note(DISK, storageFailed(error));
    }
  }

  #write(kept: KeptApp): void {
    const { stage, key } = kept.order.app;
    this.#put.run(stage, key, JSON.stringify(rowOf(kept)));
  }

  /** A row that cannot be read is left where it is: the next order for that app writes over it. */
  #read(row: Record<string, unknown>): void {
    try {
      const kept = readRow(row as unknown as KeptRow);
      this.#apps.set(appName(kept.order.app), kept);
    } catch (error) {
      const about = `store.${String(row["stage"])}:${String(row["app_key"])}`;
      this.#problems.note(about, storageFailed(error));
    }
  }
}
