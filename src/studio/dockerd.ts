/**
 * A Docker engine of our own, for the demo, tests and benches: own socket, bridge and data, in one folder.
 *
 * It is started detached, in its own session, and found again by that folder: whatever an owner that was killed left behind
 * (daemon, shims, mounts, bridge) is taken away by the next start or by `clearEngine`. The bridge is ours from the
 * beginning: `--bridge=none` would delete the host's docker0 (tried with 20.10.24).
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export interface OwnEngine {
  /** Path of the engine's socket. */
  readonly socket: string;
  readonly pid: number;
  /** Ends it as a crash would: nothing is told to anybody, containers included. */
  kill(): Promise<void>;
  /** Takes away all of it but the data: containers, processes, mounts, bridge. */
  stop(): Promise<void>;
}

export interface EngineOptions {
  /** Holds socket, data and log. At most 80 characters, since a socket's path has room for 108. */
  readonly folder: string;
  /** More flags of dockerd. */
  readonly flags?: readonly string[];
  /** How long it may take until it answers, ms. Default 30,000. */
  readonly within?: number;
  /** What runs in an engine that still lives is left as it is; as a service manager starts one that died. */
  readonly keepsContainers?: boolean;
}

/** Name of the network interface of the engine in this folder. */
export const bridgeOf = (folder: string): string =>
  `rg${createHash("sha256").update(folder).digest("hex").slice(0, 8)}`;

/** Starts the engine of this folder, after taking away what is left of one before it; its data stays. */
export async function startEngine({
  folder,
  flags = [],
  within = 30_000,
  keepsContainers = false,
}: EngineOptions): Promise<OwnEngine> {
  if (folder.length > 80) throw new Error(`the path of the engine's folder is too long for a socket: ${folder}`);
  await clearEngine(folder, { keepsContainers });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const bridge = bridgeOf(folder);
  makeBridge(bridge);
  const socket = join(folder, "docker.sock");
  const log = openSync(join(folder, "dockerd.log"), "a", 0o600);
  const child = spawn(
    "dockerd",
    [
      ["--host", `unix://${socket}`],
      ["--data-root", join(folder, "data")],
      ["--exec-root", join(folder, "exec")],
      ["--pidfile", join(folder, "dockerd.pid")],
      ["--bridge", bridge, "--iptables=false", "--ip-masq=false"],
      flags,
    ].flat(),
    { detached: true, stdio: ["ignore", log, log] },
  );
  closeSync(log);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  child.once("error", (error) => reject(new Error(`dockerd cannot be started: ${error.message}`)));
  child.once("exit", (code) => reject(new Error(`dockerd ended with code ${code}: ${lastLines(folder)}`)));
  try {
    await Promise.race([failed, answering(socket, within, folder)]);
  } catch (error) {
    await clearEngine(folder);
    throw error;
  }
  failed.catch(() => {});
  child.unref();
  const pid = child.pid ?? 0;
  return {
    socket,
    pid,
    kill: () => kill(pid),
    stop: () => clearEngine(folder),
  };
}

/** Takes away every process, mount and bridge that belongs to the engine of this folder. Harmless where there is none. */
export async function clearEngine(folder: string, { keepsContainers = false } = {}): Promise<void> {
  const socket = join(folder, "docker.sock");
  if (!keepsContainers && (await answers(socket))) await removeContainers(socket);
  const own = processesOf(folder);
  for (const pid of own) signal(pid, "SIGTERM");
  await gone(folder, 10_000);
  for (const pid of processesOf(folder)) signal(pid, "SIGKILL");
  await gone(folder, 5_000);
  for (const pid of orphansOf(folder)) endOrphan(pid);
  for (const mount of mountsUnder(folder)) execFileSync("umount", ["-l", mount], { stdio: "ignore" });
  rmSync(join(folder, "exec"), { recursive: true, force: true });
  for (const file of ["dockerd.pid", "docker.sock"]) rmSync(join(folder, file), { force: true });
  const bridge = bridgeOf(folder);
  if (existsSync(`/sys/class/net/${bridge}`)) {
    execFileSync("ip", ["link", "delete", bridge], { stdio: "ignore" });
  }
}

/** Asks `ip`, since Node's `networkInterfaces` leaves out a bridge that no container hangs on. */
function makeBridge(name: string): void {
  const taken = execFileSync("ip", ["-o", "-4", "addr"], { encoding: "utf8" });
  const third = [...Array(250).keys()].find((n) => !taken.includes(` 10.213.${n}.`)) ?? 250;
  execFileSync("ip", ["link", "add", name, "type", "bridge"], { stdio: "pipe" });
  execFileSync("ip", ["addr", "add", `10.213.${third}.1/24`, "dev", name], { stdio: "pipe" });
  execFileSync("ip", ["link", "set", name, "up"], { stdio: "pipe" });
}

async function answering(socket: string, within: number, folder: string): Promise<void> {
  const until = performance.now() + within;
  while (!(await answers(socket))) {
    if (performance.now() > until) throw new Error(`dockerd did not answer within ${within} ms: ${lastLines(folder)}`);
    await pause(20);
  }
}

/** True if an engine answers on this socket. */
export function answers(socketPath: string): Promise<boolean> {
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

/** By force and all at once: an orderly stop would wait ten seconds for each. */
async function removeContainers(socketPath: string): Promise<void> {
  const list = await ask(socketPath, "GET", "/containers/json?all=1");
  const ids = (JSON.parse(list || "[]") as { Id: string }[]).map(({ Id }) => Id);
  await Promise.all(ids.map((id) => ask(socketPath, "DELETE", `/containers/${id}?force=1&v=1`)));
}

/** How many containers have exactly this name, whatever their state: 0 or 1. */
export async function containersOf(socketPath: string, name: string): Promise<number> {
  const filters = encodeURIComponent(JSON.stringify({ name: [`^/${name}$`] }));
  return (JSON.parse((await ask(socketPath, "GET", `/containers/json?all=1&filters=${filters}`)) || "[]") as []).length;
}

/** Takes away a container by force, with its volumes. Resolves if there is none. */
export async function removeContainer(socketPath: string, name: string): Promise<void> {
  await ask(socketPath, "DELETE", `/containers/${name}?force=1&v=1`);
}

/** Takes away one tag. Resolves if there is none. */
export async function removeImage(socketPath: string, ref: string): Promise<void> {
  await ask(socketPath, "DELETE", `/images/${ref}?force=1`);
}

/** An engine that does not answer has nothing to remove: an empty text. */
function ask(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, method, path, timeout: 15_000 }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      resolve(answer.statusCode === 200 ? Buffer.concat(chunks).toString() : "");
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(""));
    asked.end();
  });
}

async function kill(pid: number): Promise<void> {
  signal(pid, "SIGKILL");
  while (existsSync(`/proc/${pid}/exe`)) await pause(10);
}

/** Daemon, containerd and shims name the folder in their command lines. */
function processesOf(folder: string): number[] {
  return allProcesses()
    .filter((pid) => pid !== process.pid && /^(dockerd|containerd|docker-)/.test(nameOf(pid)))
    .filter((pid) => read(`/proc/${pid}/cmdline`).includes(`${folder}/`));
}

/** What ran in its containers lives on when daemon and shims have died; a daemon that is started again would end it. */
function orphansOf(folder: string): number[] {
  const containers = join(folder, "data", "containers");
  const ids = existsSync(containers) ? readdirSync(containers) : [];
  return allProcesses().filter((pid) => {
    const groups = read(`/proc/${pid}/cgroup`);
    return ids.some((id) => groups.includes(id));
  });
}

/** One that is paused dies when it is thawed, on a host with the first version of cgroups. */
function endOrphan(pid: number): void {
  const [, group] = /^\d+:freezer:(\/.+)$/m.exec(read(`/proc/${pid}/cgroup`)) ?? [];
  signal(pid, "SIGKILL");
  const state = `/sys/fs/cgroup/freezer${group}/freezer.state`;
  if (group !== undefined && existsSync(state)) writeFileSync(state, "THAWED");
}

/** Of this host, by their numbers. */
export const allProcesses = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

const nameOf = (pid: number): string => read(`/proc/${pid}/comm`);

/** A process that ended in between has nothing to say. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

async function gone(folder: string, within: number): Promise<void> {
  const until = performance.now() + within;
  while (processesOf(folder).length > 0 && performance.now() < until) await pause(20);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Deepest first. */
function mountsUnder(folder: string): string[] {
  return read("/proc/self/mounts")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
}

const lastLines = (folder: string): string =>
  read(join(folder, "dockerd.log")).trim().split("\n").slice(-3).join(" | ");
