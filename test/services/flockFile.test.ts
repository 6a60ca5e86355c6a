/** The `.flock` file on a real disk. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentError } from "../../src/model/errors.ts";
import { parseFlock } from "../../src/model/flock.ts";
import { FlockFile } from "../../src/services/flockFile.ts";
import { settingsIn } from "../../src/services/settingsFile.ts";
import { FILE } from "../support/flock.ts";

const SAME = { device_name: "press-01", swarm_name: "plant_a", ownername: "alice", swarm_key: 2 };
const PLANTED = "tr0ub4dor-planted";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flock-"));
  path = join(folder, "device.flock");
  write({});
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (changes: object, mode = 0o600) => {
  writeFileSync(path, JSON.stringify({ ...FILE, ...changes }));
  chmodSync(path, mode);
};
const written = (): unknown => JSON.parse(readFileSync(path, "utf8"));
const modeOf = (file: string): number => statSync(file).mode & 0o777;
const errorOf = (promise: Promise<unknown>): Promise<AgentError> =>
  promise.then(
    () => expect.unreachable("it went well"),
    (error: AgentError) => error,
  );

test("the device is what the file says, on the machine that it is", async () => {
  const flock = await FlockFile.open(path, "armv7");
  expect(flock.device()).toMatchObject({ name: "press-01", swarmKey: 2, machine: "armv7" });
});

test("a file that is not there, is none, is too big or is broken is told by its path or its field", async () => {
  const saysOf = async (file: string) => (await errorOf(FlockFile.open(file, "amd64"))).message;
  const first = "the .flock file cannot be used:";
  expect(await saysOf(join(folder, "none"))).toBe(`${first} there is no ${folder}/none`);
  expect(await saysOf(folder)).toBe(`${first} ${folder} is no plain file`);
  expect(await saysOf("/dev/zero")).toBe(`${first} /dev/zero is no plain file`);
  expect(await saysOf(`${path}/x`)).toBe(`${first} ${path}/x cannot be read (ENOTDIR)`);
  write({ more: "x".repeat(70_000) });
  expect(await saysOf(path)).toBe(`${first} ${path} has more than 65536 bytes`);
  write({ secret: "" });
  expect(await saysOf(path)).toBe(`${first} secret: expected a text that is not empty`);
});

describe("the secret", () => {
  test("is the file's of this moment", async () => {
    const flock = await FlockFile.open(path, "amd64");
    expect((await flock.secret()).reveal()).toBe("c2VjcmV0LWZha2U=");
    write({ secret: "another" });
    expect((await flock.secret()).reveal()).toBe("another");
  });

  test("is not to be had while the file is broken, and again once it is mended", async () => {
    const flock = await FlockFile.open(path, "amd64");
    writeFileSync(path, '{ "secret":');
    expect((await errorOf(flock.secret())).message).toMatch(/broken JSON at line 1, column 12$/);
    rmSync(path);
    expect((await errorOf(flock.secret())).code).toBe("bad_flock");
    write({});
    expect((await flock.secret()).reveal()).toBe("c2VjcmV0LWZha2U=");
  });

  test("of another device is not taken for ours", async () => {
    const flock = await FlockFile.open(path, "amd64");
    write({ serial_number: "other", secret: "theirs" });
    expect((await errorOf(flock.secret())).message).toMatch(/serial_number: is another than at the start/);
    expect((await errorOf(flock.update({ ...SAME, swarm_key: 3 }))).code).toBe("bad_flock");
    expect(written()).toEqual({ ...FILE, serial_number: "other", secret: "theirs" });
  });

  test("is in no error and in nothing that shows the service", async () => {
    write({ secret: PLANTED });
    const flock = await FlockFile.open(path, "amd64");
    await flock.secret();
    const seen = [inspect(flock, { showHidden: true, depth: 9 }), JSON.stringify(flock)];
    mkdirSync(`${path}.new`);
    const errors = [await errorOf(flock.update({ ...SAME, swarm_key: 3 }))];
    for (const text of [`{"secret": ${PLANTED}`, `{"secret": "${PLANTED}", }`, `{"secret": "${PLANTED}"}`]) {
      writeFileSync(path, text);
      errors.push(await errorOf(flock.secret()), await errorOf(flock.update({ ...SAME, swarm_key: 4 })));
    }
    seen.push(...errors.flatMap((error) => [inspect(error, { showHidden: true, depth: 9 }), JSON.stringify(error)]));
    expect(seen.length).toBe(16);
    expect(seen.join()).not.toContain(PLANTED.slice(0, 8));
  });
});

describe("what the studio says", () => {
  test("that is not new does not touch the file", async () => {
    utimesSync(path, 1_000, 1_000);
    const before = statSync(path);
    const flock = await FlockFile.open(path, "amd64");
    expect(await flock.update(SAME)).toBe(false);
    expect(await flock.update(SAME)).toBe(false);
    const { ino, mtimeMs } = statSync(path);
    expect({ ino, mtimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  test("that is new is written, with every other field as it was, and the device has it", async () => {
    write({ invented: { deep: [1, null] } });
    const flock = await FlockFile.open(path, "amd64");
    const said = { device_name: "press-02", swarm_name: "plant_b", ownername: "bob", swarm_key: 2 };
    expect(await flock.update(said)).toBe(false);
    const name = { name: "press-02", swarm_name: "plant_b", swarm_owner_name: "bob" };
    expect(written()).toEqual({ ...FILE, invented: { deep: [1, null] }, ...name });
    expect(flock.device().name).toBe("press-02");
    expect(readdirSync(folder)).toEqual(["device.flock"]);
  });

  test("of another swarm is told once", async () => {
    const flock = await FlockFile.open(path, "amd64");
    expect(await flock.update({ ...SAME, swarm_key: 3 })).toBe(true);
    expect(await flock.update({ ...SAME, swarm_key: 3 })).toBe(false);
    expect(flock.device().swarmKey).toBe(3);
    expect((await FlockFile.open(path, "amd64")).device().swarmKey).toBe(3);
  });

  test("does not bring an old secret back", async () => {
    const flock = await FlockFile.open(path, "amd64");
    write({ secret: "rotated" });
    await flock.update({ ...SAME, swarm_key: 3 });
    expect(written()).toEqual({ ...FILE, secret: "rotated", swarm_key: 3 });
  });

  test("twice at once is written in order", async () => {
    const flock = await FlockFile.open(path, "amd64");
    const names = Array.from({ length: 20 }, (_, at) => `press-${at}`);
    await Promise.all(names.map((device_name) => flock.update({ ...SAME, device_name })));
    expect(written()).toEqual({ ...FILE, name: "press-19" });
    expect(flock.device().name).toBe("press-19");
  });

  test.each([
    ["is cut off", '{ "secret":'],
    ["is empty", ""],
    ["is no object", "[]"],
    ["has a bad field", JSON.stringify({ ...FILE, swarm_key: "2" })],
  ])("does not overwrite a file that %s", async (_, text) => {
    const flock = await FlockFile.open(path, "amd64");
    writeFileSync(path, text);
    expect((await errorOf(flock.update({ ...SAME, swarm_key: 3 }))).code).toBe("bad_flock");
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(readdirSync(folder)).toEqual(["device.flock"]);
  });

  test("does not make a file that was taken away", async () => {
    const flock = await FlockFile.open(path, "amd64");
    rmSync(path);
    expect((await errorOf(flock.update({ ...SAME, swarm_key: 3 }))).code).toBe("bad_flock");
    expect(readdirSync(folder)).toEqual([]);
  });

  const MENDED = JSON.stringify({ ...FILE, secret: "mended" });

  test.each<[string, () => void]>([
    ["written over", () => writeFileSync(path, MENDED)],
    [
      "written in pieces",
      () => {
        for (const part of [MENDED.slice(0, 20), MENDED]) writeFileSync(path, part);
      },
    ],
    [
      "replaced",
      () => {
        writeFileSync(`${path}.other`, MENDED);
        renameSync(`${path}.other`, path);
      },
    ],
  ])("that is %s is told, once", async (_, change) => {
    const flock = await FlockFile.open(path, "amd64");
    const told: string[] = [];
    const first = Promise.withResolvers<void>();
    const end = flock.watch(
      () => {
        told.push(MENDED === readFileSync(path, "utf8") ? "whole" : "half");
        first.resolve();
      },
      (_, error) => first.reject(error),
    );
    writeFileSync(join(folder, "another-file"), "x");
    change();
    await first.promise;
    end();
    expect(told).toEqual(["whole"]);
  });

  test("brings its address; the one before stays while it is broken or another device's, and that is told", async () => {
    const flock = await FlockFile.open(path, "amd64");
    const told: unknown[] = [];
    let isTold = Promise.withResolvers<void>();
    const change = async (text: string) => {
      isTold = Promise.withResolvers();
      writeFileSync(path, text);
      await isTold.promise;
      return [flock.device().endpointUrl, told.splice(0)];
    };
    const end = flock.watch(
      () => isTold.resolve(),
      (what, error) => told.push(what, (error as AgentError).code),
    );
    const [first, second] = ["wss://first.example.com/ws", "wss://second.example.com/ws"];
    const of = (changes: object) => JSON.stringify({ ...FILE, ...changes });
    expect(await change(of({ device_endpoint_url: first }))).toEqual([first, []]);
    const problem = [expect.stringContaining("the router's address stays what it was"), "bad_flock"];
    expect(await change('{ "device_endpoint_url":')).toEqual([first, problem]);
    expect(await change(of({ device_endpoint_url: second, serial_number: "another" }))).toEqual([first, problem]);
    expect(await change(of({ device_endpoint_url: second }))).toEqual([second, []]);
    end();
  });

  test("tells of another swarm though the file cannot be written: the session has the wrong name all the same", async () => {
    const flock = await FlockFile.open(path, "amd64");
    mkdirSync(`${path}.new`);
    const problems: unknown[] = [];
    expect(await flock.takeOver({ ...SAME, swarm_key: 3 }, (error) => problems.push(error))).toBe(true);
    expect(problems).toMatchObject([{ code: "storage_failed" }]);
    expect(await flock.takeOver({ ...SAME, swarm_key: 3 }, (error) => problems.push(error))).toBe(false);
  });

  test("counts though the file cannot be written, and is written once it can", async () => {
    const flock = await FlockFile.open(path, "amd64");
    mkdirSync(`${path}.new`);
    const error = await errorOf(flock.update({ ...SAME, device_name: "press-02", swarm_key: 3 }));
    expect(error.code).toBe("storage_failed");
    expect(written()).toEqual(FILE);
    expect(flock.device()).toMatchObject({ name: "press-02", swarmKey: 3 });
    rmSync(`${path}.new`, { recursive: true });
    await flock.update({ ...SAME, device_name: "press-02", swarm_key: 3 });
    expect(written()).toEqual({ ...FILE, name: "press-02", swarm_key: 3 });
  });

  test.each([
    [0o600, 0o600],
    [0o400, 0o400],
    [0o644, 0o600],
    [0o777, 0o600],
    [0o440, 0o400],
  ])("leaves a file of mode %o with mode %o", async (before, after) => {
    write({}, before);
    const flock = await FlockFile.open(path, "amd64");
    await flock.update({ ...SAME, swarm_key: 3 });
    expect(modeOf(path)).toBe(after);
  });

  test("leaves the file to its owner", async () => {
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(path, 12_345, 12_345);
    const { uid, gid } = statSync(path);
    const flock = await FlockFile.open(path, "amd64");
    await flock.update({ ...SAME, swarm_key: 3 });
    expect(statSync(path)).toMatchObject({ uid, gid });
  });

  test("is written where a link leads, and the link stays", async () => {
    const link = join(folder, "link.flock");
    mkdirSync(join(folder, "boot"));
    renameSync(path, join(folder, "boot", "real.flock"));
    symlinkSync("boot/real.flock", link);
    const flock = await FlockFile.open(link, "amd64");
    await flock.update({ ...SAME, swarm_key: 3 });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, "boot", "real.flock"), "utf8"))).toEqual({ ...FILE, swarm_key: 3 });
  });

  test("is written though an earlier try left its half, readable by all", async () => {
    writeFileSync(`${path}.new`, "half", { mode: 0o644 });
    const flock = await FlockFile.open(path, "amd64");
    await flock.update({ ...SAME, swarm_key: 3 });
    expect(written()).toEqual({ ...FILE, swarm_key: 3 });
    expect([modeOf(path), readdirSync(folder)]).toEqual([0o600, ["device.flock"]]);
  });

  test("is there for a reader as a whole or not yet, at every moment", async () => {
    write({ padding: "x".repeat(40_000) });
    const flock = await FlockFile.open(path, "amd64");
    let isWriting = true;
    const writing = (async () => {
      for (let key = 3; key < 43; key++) await flock.update({ ...SAME, swarm_key: key });
    })().finally(() => {
      isWriting = false;
    });
    const seen = new Set<number>();
    let last = 2;
    while (isWriting) {
      const { swarm_key } = parseFlock(await readFile(path, "utf8"));
      expect(swarm_key).toBeGreaterThanOrEqual(last);
      last = swarm_key;
      seen.add(swarm_key);
    }
    await writing;
    expect(seen.size, "versions seen").toBeGreaterThan(3);
  });
});

describe("settings.json", () => {
  test("in the home is read, and may be missing", async () => {
    expect((await settingsIn(folder, {}))["log.level"]).toBe("info");
    writeFileSync(join(folder, "settings.json"), '{ "log.level": "warn" }');
    expect((await settingsIn(folder, {}))["log.level"]).toBe("warn");
    expect((await settingsIn(folder, { REAGENT_LOG_LEVEL: "error" }))["log.level"]).toBe("error");
  });

  test("that cannot be read is an error and no default", async () => {
    mkdirSync(join(folder, "settings.json"));
    expect((await errorOf(settingsIn(folder, {}))).code).toBe("bad_settings");
  });
});
