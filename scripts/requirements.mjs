// @ts-check
/** What cannot be installed: a Node to begin with, Linux, and the right to start a Docker engine. */
import { startsEngine } from "./programs.mjs";

const OLDEST = 20;

/**
 * @param {string} version of Node
 * @returns {string | undefined} a sentence
 */
export function whyNotThisNode(version) {
  return Number.parseInt(version, 10) >= OLDEST
    ? undefined
    : `This is Node ${version}; Node ${OLDEST} or newer is needed to begin with (https://nodejs.org). The Node that reagent runs on comes with its packages.`;
}

/**
 * @param {{ purpose: import("./programs.mjs").Purpose, hasEngine: boolean, isRoot: boolean, platform: string }} place
 * @returns {string | undefined} a sentence
 */
export function whyNotHere({ purpose, hasEngine, isRoot, platform }) {
  if (!startsEngine(purpose, hasEngine)) return undefined;
  const who = purpose === "test" ? "The tests start a Docker engine of their own" : "No Docker engine answers here";
  const orStart = purpose === "start" ? ", or start Docker first (DOCKER_HOST may name its socket)" : "";
  if (platform !== "linux")
    return `${who}, and one can be started on Linux only: run this in a Linux machine${orStart}.`;
  return isRoot ? undefined : `${who}, and only root may start one: run \`sudo npm ${purpose}\`${orStart}.`;
}
