/** A real router as a process of its own, with all that it starts in one group: begun, frozen, killed and ended as one. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";
import { allProcesses } from "./dockerd.ts";

export interface RouterProcess {
  /** Of the leader; the group has the same number. */
  readonly pid: number;
  /** To the whole group: SIGSTOP freezes it, SIGCONT thaws it. */
  signal(name: NodeJS.Signals): void;
  /** At once, as a power cut. */
  kill(): Promise<void>;
  /** SIGTERM, and after ten seconds a kill. */
  stop(): Promise<void>;
}

export interface RouterProcessOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Holds its log; the process knows no other home. */
  readonly folder: string;
  /** Asked until it is answered as a router answers. */
  readonly url: string;
  readonly realm: string;
}

const WITHIN = 60_000;

/** Resolves when it serves the realm. @throws {Error} with its last lines, if it does not within a minute. */
export async function startRouterProcess(options: RouterProcessOptions): Promise<RouterProcess> {
  const { name, program, args, folder, url, realm } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "router.log");
  const log = openSync(path, "a", 0o600);
  const child = spawn(program, args, {
    detached: true,
    cwd: folder,
    stdio: ["ignore", log, log],
    env: { PATH: process.env["PATH"], HOME: folder, LANG: "C.UTF-8" },
  });
  closeSync(log);
  const pid = child.pid ?? 0;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const lastLines = () => readFileSync(path, "utf8").trim().split("\n").slice(-5).join(" | ");
  child.once("error", (error) => reject(new Error(`${name} cannot be started: ${error.message}`)));
  child.once("exit", (code) => reject(new Error(`${name} ended with code ${code}: ${lastLines()}`)));
  child.unref();
  const signal = (word: NodeJS.Signals) => {
    if (pid === 0) return;
    try {
      process.kill(-pid, word);
    } catch {
      // Nobody of the group is left.
    }
  };
  const gone = async (within: number): Promise<boolean> => {
    const until = performance.now() + within;
    while (group(pid).length > 0 && performance.now() < until) await pause(10);
    return group(pid).length === 0;
  };
  const kill = async () => {
    signal("SIGKILL");
    await gone(5_000);
  };
  try {
    await Promise.race([failed, serving(url, realm, name)]);
  } catch (error) {
    await kill();
    throw error;
  }
  child.removeAllListeners("exit");
  return {
    pid,
    signal,
    kill,
    stop: async () => {
      signal("SIGCONT");
      if (pid > 0 && group(pid).includes(pid)) process.kill(pid, "SIGTERM");
      await gone(10_000);
      await kill();
    },
  };
}

/** Living processes of a group; ended ones that nobody has fetched yet are none. */
export function group(pgid: number): number[] {
  return allProcesses().filter((pid) => {
    try {
      const [state, , of] = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      return Number(of) === pgid && state !== "Z";
    } catch {
      return false;
    }
  });
}

async function serving(url: string, realm: string, name: string): Promise<void> {
  const until = performance.now() + WITHIN;
  while (!(await serves(url, realm))) {
    if (performance.now() > until) throw new Error(`${name} did not serve ${realm} at ${url} within ${WITHIN} ms`);
    await pause(25);
  }
}

/** True when a login is answered at all, by a challenge or a refusal, and not because there is no such realm yet. */
function serves(url: string, realm: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ["wamp.2.json"], { handshakeTimeout: 2_000 });
    const done = (isServed: boolean) => {
      resolve(isServed);
      socket.terminate();
    };
    socket.on("error", () => done(false)).on("close", () => done(false));
    socket.on("open", () => {
      socket.send(JSON.stringify([1, realm, { roles: { caller: {} }, authmethods: ["wampcra"], authid: "nobody" }]));
    });
    socket.on("message", (data) => done(!String(data).includes("no_such_realm")));
  });
}
