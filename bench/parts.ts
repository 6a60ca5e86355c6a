/** What the measurements run on: a private engine, a registry, and Node as it is packaged on a device. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { startEngine } from "../src/studio/dockerd.ts";
import { startRegistry } from "../src/studio/registry.ts";

/** As the service's unit starts it. */
export const NODE_FLAGS = ["--max-semi-space-size=1", "--optimize-for-size", "--max-old-space-size=128"];

export async function startParts() {
  const folder = mkdtempSync(join(tmpdir(), "rgb-"));
  const engine = await startEngine({ folder: join(folder, "e") });
  const registry = await startRegistry({ folder: join(folder, "r") });
  return {
    socket: engine.socket,
    registry: registry.host,
    /** A warm compile cache, as a device has it from its second start on. */
    env: { MALLOC_ARENA_MAX: "1", NODE_COMPILE_CACHE: join(folder, "cache") },
    folder,
    stop: async () => {
      await registry.stop();
      await engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type Parts = Awaited<ReturnType<typeof startParts>>;

/**
 * Router and callers are this process, and on other machines in the field: during `act` they go before what the device does,
 * so nobody measures how they wait for its cores.
 */
export async function elsewhere<T>(act: () => Promise<T>): Promise<T> {
  const group = "/proc/self/autogroup";
  const goAt = (nice: number) => {
    setPriority(nice);
    if (existsSync(group)) writeFileSync(group, String(nice), { flag: "r+" });
  };
  goAt(-10);
  try {
    return await act();
  } finally {
    goAt(0);
  }
}

/** ms that a command takes. @throws {Error} if it fails. */
export async function timed(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const begun = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...env } });
  const [code] = (await once(child, "exit")) as [number];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
  return performance.now() - begun;
}

/** Anonymous memory of a process, MB. */
export function anonymous(pid: number): number {
  const [, kB = "0"] = /^Anonymous:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kB) / 1_000;
}

/** Time that all threads of a process had on a core, ms. */
export function cpuTime(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]));
  return ns.reduce((sum, each) => sum + each, 0) / 1e6;
}

/** A socket in front of the engine's that counts requests. */
export async function countingProxy(path: string, target: string) {
  let count = 0;
  const server = createServer((client) => {
    const engine = connect(target);
    client.on("data", (chunk) => {
      count += String(chunk).match(/^(GET|POST|PUT|DELETE|HEAD) \//gm)?.length ?? 0;
    });
    client.pipe(engine).pipe(client);
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const)
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, count: () => count, close: () => server.close() };
}
