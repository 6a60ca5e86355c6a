/** One agent a home, and one a machine: held by the kernel, whatever happens to the process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { takeLock } from "../../src/services/lock.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rglock-"));
  path = join(folder, "x.lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail("nothing was thrown"),
    (error: unknown) => error as AgentError,
  );

/** A process of its own that holds the lock, and says so. */
async function holder(): Promise<ChildProcess> {
  const script = `const { takeLock } = await import(${JSON.stringify(resolve("src/services/lock.ts"))});
    await takeLock(${JSON.stringify(path)}); console.log("held"); setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(createInterface({ input: child.stdout }), "line");
  return child;
}

test("the second one is told which file and which process; after the release it may", async () => {
  const first = await takeLock(path);
  const error = await errorOf(takeLock(path));
  expect(error.code).toBe("already_running");
  expect(error.message).toContain(`${path} is held by process ${process.pid}`);
  await first.release();
  await (await takeLock(path)).release();
});

test("a holder that is killed with -9 holds nothing any more", async () => {
  const child = await holder();
  expect((await errorOf(takeLock(path))).message).toContain(`process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "close");
  const deadline = performance.now() + 5_000;
  for (;;) {
    const taken = await takeLock(path).catch((error: AgentError) => error);
    if (!(taken instanceof AgentError)) return taken.release();
    expect(taken.code).toBe("already_running");
    expect(performance.now()).toBeLessThan(deadline);
  }
});

test("a lock that somebody takes away is told", async () => {
  const lock = await takeLock(path);
  const [pid] = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ").map(Number);
  process.kill(pid ?? 0, "SIGKILL");
  const error = await errorOf(lock.lost);
  expect(error.message).toContain("was lost");
});

test("a file that is replaced meanwhile is not the one that counts", async () => {
  const first = await takeLock(path);
  writeFileSync(`${path}.new`, "");
  renameSync(`${path}.new`, path);
  const second = await takeLock(path);
  await Promise.all([first.release(), second.release()]);
});

test("without flock(1) it says which program is missing", async () => {
  const before = process.env["PATH"];
  process.env["PATH"] = folder;
  try {
    const error = await errorOf(takeLock(path));
    expect([error.code, error.message]).toEqual(["missing_program", "a program that is needed is not there: flock"]);
  } finally {
    process.env["PATH"] = before;
  }
});

test("a path that cannot be locked is a clear error", async () => {
  expect((await errorOf(takeLock(join(folder, "nowhere", "x.lock")))).code).toBe("storage_failed");
});

test("a lock keeps nobody from ending", async () => {
  const script = `const { takeLock } = await import(${JSON.stringify(resolve("src/services/lock.ts"))});
    await takeLock(${JSON.stringify(path)});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(0);
});
