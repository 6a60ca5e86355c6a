/** The first start beside an original's database: what is taken over, what is not, and that nothing of it changes. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { statusScreen } from "../../src/cli/statusScreen.ts";
import { parseFlags } from "../../src/model/flags.ts";
import { variablesOf } from "../../src/model/order.ts";
import type { Status } from "../../src/model/status.ts";
import { openHome } from "../../src/services/home.ts";
import { FILE } from "../support/flock.ts";
import { makeOriginal, type OriginalApp, WEATHER } from "../support/originalHome.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rgo-"));
  writeFileSync(join(folder, "x.flock"), JSON.stringify(FILE));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const NOW = Date.UTC(2026, 10, 26);
async function start(settings: Record<string, unknown> = {}) {
  writeFileSync(
    join(folder, "settings.json"),
    JSON.stringify({ "lock.machine": "off", "log.level": "error", ...settings }),
  );
  const home = await openHome({
    flags: parseFlags(["-agentDir", folder, "-config", join(folder, "x.flock")], {}),
    config: join(folder, "x.flock"),
    env: {},
    machine: { os: "linux", arch: "amd64", variant: "" },
    now: () => NOW,
  });
  const seen = {
    apps: home.store.apps().map(({ order }) => ({ ...order, environment: variablesOf(order) })),
    takenOver: home.store.takenOver,
    problems: home.problems.list(),
    enforce: home.settings["security.enforce"],
    access: home.settings["containers.access"],
  };
  await home.close();
  return seen;
}
const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const app = (over: Partial<OriginalApp>): OriginalApp => ({ ...WEATHER, ...over }) as OriginalApp;

test("wanted states, names, versions and accounts are taken over; the original's laxer defaults are kept, also later", async () => {
  makeOriginal(folder, [WEATHER, app({ app_key: 43, app_name: "clock", manually_requested_state: "STOPPING" })]);
  const first = await start();
  expect(first.apps).toEqual([
    {
      app: { stage: "PROD", key: 42 },
      ...{
        name: "weather",
        target: "RUNNING",
        version: "1.0.0",
        releaseKey: 11,
        releases: { "2.0.0": 12 },
        requestor: 5,
        owner: 7,
      },
      environment: { CITY: "planted-value" },
      ports: [{ port: 80, protocol: "http", host_port: 40_001 }],
    },
    {
      app: { stage: "PROD", key: 43 },
      ...{
        name: "clock",
        target: "PRESENT",
        version: "1.0.0",
        releaseKey: 11,
        releases: { "2.0.0": 12 },
        requestor: 5,
        owner: 7,
      },
      environment: { CITY: "planted-value" },
      ports: [{ port: 80, protocol: "http", host_port: 40_001 }],
    },
  ]);
  expect(first).toMatchObject({ enforce: "log", access: "full", problems: [] });
  expect(first.takenOver).toMatchObject({ at: NOW, apps: ["PROD:42", "PROD:43"], skipped: [] });
  expect(await start()).toEqual(first);
});

test("what is set goes before the original's defaults", async () => {
  makeOriginal(folder, [WEATHER]);
  expect(await start({ "security.enforce": "on", "containers.access": "none" })).toMatchObject({
    enforce: "on",
    access: "none",
  });
});

test("without an original, our own defaults", async () => {
  expect(await start()).toMatchObject({ apps: [], takenOver: undefined, enforce: "on", access: "none" });
});

test("apps that are wanted away are nobody's; what cannot be run is told, and hurts no other", async () => {
  makeOriginal(folder, [
    app({ app_key: 1, app_name: "gone", manually_requested_state: "UNINSTALLED" }),
    app({ app_key: 2, app_name: "dev", stage: "DEV" }),
    app({ app_key: 3, app_name: "compose", docker_compose: '{"services":{}}' }),
    app({ app_key: 4, app_name: "../../etc" }),
    app({ app_key: 5, app_name: "broken", docker_compose: "{" }),
    app({ app_key: 6, app_name: "updating", request_update: 1, manually_requested_state: "RUNNING" }),
    WEATHER,
  ]);
  const { apps, takenOver, problems } = await start();
  expect(apps.map(({ name }) => name)).toEqual(["dev", "updating", "weather"]);
  expect(takenOver?.skipped.map(({ app: name }) => name)).toEqual(["PROD:3", "PROD:4", "PROD:5"]);
  expect(problems).toEqual([]);
});

test("not a byte of the original's database changes, and no file is left beside it", async () => {
  const path = makeOriginal(folder, [WEATHER]);
  const [before, files] = [hashOf(path), readdirSync(folder)];
  await start();
  expect(hashOf(path)).toBe(before);
  const ours = /^((agent|journal)\.db.*|agent\.log|reagent\.lock|settings\.json)$/;
  expect(readdirSync(folder).filter((name) => !ours.test(name))).toEqual(files);
});

test("a journal that a power cut left is played back in a copy", async () => {
  const path = makeOriginal(folder, [WEATHER]);
  const writer = new DatabaseSync(path);
  writer.exec("PRAGMA cache_size = 1; BEGIN; UPDATE RequestedAppStates SET app_name = 'half'");
  const insert = writer.prepare("INSERT INTO LogHistory (log) VALUES (?)");
  for (let n = 0; n < 200; n++) insert.run("l".repeat(4_000));
  copyFileSync(path, join(folder, "cut"));
  copyFileSync(`${path}-journal`, join(folder, "cut-journal"));
  writer.exec("ROLLBACK");
  writer.close();
  for (const ending of ["", "-journal"]) copyFileSync(join(folder, `cut${ending}`), path + ending);
  const before = [hashOf(path), hashOf(`${path}-journal`)];
  expect((await start()).apps.map(({ name }) => name)).toEqual(["weather"]);
  expect([hashOf(path), hashOf(`${path}-journal`)]).toEqual(before);
  expect(readdirSync(folder).filter((name) => name.includes("copy"))).toEqual([]);
});

test.each([
  ["no database at all", () => writeFileSync(join(folder, "reagent.db"), "not a database, but long enough to look")],
  ["another table", () => new DatabaseSync(join(folder, "reagent.db")).exec("CREATE TABLE x (y)")],
])("%s is a problem that is shown, and the agent starts with nothing", async (_, make) => {
  make();
  const { apps, takenOver, problems } = await start();
  expect({ apps, takenOver }).toEqual({ apps: [], takenOver: undefined });
  expect(problems).toMatchObject([
    { about: "original", code: "storage_failed", says: expect.stringContaining("reagent.db") },
  ]);
});

test("once there are apps of our own nothing is taken over any more, nor after a database that was damaged", async () => {
  await start();
  makeOriginal(folder, [WEATHER]);
  writeFileSync(join(folder, "agent.db"), "damaged");
  expect((await start()).apps).toEqual([]);
});

test("the status tells it", () => {
  const status = {
    ...{ version: "0.1.0", pid: 1, since: NOW, serial: "s", home: "/h", apps: [], problems: [] },
    link: { state: "linked.authenticated.online", since: NOW, url: "ws://r" },
    engine: { state: "watched.live", since: NOW, socket: "/s" },
    takenOver: { at: NOW, apps: ["PROD:42"], revisions: {}, skipped: [{ app: "DEV:2", why: "a development app" }] },
  } satisfies Status;
  expect(statusScreen(status, NOW).slice(4, 6)).toEqual([
    "original 1 app taken over on 2026-11-26, but not",
    "         DEV:2: a development app",
  ]);
});
