// @ts-check
/** One set-up at a time in one folder: `npm start` and `npm test` may be begun side by side. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** flock's exit code for a lock that is taken; none of ours. */
const TAKEN = 75;

/**
 * Runs Node with these arguments under a lock that the kernel lets go of, however the holder ends. Where there is no flock
 * it runs without one.
 * @param {string} lock path of a file, made if need be
 * @param {readonly string[]} args
 * @param {() => void} onWait called when another one has the lock
 * @returns {number} the exit code
 */
export function runAlone(lock, args, onWait) {
  mkdirSync(dirname(lock), { recursive: true });
  /** @param {readonly string[]} options */
  const flock = (...options) =>
    spawnSync("flock", [...options, "--close", lock, process.execPath, ...args], { stdio: "inherit" });
  let run = flock("--nonblock", "--conflict-exit-code", String(TAKEN));
  if (run.status === TAKEN) {
    onWait();
    run = flock();
  }
  if (run.error) run = spawnSync(process.execPath, args, { stdio: "inherit" });
  return run.status ?? 1;
}
