/**
 * Processes that an owner which was killed left behind: found again by the folder that their command lines name, and ended.
 * Only programs that are started here are looked at, so an editor or a `tail` in that folder is left alone.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { allProcesses, clearEngine } from "./dockerd.ts";

/** Ends the registry, the router and the agent of this folder, and takes its engine away. Harmless where there is nothing. */
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
  return allProcesses().filter(
    (pid) => pid !== process.pid && isOurs(pid, read(`/proc/${pid}/cmdline`).split("\0"), folder),
  );
}

const PROGRAMS = /(^|\/)(docker-registry|nexus-router)$/;

/** `docker-registry serve <folder>/...`, a router, or anything that is given `-agentDir <folder>/...`. */
function isOurs(pid: number, words: readonly string[], folder: string): boolean {
  const [program = "", ...args] = words;
  const at = args.indexOf("-agentDir") + 1;
  if (at > 0 && args[at]?.startsWith(`${folder}/`)) return !args.includes("status");
  const isIn = (word: string | undefined) => word?.startsWith(`${folder}/`) === true;
  if (/^crossbar-|python/.test(program)) return isIn(placeOf(pid));
  return PROGRAMS.test(program) && args.some(isIn);
}

/** Crossbar.io takes its folder out of its command line, and runs in it. */
function placeOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
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
