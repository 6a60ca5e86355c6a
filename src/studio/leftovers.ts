/**
 * Processes that an owner which was killed left behind: found again by the folder that their command lines name, and ended.
 * Only programs that are started here are looked at, so an editor or a `tail` in that folder is left alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { clearEngine } from "./dockerd.ts";

/** Ends the registry and the agent of this folder, and takes its engine away. Harmless where there is nothing. */
export async function clearFolder(folder: string): Promise<void> {
  for (const pid of processesOf(folder)) kill(pid);
  const until = performance.now() + 5_000;
  while (processesOf(folder).length > 0 && performance.now() < until) await pause(10);
  await clearEngine(join(folder, "engine"));
}

/** The demo that a pid file names, if it still runs: a pid may have gone to somebody else. */
export function ownerIn(pidFile: string): number | undefined {
  const pid = Number(read(pidFile) || "0");
  const isDemo = pid > 1 && pid !== process.pid && read(`/proc/${pid}/cmdline`).split("\0").includes("start");
  return isDemo ? pid : undefined;
}

function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isOurs(read(`/proc/${pid}/cmdline`).split("\0"), folder));
}

/** `docker-registry serve <folder>/...`, or anything that is given `-agentDir <folder>/...`. */
function isOurs(words: readonly string[], folder: string): boolean {
  const [program = "", ...args] = words;
  const at = args.indexOf("-agentDir") + 1;
  if (at > 0 && args[at]?.startsWith(`${folder}/`)) return !args.includes("status");
  return program.endsWith("docker-registry") && args.some((word) => word.startsWith(`${folder}/`));
}

/** A process that ended in between has nothing to say. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
