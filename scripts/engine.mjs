// @ts-check
/** Whether a Docker engine answers already: the one of DOCKER_HOST, or the one of the usual socket. */
import { request } from "node:http";

const USUAL = "/var/run/docker.sock";

/**
 * The socket to ask; undefined for a DOCKER_HOST that is none, since the agent speaks to sockets only.
 * @param {string | undefined} dockerHost
 * @returns {string | undefined}
 */
export function socketOf(dockerHost) {
  if (!dockerHost) return USUAL;
  return dockerHost.startsWith("unix://") ? dockerHost.slice("unix://".length) : undefined;
}

/**
 * @param {string | undefined} socketPath
 * @returns {Promise<boolean>}
 */
export function answers(socketPath) {
  if (socketPath === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: "/_ping", timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(false));
    asked.end();
  });
}
