// @ts-check
/** The programs that are used and do not come from npm: which ones, what for, and which of them are missing. */
import { spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, openSync, readSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * @typedef {object} Program
 * @property {string} name as it is started, or its path where only that one will do
 * @property {string} package Debian's and Ubuntu's
 * @property {string} use what it is for
 * @property {boolean} [ofEngine] needed only where a Docker engine of our own is started
 * @property {boolean} [ofTests] needed only for tests
 * @property {boolean} [ofRouters] needed to install the real routers
 * @property {boolean} [isStatic] only a statically linked one will do
 * @property {readonly string[]} [works] a command that must succeed for it to be of use
 */

/** Debian's python3 alone has neither environments nor headers. */
const PYTHON_CAN_BUILD =
  "import ensurepip, os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path('include') + '/Python.h'))";

/** @type {readonly Program[]} */
export const PROGRAMS = [
  { name: "dockerd", package: "docker.io", use: "runs containers", ofEngine: true },
  { name: "ip", package: "iproute2", use: "makes the engine's bridge", ofEngine: true },
  { name: "docker-registry", package: "docker-registry", use: "serves images on loopback" },
  { name: "/bin/busybox", package: "busybox-static", use: "is what images are made of", isStatic: true },
  { name: "flock", package: "util-linux", use: "keeps two from doing the same" },
  { name: "openssl", package: "openssl", use: "makes certificates", ofTests: true },
  { name: "cc", package: "build-essential", use: "builds parts of a router", ofTests: true, ofRouters: true },
  {
    name: "python3",
    package: "python3-venv python3-dev",
    use: "runs a router",
    ofTests: true,
    ofRouters: true,
    works: ["python3", "-c", PYTHON_CAN_BUILD],
  },
];

/** @typedef {"start" | "test"} Purpose */

/**
 * Tests always start an engine of their own, so that they never touch anybody's containers.
 * @param {Purpose} purpose
 * @param {boolean} hasEngine whether one answers already
 */
export const startsEngine = (purpose, hasEngine) => purpose === "test" || !hasEngine;

/**
 * @param {{ purpose: Purpose, hasEngine: boolean }} need
 * @param {(program: Program) => boolean} isThere
 */
export const missingPrograms = ({ purpose, hasEngine }, isThere) =>
  PROGRAMS.filter(({ ofEngine }) => !ofEngine || startsEngine(purpose, hasEngine))
    .filter(({ ofTests }) => !ofTests || purpose === "test")
    .filter((each) => !isThere(each));

/** @param {Program} program */
export function isInstalled({ name, isStatic, works }) {
  const paths = name.startsWith("/")
    ? [name]
    : (process.env["PATH"] ?? "").split(delimiter).map((at) => join(at, name));
  const path = paths.find(isExecutable);
  if (path === undefined || (isStatic && !isStaticallyLinked(beginningOf(path)))) return false;
  const [command, ...args] = works ?? [];
  return command === undefined || spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/**
 * True for an ELF program that asks for no interpreter, which would be the dynamic linker.
 * @param {Buffer} program its first kilobytes, little-endian
 */
export function isStaticallyLinked(program) {
  const is64 = program[4] === 2;
  if (program.length < (is64 ? 64 : 52) || program.toString("latin1", 0, 4) !== "\x7fELF") return false;
  const table = is64 ? Number(program.readBigUInt64LE(32)) : program.readUInt32LE(28);
  const size = program.readUInt16LE(is64 ? 54 : 42);
  const count = program.readUInt16LE(is64 ? 56 : 44);
  if (table + size * count > program.length) return false;
  return [...Array(count).keys()].every((n) => program.readUInt32LE(table + n * size) !== INTERPRETER);
}

/** PT_INTERP of the ELF specification. */
const INTERPRETER = 3;

/** @param {string} path */
function beginningOf(path) {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(4_096);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
