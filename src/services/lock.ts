/**
 * A lock that the kernel holds for as long as this process lives. Node has no flock(2), so a child holds it: `flock` runs a
 * `cat` that reads our pipe and ends with it, also when we are killed. `-o` closes the locked file in the child of `flock`,
 * which otherwise would keep it (tried with util-linux 2.38).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { AgentError } from "../model/errors.ts";

export interface Lock {
  /** Resolves when it is free. */
  release(): Promise<void>;
  /** Rejects when it is lost though nobody released it. */
  readonly lost: Promise<never>;
}

/** Where the original agent locks a machine, whatever TMPDIR says: so that the two never run side by side. */
export const MACHINE_LOCK = ["", "tmp", "ironflock-reagent.lock"].join("/");

/** What `flock -n` ends with when somebody else has it. */
const BUSY = 1;
const TRIES = 5;

/** @throws {AgentError} already_running, missing_program, storage_failed */
export async function takeLock(path: string): Promise<Lock> {
  for (let tries = 0; tries < TRIES; tries++) {
    const held = await take(path);
    if (held.isOfThisFile()) return held.lock;
    await held.lock.release();
  }
  throw new AgentError("already_running", `${path} is replaced again and again`);
}

interface Held {
  readonly lock: Lock;
  /** False: the file was replaced between its opening and its locking, so another one may be locked by somebody else. */
  isOfThisFile(): boolean;
}

async function take(path: string): Promise<Held> {
  const inode = inodeOf(path);
  const child = spawn("flock", ["-n", "-o", path, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  await holding(child, path);
  let isReleased = false;
  const { promise: lost, reject } = Promise.withResolvers<never>();
  lost.catch(() => {
    // Whoever waits for it is told; a lock that nobody watches is lost all the same.
  });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.once("close", () => isReleased || reject(new AgentError("already_running", `the lock on ${path} was lost`)));
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref?(): void } | null)?.unref?.();
  writeFileSync(path, `${process.pid}\n`);
  return {
    lock: {
      lost,
      release: async () => {
        isReleased = true;
        child.ref();
        child.stdin?.end();
        await gone;
      },
    },
    isOfThisFile: () => inodeOf(path) === inode,
  };
}

function holding(child: ChildProcess, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT";
      reject(new AgentError(isMissing ? "missing_program" : "storage_failed", isMissing ? "flock" : error.message));
    });
    child.once("exit", (code) => {
      const isBusy = code === BUSY;
      const who = isBusy ? `${path} is held${ownerOf(path)}` : `${path} cannot be locked (code ${code})`;
      reject(new AgentError(isBusy ? "already_running" : "storage_failed", who));
    });
    child.stdout?.once("data", () => resolve());
  });
}

function ownerOf(path: string): string {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return pid > 0 ? ` by process ${pid}` : "";
  } catch {
    return "";
  }
}

/** Of a file that is made if it is not there. @throws {AgentError} storage_failed */
function inodeOf(path: string): string {
  try {
    closeSync(openSync(path, "a", 0o600));
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    throw new AgentError("storage_failed", `${path}: ${(error as Error).message}`, { cause: error });
  }
}
