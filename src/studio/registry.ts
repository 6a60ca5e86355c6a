/** A registry on loopback for the demo and for tests: Debian's docker-registry, in one folder, without TLS. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export interface OwnRegistry {
  /** `127.0.0.1:<port>`: the first part of an image's name. */
  readonly host: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts it on a free port of loopback, or on `port`. What was pushed stays in the folder. */
export async function startRegistry({ folder, port }: { folder: string; port?: number }): Promise<OwnRegistry> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const host = `127.0.0.1:${port ?? (await freePort())}`;
  const config = join(folder, "registry.json");
  const storage = { filesystem: { rootdirectory: join(folder, "images") }, delete: { enabled: true } };
  const text = { version: "0.1", log: { level: "error" }, storage, http: { addr: host } };
  writeFileSync(config, JSON.stringify(text), { mode: 0o600 });
  const log = openSync(join(folder, "registry.log"), "a", 0o600);
  const child = spawn("docker-registry", ["serve", config], { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const lastLines = () => readFileSync(join(folder, "registry.log"), "utf8").trim().split("\n").slice(-3).join(" | ");
  child.once("error", (error) => reject(new Error(`docker-registry cannot be started: ${error.message}`)));
  child.once("exit", (code) => reject(new Error(`docker-registry ended with code ${code}: ${lastLines()}`)));
  failed.catch(() => {});
  await Promise.race([failed, answering(host)]);
  child.unref();
  return {
    host,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill("SIGKILL");
      while (child.exitCode === null && child.signalCode === null) await pause(10);
    },
  };
}

async function answering(host: string): Promise<void> {
  const until = performance.now() + 15_000;
  while (!(await answersAt(host))) {
    if (performance.now() > until) throw new Error(`docker-registry did not answer at ${host} within 15 s`);
    await pause(20);
  }
}

/** False as long as nobody listens there. */
const answersAt = (host: string): Promise<boolean> =>
  fetch(`http://${host}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );

/** A port of loopback that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
