// @ts-check
/** Programs from Debian's and Ubuntu's packages: whether that can be done here, how it is said, and how it is done. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { Obstacle } from "./obstacle.mjs";

/** @typedef {import("./programs.mjs").Program} Program */

/**
 * What this machine and this person allow.
 * @typedef {object} Rights
 * @property {boolean} isDebian Debian, Ubuntu or one of their kind
 * @property {boolean} isRoot
 * @property {boolean} isTerminal somebody can be asked
 * @property {boolean} hasSudo
 */

/**
 * `root`: just do it; `sudo`: ask first; undefined: the person has to.
 * @param {Rights} rights
 * @returns {"root" | "sudo" | undefined}
 */
export function wayToInstall({ isDebian, isRoot, isTerminal, hasSudo }) {
  if (!isDebian) return undefined;
  if (isRoot) return "root";
  return isTerminal && hasSudo ? "sudo" : undefined;
}

/** @param {readonly Program[]} missing */
export const packagesOf = (missing) => [...new Set(missing.flatMap((each) => each.package.split(" ")))];

/**
 * @param {readonly Program[]} missing
 * @param {boolean} isDebian
 */
export function howToGet(missing, isDebian) {
  const what = missing.map(({ name, use, isStatic }) => `${isStatic ? "a static " : ""}${name} (${use})`).join(", ");
  const packages = packagesOf(missing).join(" ");
  return isDebian
    ? `Missing: ${what}. Get it by: sudo apt-get install ${packages}`
    : `Missing: ${what}. Debian and Ubuntu have it in ${packages}; install what your system calls them.`;
}

/**
 * True for the text of an /etc/os-release that has apt-get and Debian's names of packages.
 * @param {string} osRelease
 */
export const isDebianLike = (osRelease) => /^ID(_LIKE)?="?([a-z ]*\b)?(debian|ubuntu)\b/m.test(osRelease);

/** A machine just made often installs its own updates: its lock is waited for. Nothing that is there is taken away. */
const OPTIONS = ["-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];
const INSTALL = ["install", "--no-install-recommends", "--no-remove"];
/** No questions; and Ubuntu's needrestart leaves the other services alone. */
const ENVIRONMENT = ["DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1"];

/**
 * Installs packages; all that apt says goes to the log.
 * @param {readonly string[]} packages
 * @param {{ way: "root" | "sudo", log: string }} how
 * @throws {Obstacle} with apt's last lines
 */
export function installWithApt(packages, { way, log }) {
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, "w");
  /** @param {readonly string[]} args */
  const apt = (args) => {
    const line = [...(way === "sudo" ? ["sudo"] : []), "env", ...ENVIRONMENT, "apt-get", ...OPTIONS, ...args];
    return spawnSync(/** @type {string} */ (line[0]), line.slice(1), { stdio: ["ignore", file, file] }).status === 0;
  };
  // A source that does not answer fails the update; what is wanted may be had all the same.
  apt(["update"]);
  const isDone = apt([...INSTALL, ...packages]);
  closeSync(file);
  if (isDone) return;
  const last = readFileSync(log, "utf8").trim().split("\n").slice(-12).join("\n");
  throw new Obstacle(
    `apt-get could not install ${packages.join(" ")}. All it said is in ${log}; the end of it:\n${last}`,
  );
}
