// @ts-check
/** The npm packages: whether they are as package-lock.json says, and how they get there. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Obstacle } from "./obstacle.mjs";
import { whyStale } from "./staleness.mjs";

/**
 * `npm ci` is not for here: it refuses a lock file that was written where other platforms' optional packages are not to be
 * had. NODE_ENV=production would leave out the tools. Warnings are not shown: npm itself may run on Node 20, and says so
 * for each package that wants more.
 */
const INSTALL = ["install", "--no-save", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];

/**
 * Why the packages of this project have to be installed; undefined when they need not.
 * @param {string} root
 */
export function whyInstall(root) {
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return whyStale(locked, installedIn(root), (path) => existsSync(join(root, path)));
}

/**
 * Installs them. What npm says is shown as it comes.
 * @param {string} root
 * @throws {Obstacle} when npm fails, or leaves something else behind than the lock file says
 */
export function installPackages(root) {
  const { status, error } = spawnSync("npm", INSTALL, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (error) throw new Obstacle(`npm cannot be started: ${error.message}`);
  if (status !== 0) throw new Obstacle("The packages could not be installed; what npm says about it is above.");
  const why = whyInstall(root);
  if (why !== undefined) {
    throw new Obstacle(`npm is done, and yet ${why}. Remove node_modules, allow npm's install scripts and try again.`);
  }
}

/**
 * A list that cannot be read is none: npm writes it anew.
 * @param {string} root
 * @returns {import("./staleness.mjs").Lock | undefined}
 */
function installedIn(root) {
  try {
    return JSON.parse(readFileSync(join(root, "node_modules/.package-lock.json"), "utf8"));
  } catch {
    return undefined;
  }
}
