// @ts-check
/** Whether node_modules is what package-lock.json says, told by the list that npm keeps in node_modules. */

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} Package */
/** @typedef {{ packages?: Record<string, Package> }} Lock `package-lock.json`, or `node_modules/.package-lock.json` */

/**
 * Why the packages have to be installed, as half a sentence; undefined when nothing is to be done.
 *
 * Optional packages may be absent (most are for other kinds of machine) or there without being in the lock file (one that
 * was written where their kind was not to be had).
 * @param {Lock} locked
 * @param {Lock | undefined} installed undefined where there is no list
 * @param {(path: string) => boolean} isThere of a path in the project
 * @returns {string | undefined}
 */
export function whyStale(locked, installed, isThere) {
  if (installed === undefined) return "node_modules is missing";
  const wanted = locked.packages ?? {};
  const found = installed.packages ?? {};
  const lacking = Object.entries(wanted)
    .filter(([path]) => path !== "")
    .map(([path, want]) => whyDifferent(path, want, found[path]));
  const superfluous = Object.entries(found)
    .filter(([path, { optional }]) => !optional && !(path in wanted))
    .map(([path]) => `${nameOf(path)} is not in package-lock.json`);
  const gone = [...Object.keys(found), OWN_NODE].filter((path) => !isThere(path)).map((path) => `${path} is gone`);
  return [...lacking, ...superfluous, ...gone].find((why) => why !== undefined);
}

/** Comes by an install script of the package `node`, so that it may be absent where the package is there. */
const OWN_NODE = "node_modules/.bin/node";

/**
 * @param {string} path
 * @param {Package} want
 * @param {Package | undefined} found
 * @returns {string | undefined}
 */
function whyDifferent(path, want, found) {
  if (found === undefined) return want.optional ? undefined : `${nameOf(path)} is missing`;
  if (found.version !== want.version) {
    return `${nameOf(path)} is ${found.version}, package-lock.json says ${want.version}`;
  }
  const areSigned = want.integrity !== undefined && found.integrity !== undefined;
  return areSigned && want.integrity !== found.integrity
    ? `${nameOf(path)} is not the one of package-lock.json`
    : undefined;
}

/** @param {string} path */
const nameOf = (path) => path.replace(/^.*node_modules\//, "");
