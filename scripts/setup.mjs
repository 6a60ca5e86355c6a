// @ts-check
/**
 * What `npm start` and `npm test` run first: `node scripts/setup.mjs start|test`. It sees to the npm packages and to the
 * programs that do not come from npm, says what it is going to do before it does it, and says nothing when there is
 * nothing to do. It needs Node 20 and no package; what it cannot do itself is one sentence and exit code 1.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runAlone } from "./alone.mjs";
import { howToGet, installWithApt, isDebianLike, packagesOf, wayToInstall } from "./apt.mjs";
import { answers, socketOf } from "./engine.mjs";
import { Obstacle } from "./obstacle.mjs";
import { installPackages, whyInstall } from "./packages.mjs";
import { isInstalled, missingPrograms } from "./programs.mjs";
import { whyNotHere, whyNotThisNode } from "./requirements.mjs";
import { ROUTERS, seeToRouters } from "./routers.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = join(ROOT, ".cache");
const ALONE = "--alone";

/** @param {string} text */
const say = (text) => console.log(`setup: ${text}`);

/** @param {string | undefined} why */
const stopFor = (why) => {
  if (why !== undefined) throw new Obstacle(why);
};

/** @param {import("./programs.mjs").Purpose} purpose */
async function setUp(purpose) {
  stopFor(whyNotThisNode(process.versions.node));
  const hasEngine = purpose === "start" && (await answers(socketOf(process.env["DOCKER_HOST"])));
  const isRoot = process.getuid?.() === 0;
  stopFor(whyNotHere({ purpose, hasEngine, isRoot, platform: process.platform }));
  const missing = missingPrograms({ purpose, hasEngine }, isInstalled);
  if (missing.length === 0 && whyInstall(ROOT) === undefined) return seeToRealRouters(purpose);
  if (!process.argv.includes(ALONE)) {
    const wait = () => say("another set-up is at work here; waiting for it");
    process.exitCode = runAlone(join(CACHE, "setup.lock"), [...process.argv.slice(1), ALONE], wait);
    return;
  }
  if (missing.length > 0) await seeToPrograms(missing, isRoot);
  seeToPackages();
  seeToRealRouters(purpose);
}

/** @param {import("./programs.mjs").Purpose} purpose */
function seeToRealRouters(purpose) {
  if (purpose === "test") process.exitCode = seeToRouters(ROUTERS);
}

/**
 * @param {readonly import("./programs.mjs").Program[]} missing
 * @param {boolean} isRoot
 */
async function seeToPrograms(missing, isRoot) {
  const isDebian = existsSync("/etc/os-release") && isDebianLike(readFileSync("/etc/os-release", "utf8"));
  const hasSudo = isInstalled({ name: "sudo", package: "sudo", use: "gives the right to install" });
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const way = wayToInstall({ isDebian, isRoot, isTerminal, hasSudo });
  if (way === undefined) throw new Obstacle(howToGet(missing, isDebian));
  const packages = packagesOf(missing);
  const log = join(CACHE, "apt.log");
  say(`going to install ${packages.join(", ")} with ${way === "sudo" ? "sudo " : ""}apt-get (a minute or two; ${log})`);
  const isServed = existsSync("/run/systemd/system") && packages.some((name) => name.startsWith("docker"));
  if (isServed)
    say("systemd will start what comes with them as services, as with any package (systemctl disable --now)");
  if (way === "sudo" && !(await agreed())) throw new Obstacle(howToGet(missing, isDebian));
  installWithApt(packages, { way, log });
  const still = missing.filter((each) => !isInstalled(each));
  if (still.length > 0) throw new Obstacle(`apt-get is done, and yet: ${howToGet(still, isDebian)}`);
}

function seeToPackages() {
  const why = whyInstall(ROOT);
  if (why === undefined) return;
  say(`going to install the packages with npm, since ${why} (half a minute)`);
  installPackages(ROOT);
}

async function agreed() {
  // Not at the top: a Node that is too old does not know it, and must get as far as being told.
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question("setup: is that all right? [Y/n] ");
  terminal.close();
  return /^(y|yes)?$/i.test(answer.trim());
}

const purpose = process.argv[2];
try {
  if (purpose !== "start" && purpose !== "test") throw new Obstacle("usage: node scripts/setup.mjs start|test");
  await setUp(purpose);
} catch (error) {
  if (!(error instanceof Obstacle)) throw error;
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}
