/**
 * What the studio knows and never forgets: devices, apps with their versions, what is wanted of each app on each device,
 * and what was reported last. Everything is on disk before anybody is told.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Target } from "../model/app.ts";
import { AgentError } from "../model/errors.ts";
import type { AppOverview, AppReport, DeviceName, DeviceStatus, NewApp, NewDevice } from "../model/studio.ts";
import { keepSetting, openDatabase, settingIn } from "./database.ts";

/** One row of the devices. Holds the device's secrets: only for its file, its user on the router, and its own calls. */
export interface DeviceRow extends DeviceName {
  readonly swarmKey: number;
  readonly swarmName: string;
  readonly owner: string;
  readonly architecture: string;
  readonly secret: string;
  readonly credentialKey: string;
  /** `127.0.0.1:5000` */
  readonly registry: string;
  readonly status: DeviceStatus;
  readonly session: number;
}

/** What is wanted of one app on one device, with all that the wire wants to know about it. */
export interface WishRow {
  readonly appKey: number;
  readonly appName: string;
  readonly target: Target;
  readonly version: string;
  readonly newestVersion: string;
  readonly releaseKey: number;
  readonly newestReleaseKey: number;
  readonly requestor: number;
  /** As reported last; REMOVED if never. */
  readonly state: string;
}

const DEVICE = `SELECT device_key deviceKey, serial, name, swarm_key swarmKey, swarm_name swarmName, owner, architecture,
  secret, cred_key credentialKey, registry, status, session FROM devices`;
const WISH = `SELECT a.app_key appKey, a.name appName, d.target, r.version, r.release_key releaseKey, d.requestor,
  n.version newestVersion, n.release_key newestReleaseKey, COALESCE(p.state, 'REMOVED') state
  FROM desired d JOIN apps a USING (app_key) JOIN releases r USING (release_key)
  JOIN releases n ON n.release_key = (SELECT MAX(release_key) FROM releases WHERE app_key = d.app_key)
  LEFT JOIN reported p ON p.device_key = d.device_key AND p.app_key = d.app_key AND p.stage = d.stage
  WHERE d.device_key = ?`;
const OVERVIEW = `SELECT a.name app, a.app_key key, v.name device, v.status, d.target, r.version wanted, p.state, p.at,
  COALESCE(q.version, '') version
  FROM apps a LEFT JOIN devices v ON TRUE LEFT JOIN desired d USING (app_key, device_key)
  LEFT JOIN releases r ON r.release_key = d.release_key
  LEFT JOIN reported p ON p.app_key = a.app_key AND p.device_key = v.device_key AND p.stage = 'PROD'
  LEFT JOIN releases q ON q.release_key = p.release_key ORDER BY v.name, a.name`;
interface OverviewRow {
  readonly app: string;
  readonly key: number;
  readonly device: string | null;
  readonly status: DeviceStatus | null;
  readonly target: Target | null;
  readonly wanted: string | null;
  readonly state: string | null;
  readonly version: string;
  readonly at: string | null;
}
/** There is one swarm. */
const SWARM_KEY = 1;

export class DesiredStates {
  readonly #database: DatabaseSync;

  /** Opens `studio.db` in the folder, which is made. @throws {AgentError} studio_refused */
  constructor(folder: string) {
    this.#database = openDatabase(folder);
  }

  close(): void {
    this.#database.close();
  }

  /** A value that stays the same over restarts: the one that is kept, else the one that is made now. */
  setting(name: string, make: () => string): string {
    const kept = settingIn(this.#database, name);
    if (kept !== undefined) return kept;
    const made = make();
    keepSetting(this.#database, name, made);
    return made;
  }

  keep(name: string, value: string): void {
    keepSetting(this.#database, name, value);
  }

  addDevice(device: NewDevice, registry: string): DeviceRow {
    const { name, swarmName, owner, architecture } = device;
    if (this.device(name)) throw new AgentError("studio_refused", `there is a device ${name} already`);
    const [secret, key] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")];
    this.#run(
      `INSERT INTO devices (serial, name, swarm_key, swarm_name, owner, architecture, secret, cred_key, registry)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[randomUUID(), name, SWARM_KEY, swarmName, owner, architecture, secret, key, registry],
    );
    return this.device(name) as DeviceRow;
  }

  devices(): DeviceRow[] {
    return this.#all<DeviceRow>(`${DEVICE} ORDER BY device_key`);
  }

  /** By name or serial number. */
  device(nameOrSerial: string): DeviceRow | undefined {
    return this.#all<DeviceRow>(`${DEVICE} WHERE name = ? OR serial = ?`, nameOrSerial, nameOrSerial)[0];
  }

  /** By what it calls itself on the router: `<swarm_key>-<device_key>`. */
  deviceOf(authid: string): DeviceRow | undefined {
    return this.#all<DeviceRow>(`${DEVICE} WHERE swarm_key || '-' || device_key = ?`, authid)[0];
  }

  noteStatus({ deviceKey }: DeviceName, status: DeviceStatus, session: number): void {
    this.#run("UPDATE devices SET status = ?, session = ? WHERE device_key = ?", status, session, deviceKey);
  }

  /** An app that is known gets the versions that are new. */
  addApp({ key, name, versions }: NewApp): void {
    const other = this.apps().find((app) => (app.name === name) !== (app.key === key));
    if (other) throw new AgentError("studio_refused", `app ${other.key} is called ${other.name}`);
    this.#together(() => {
      this.#run("INSERT OR IGNORE INTO apps VALUES (?, ?)", key, name);
      for (const version of versions)
        this.#run("INSERT OR IGNORE INTO releases (app_key, version) VALUES (?, ?)", key, version);
    });
  }

  /** With versions, oldest first. */
  apps(): NewApp[] {
    const versions = this.#all<{ key: number; version: string }>(
      "SELECT app_key key, version FROM releases ORDER BY release_key",
    );
    return this.#all<{ key: number; name: string }>("SELECT app_key key, name FROM apps ORDER BY app_key").map(
      (app) => ({
        ...app,
        versions: versions.filter(({ key }) => key === app.key).map(({ version }) => version),
      }),
    );
  }

  /** Without a version it stays the one that was wanted before, else it is the newest. @throws studio_refused */
  desire(device: DeviceName, app: NewApp, target: Target, version: string | undefined, requestor: number): WishRow {
    const before = this.wishes(device).find(({ appKey }) => appKey === app.key);
    const wanted = version ?? before?.version ?? app.versions.at(-1) ?? "";
    if (!app.versions.includes(wanted)) {
      throw new AgentError("studio_refused", `${app.name} has no version ${wanted}, only ${app.versions.join(", ")}`);
    }
    this.#run(
      `INSERT OR REPLACE INTO desired (device_key, app_key, target, requestor, release_key)
        SELECT ?, app_key, ?, ?, release_key FROM releases WHERE app_key = ? AND version = ?`,
      ...[device.deviceKey, target, requestor, app.key, wanted],
    );
    return this.wishes(device).find(({ appKey }) => appKey === app.key) as WishRow;
  }

  wishes({ deviceKey }: DeviceName): WishRow[] {
    return this.#all<WishRow>(`${WISH} ORDER BY a.app_key`, deviceKey);
  }

  /** Of an app that nobody here knows, nothing is kept. */
  noteReport({ deviceKey }: DeviceName, report: AppReport, at: Date): void {
    const { app_key, stage, state, release_key, updateStatus } = report;
    this.#run(
      `INSERT OR REPLACE INTO reported SELECT ?, app_key, ?, ?, ?, ?, ? FROM apps WHERE app_key = ?`,
      ...[deviceKey, stage, state, release_key, updateStatus, at.toISOString(), app_key],
    );
  }

  /** Each app on each device; without a device, each app. */
  overview(): AppOverview[] {
    const versions = new Map(this.apps().map((app) => [app.key, app.versions]));
    return this.#all<OverviewRow>(OVERVIEW).map(({ app, key, device, status, target, wanted, state, version, at }) => ({
      app,
      key,
      versions: versions.get(key) ?? [],
      device: device ?? "",
      deviceStatus: status ?? "DISCONNECTED",
      desired: target === null ? undefined : { target, version: wanted ?? "" },
      reported: state === null ? undefined : { state, version, at: at ?? "" },
    }));
  }

  /** What a SELECT of this file answers is what its names say: the tables are STRICT and made here. */
  #all<Row>(sql: string, ...values: (string | number)[]): Row[] {
    return this.#database.prepare(sql).all(...values) as Row[];
  }

  #run(sql: string, ...values: (string | number)[]): void {
    this.#database.prepare(sql).run(...values);
  }

  #together(steps: () => void): void {
    this.#database.exec("BEGIN");
    try {
      steps();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
