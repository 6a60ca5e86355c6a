/** The database that an original agent leaves, made from its documented schema. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const STATES =
  "'PRESENT','REMOVED','UNINSTALLED','FAILED','BUILDING','BUILT','TRANSFERED','TRANSFERING','PUBLISHING','PUBLISHED','DOWNLOADING','STARTING','STOPPING','UPDATING','DELETING','RUNNING','INHERIT'";
const SCHEMA = `
  CREATE TABLE AppStates (
    id INTEGER PRIMARY KEY AUTOINCREMENT, app_name TEXT NOT NULL, app_key INTEGER NOT NULL, version TEXT NOT NULL,
    release_key INTEGER, stage TEXT CHECK (stage IN ('DEV','PROD')), state TEXT CHECK (state IN (${STATES})),
    timestamp TEXT, UNIQUE (app_name, app_key, stage)
  );
  CREATE TABLE RequestedAppStates (
    id INTEGER PRIMARY KEY AUTOINCREMENT, app_name TEXT NOT NULL, app_key INTEGER NOT NULL,
    stage TEXT CHECK (stage IN ('DEV','PROD')), version TEXT, present_version TEXT, newest_version TEXT,
    environment_variables TEXT, environment_template TEXT, ports TEXT, docker_compose TEXT, new_docker_compose TEXT,
    release_key INTEGER, new_release_key INTEGER, request_update INTEGER,
    current_state TEXT CHECK (current_state IN (${STATES})),
    manually_requested_state TEXT CHECK (manually_requested_state IN (${STATES})),
    requestor_account_key INTEGER, device_owner_account_key INTEGER, timestamp TEXT,
    UNIQUE (app_name, app_key, stage)
  );
  CREATE TABLE LogHistory (id INTEGER PRIMARY KEY, app_name TEXT, app_key INTEGER, stage TEXT, log_type TEXT, log TEXT);
`;

export interface OriginalApp {
  readonly app_key: number;
  readonly [column: string]: string | number | null;
}

export const WEATHER: OriginalApp = {
  app_name: "Weather",
  app_key: 42,
  stage: "PROD",
  version: "1.0.0",
  present_version: "1.0.0",
  newest_version: "2.0.0",
  environment_variables: '{"CITY":{"value":"planted-value"}}',
  environment_template: "{}",
  ports: '[{"port":80,"host_port":40001}]',
  docker_compose: "{}",
  new_docker_compose: "{}",
  release_key: 11,
  new_release_key: 12,
  request_update: 0,
  current_state: "RUNNING",
  manually_requested_state: "RUNNING",
  requestor_account_key: 5,
  device_owner_account_key: 7,
  timestamp: "2026-01-01 00:00:00",
};

/** Writes `reagent.db` into a home. Answers its path. */
export function makeOriginal(home: string, apps: readonly OriginalApp[]): string {
  const path = join(home, "reagent.db");
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = DELETE; ${SCHEMA}`);
  for (const app of apps) {
    const columns = Object.keys(app);
    const places = columns.map(() => "?").join();
    database
      .prepare(`INSERT INTO RequestedAppStates (${columns.join()}) VALUES (${places})`)
      .run(...Object.values(app));
  }
  database.close();
  return path;
}
