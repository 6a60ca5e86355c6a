/**
 * The agent goes before the apps, so a device whose apps take all cores is reached all the same. An answer in a flood waited
 * for a core: 40 to 50 ms (p99) at the usual priority, 12 to 25 at this one (measured on two cores).
 */
import { readFileSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import type { Log } from "./log.ts";
import { codeOf } from "./smallFile.ts";

/** Three times the weight of an app (sched(7)); in a flood of logs the agent takes a seventh of a core. */
const NICE = -5;

/** Nothing is changed where somebody chose a priority. Only root may: otherwise it is told, and all goes on. */
export function goFirst(
  log: Pick<Log, "info">,
  priority: Pick<typeof os, "getPriority" | "setPriority"> = os,
  proc = "/proc/self",
): void {
  if (priority.getPriority() !== 0) return;
  try {
    priority.setPriority(NICE);
    raiseSession(proc);
  } catch (error) {
    log.info(
      { why: error instanceof Error ? error.message : error },
      "it runs at the usual priority: apps that take all cores hold it up",
    );
  }
}

/**
 * Where the kernel weighs sessions against each other (sched(7), "The autogroup feature"), a process is nice to its own session
 * alone. Whoever started the agent in a terminal keeps the session as it is.
 */
function raiseSession(proc: string): void {
  try {
    const stat = readFileSync(`${proc}/stat`, "utf8");
    const [, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (session === stat.split(" ", 1)[0]) writeFileSync(`${proc}/autogroup`, String(NICE), { flag: "r+" });
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}
