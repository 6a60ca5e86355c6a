/** Which router `reagent start` runs on: embedded, one that is installed for it, or somebody's, by its URL. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { AgentError } from "../model/errors.ts";
import type { RouterChoice } from "../studio/studioRouters.ts";

export const ROUTER_HELP = [
  "--router embedded   the studio's own (default)",
  "--router nexus      nexus, installed at its first use (a minute)",
  "--router crossbar   Crossbar.io, installed at its first use (two minutes)",
  "--router URL        one that is set up as docs/operations.md says; ws: or wss:",
  "--router-inside URL what the back end dials, where that is not what devices do",
  "--router-key FILE   for a URL: the back end's private key (64 hex digits, or Ed25519 in PEM)",
].join("\n");

export interface RouterWishes {
  readonly router: string;
  readonly inside: string | undefined;
  readonly key: string | undefined;
  /** Of the program that runs: its folder is beside scripts/. */
  readonly entry: string;
  readonly signal: AbortSignal;
}

/** @returns a sentence for what cannot be meant. @throws {AgentError} studio_refused: it cannot be had. */
export async function routerChoice({
  router,
  inside,
  key,
  entry,
  signal,
}: RouterWishes): Promise<RouterChoice | string> {
  if (router === "embedded") return { kind: router };
  if (router === "nexus" || router === "crossbar")
    return { kind: router, program: await installed(router, entry, signal) };
  if (!isRouterUrl(router))
    return `${router} is no router; expected embedded, nexus, crossbar, or a URL with ws: or wss:`;
  if (inside !== undefined && !isRouterUrl(inside)) return `--router-inside ${inside}: expected a URL with ws: or wss:`;
  if (key === undefined) return "--router with a URL needs --router-key: the back end proves itself by it";
  return { kind: "url", url: router, ...(inside && { inside }), key: keyIn(key) };
}

const isRouterUrl = (text: string): boolean => /^wss?:$/.test(URL.parse(text)?.protocol ?? "");

function keyIn(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new AgentError("studio_refused", `--router-key: ${path} cannot be read`, { cause: error });
  }
}

/** The set-up says on standard error what it does, and then where the program is. */
async function installed(router: string, entry: string, signal: AbortSignal): Promise<string> {
  const script = join(dirname(entry), "..", "scripts", "routers.mjs");
  if (!existsSync(script))
    throw new AgentError("studio_refused", `--router ${router} is for a clone of the repository; use a URL here`);
  const child = spawn(process.execPath, [script, "--path", router], { stdio: ["ignore", "pipe", "inherit"], signal });
  child.once("error", () => {});
  const path = (await text(child.stdout)).trim();
  signal.throwIfAborted();
  if (path === "") throw new AgentError("studio_refused", `the ${router} router could not be installed`);
  return path;
}
