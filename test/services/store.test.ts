/** What must survive does: a restart, a kill -9, a damaged file, a full disk. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppId } from "../../src/model/app.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { AppOrder } from "../../src/model/order.ts";
import { Secret } from "../../src/model/secret.ts";
import { KeptProblems } from "../../src/services/problems.ts";
import { Store } from "../../src/services/store.ts";

const app: AppId = { stage: "PROD", key: 42 };
const order: AppOrder = {
  app,
  name: "weather",
  target: "RUNNING",
  version: "1.0.0",
  releaseKey: 11,
  requestor: 5,
  owner: 7,
};
const CRASHED = { failures: 2, wait: { because: "container_exited", until: 9_000 } } as const;

let folder: string;
let problems: KeptProblems;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rgstore-"));
  problems = new KeptProblems({ now: () => 1 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (where = folder) => new Store({ folder: where, now: () => 1_234, problems });
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof AgentError ? error.code : String(error);
  }
  return "nothing was thrown";
};

test("an order, what is remembered and the last error are there after a restart", () => {
  const first = open();
  first.keepOrders([order]);
  first.keepMemory(app, CRASHED, new AgentError("container_exited", "exit code 7"));
  first.close();
  const second = open();
  expect(second.apps()).toMatchObject([{ order, memory: CRASHED }]);
  expect(second.apps()[0]?.error?.message).toBe("the container ended by itself: exit code 7");
  second.close();
});

test("a new order keeps what is remembered; an app that is forgotten is gone", () => {
  const store = open();
  store.keepOrders([order]);
  store.keepMemory(app, CRASHED, undefined);
  store.keepOrders([{ ...order, target: "PRESENT" }]);
  expect(store.apps()).toMatchObject([{ order: { target: "PRESENT" }, memory: CRASHED }]);
  store.forget(app);
  expect(store.orderOf(app)).toBe(undefined);
  store.close();
  expect(open().apps()).toEqual([]);
});

test("an owner that is not named is the one that is known", () => {
  const store = open();
  store.keepOrders([order]);
  store.keepOrders([{ ...order, owner: 0, version: "2.0.0" }]);
  expect(store.orderOf(app)).toMatchObject({ owner: 7, version: "2.0.0" });
  store.close();
});

test("an order that says nothing new writes nothing", () => {
  const store = open();
  store.keepOrders([order]);
  const size = () => statSync(join(folder, "agent.db-wal")).size;
  const before = size();
  for (let i = 0; i < 100; i++) store.keepOrders([{ ...order }]);
  expect(size()).toBe(before);
  store.close();
});

test("database, -wal and -shm are for their owner alone, whatever the umask", () => {
  const before = process.umask(0);
  try {
    const store = open();
    store.keepOrders([order]);
    const modes = readdirSync(folder).map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8));
    expect(modes).toEqual(["600", "600", "600"]);
    store.close();
  } finally {
    process.umask(before);
  }
});

const DAMAGE: readonly [string, (path: string) => void][] = [
  [
    "a broken header",
    (path) => writeFileSync(path, "this is no database, and it is long enough to be read as one".repeat(20)),
  ],
  ["a cut-off end", (path) => truncateSync(path, 5_000)],
  [
    "broken pages in the middle",
    (path) => {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0xff, 4_096, 8_192));
    },
  ],
];

test.each(DAMAGE)("%s: the file is set aside, and the agent begins with an empty one", (_, damage) => {
  const first = open();
  first.keepOrders([order]);
  first.close();
  damage(join(folder, "agent.db"));
  const second = open();
  expect(second.setAside).toBe(join(folder, "agent.db.corrupt-1234"));
  expect(second.apps()).toEqual([]);
  second.keepOrders([order]);
  second.close();
  expect(open().apps()).toHaveLength(1);
});

test("only the newest damaged file is kept", () => {
  writeFileSync(join(folder, "agent.db.corrupt-1"), "old");
  writeFileSync(join(folder, "agent.db.corrupt-1-wal"), "old");
  writeFileSync(join(folder, "agent.db"), "no database at all ".repeat(100));
  open().close();
  expect(readdirSync(folder).filter((name) => name.includes("corrupt"))).toEqual(["agent.db.corrupt-1234"]);
});

test("something that can be no database is a clear error, and is not touched", () => {
  mkdirSync(join(folder, "agent.db"));
  expect(codeOf(open)).toBe("storage_failed");
  expect(statSync(join(folder, "agent.db")).isDirectory()).toBe(true);
});

test.each([
  ["no JSON", "{"],
  ["no app", "{}"],
  ["another app", JSON.stringify({ order: { ...order, app: { stage: "PROD", key: 43 } }, memory: { failures: 0 } })],
  ["a name that leaves its folder", JSON.stringify({ order: { ...order, name: "../etc" }, memory: { failures: 0 } })],
])("a row with %s is told as a problem and hurts no other", (_, text) => {
  const first = open();
  first.keepOrders([{ ...order, app: { stage: "PROD", key: 7 } }]);
  first.close();
  const database = new DatabaseSync(join(folder, "agent.db"));
  database.prepare("INSERT INTO apps VALUES ('PROD', 42, ?)").run(text);
  database.close();
  const second = open();
  expect(second.apps().map((each) => each.order.app.key)).toEqual([7]);
  expect(problems.list()).toMatchObject([{ about: "store.PROD:42", code: "storage_failed" }]);
  second.keepOrders([order]);
  second.close();
  expect(open().apps()).toHaveLength(2);
});

test("kill -9 in the middle of writing: whatever was acknowledged is there", async () => {
  const script = `
    const { Store } = await import(${JSON.stringify(resolve("src/services/store.ts"))});
    const store = new Store({ folder: ${JSON.stringify(folder)}, now: () => 1, problems: { note() {}, clear() {}, list: () => [] } });
    const order = ${JSON.stringify(order)};
    for (let releaseKey = 1; ; releaseKey++) {
      store.keepOrders([{ ...order, releaseKey }]);
      console.log(releaseKey);
      await new Promise(setImmediate);
    }`;
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let acknowledged = 0;
    createInterface({ input: child.stdout }).on("line", (line) => {
      acknowledged = Number(line);
      if (acknowledged >= 20 + round * 7) child.kill("SIGKILL");
    });
    await once(child, "close");
    const store = open();
    expect(store.setAside).toBe(undefined);
    expect(store.orderOf(app)?.releaseKey).toBeGreaterThanOrEqual(acknowledged);
    store.close();
  }
});

test("a full disk refuses orders and changes nothing; what is remembered is written when there is room again", () => {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
  try {
    const store = open(disk);
    store.keepOrders([order]);
    writeFileSync(join(disk, "ballast"), "");
    fill(join(disk, "ballast"));
    expect(codeOf(() => fillStore(store))).toBe("storage_failed");
    const before = store.apps().length;
    expect(codeOf(() => store.keepOrders([{ ...order, app: { stage: "PROD", key: 999_999 } }]))).toBe("storage_failed");
    expect(store.apps()).toHaveLength(before);
    store.keepMemory(app, CRASHED, undefined);
    expect(problems.list()).toMatchObject([{ about: "disk", code: "storage_failed" }]);
    expect(store.apps()[0]?.memory).toEqual(CRASHED);
    rmSync(join(disk, "ballast"));
    store.keepMemory(app, { failures: 3 }, undefined);
    expect(problems.list()).toEqual([]);
    store.close();
    const again = open(disk);
    expect(again.apps()[0]?.memory).toEqual({ failures: 3 });
    again.close();
  } finally {
    execFileSync("umount", [disk]);
  }
});

test.each(["closed", "killed"])(
  "a disk that was full before it was opened, after it was %s, shows what was kept",
  (how) => {
    const before = open();
    before.keepOrders([order]);
    const disk = join(folder, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
    try {
      if (how === "closed") before.close();
      for (const name of readdirSync(folder).filter((each) => /\.db(-wal)?$/.test(each)))
        copyFileSync(join(folder, name), join(disk, name));
      writeFileSync(join(disk, "ballast"), "");
      fill(join(disk, "ballast"));
      const store = open(disk);
      expect(store.orderOf(app)).toEqual(order);
      expect(codeOf(() => fillStore(store))).toBe("storage_failed");
      rmSync(join(disk, "ballast"));
      store.keepOrders([{ ...order, target: "PRESENT" }]);
      store.close();
      const again = open(disk);
      expect(again.orderOf(app)?.target).toBe("PRESENT");
      again.close();
    } finally {
      execFileSync("umount", [disk]);
    }
  },
);

test("a disk that is too full for a new database is a clear error, and nothing stays open: it can be unmounted", () => {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
  try {
    writeFileSync(join(disk, "agent.db"), "no database at all ".repeat(100));
    writeFileSync(join(disk, "ballast"), "");
    fill(join(disk, "ballast"));
    expect(codeOf(() => open(disk))).toBe("storage_failed");
  } finally {
    execFileSync("umount", [disk]);
  }
});

/** Until nothing more goes in. */
function fill(path: string): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(4_096), { flag: "a" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

/** Pages that the database has already may take a few more orders. */
function fillStore(store: Store): void {
  for (let key = 1_000; key < 3_000; key++) store.keepOrders([{ ...order, app: { stage: "PROD", key } }]);
}

test("a folder that may not be written is a clear error", () => {
  const path = join(folder, "file");
  writeFileSync(path, "");
  chmodSync(path, 0o600);
  expect(codeOf(() => open(path))).toBe("storage_failed");
});

test("a folder is the first app's, also after a restart, and no other's", () => {
  const store = open();
  const other: AppId = { stage: "PROD", key: 43 };
  expect([store.claimFolder("prod/weather", app), store.claimFolder("prod/weather", other)]).toEqual([true, false]);
  store.forget(app);
  store.close();
  const again = open();
  expect([again.claimFolder("prod/weather", other), again.claimFolder("prod/weather", app)]).toEqual([false, true]);
  again.close();
});

test("several orders are written together, or none of them", () => {
  const store = open();
  store.keepOrders([order, { ...order, app: { stage: "PROD", key: 7 } }, { ...order, target: "PRESENT" }]);
  store.close();
  const again = open();
  expect(again.apps().map((each) => [each.order.app.key, each.order.target])).toEqual([
    [42, "PRESENT"],
    [7, "RUNNING"],
  ]);
  again.close();
});

test("the ends of updates, and the key of credentials, survive; the key shows itself to nobody", () => {
  const first = open();
  expect([first.untold(), first.credentialKey]).toEqual([[], undefined]);
  const end = {
    type: "app.changed",
    app: order.app,
    state: "RUNNING",
    version: "2",
    updateStatus: "completed",
  } as const;
  first.keepUntold([end]);
  first.keepCredentialKey(new Secret("planted-key"));
  first.close();
  const second = open();
  expect(second.untold()).toEqual([end]);
  expect(second.credentialKey?.reveal()).toBe("planted-key");
  expect(JSON.stringify(second.credentialKey)).not.toContain("planted-key");
  second.close();
});

test("what is released is free: its ports and its folder's name", () => {
  const store = open();
  const other = { stage: "PROD", key: 7 } as const;
  store.keepPorts(order.app, { "80/tcp": 40_000 });
  expect(store.claimFolder("prod/weather", order.app)).toBe(true);
  expect(store.claimFolder("prod/weather", other)).toBe(false);
  store.release(order.app);
  expect(store.takenPorts()).toEqual(new Set());
  expect(store.claimFolder("prod/weather", other)).toBe(true);
  store.close();
});
