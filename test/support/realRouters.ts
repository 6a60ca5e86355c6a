/** Embedded router, nexus and Crossbar.io with the same users and listeners, each as a process. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { programOf } from "../../scripts/routers.mjs";
import { publicKeyOf } from "../../src/services/wampAuth.ts";
import { startCrossbar } from "../../src/studio/crossbarRouter.ts";
import { type Listen, startNexus } from "../../src/studio/nexusRouter.ts";
import { freePort } from "../../src/studio/registry.ts";
import { EVERYTHING, type User } from "../../src/studio/router/minirouter.ts";
import { group, type RouterProcess, startRouterProcess } from "../../src/studio/routerProcess.ts";
import { makeCertificates } from "./certificates.ts";
import { USERS as CRA } from "./link.ts";

export const ROUTERS = ["embedded", "nexus", "crossbar"] as const;
export type RouterName = (typeof ROUTERS)[number];

/** Test keys only. */
export const SEED = "07".repeat(32);
const PASSWORD = "pw";
export const USERS: Readonly<Record<string, User>> = {
  ...CRA,
  op: { method: "ticket", secret: "op-ticket", role: "device" },
  signer: { method: "cryptosign", secret: publicKeyOf(SEED), role: "device" },
};

export interface Peer {
  readonly url: string;
  readonly wss: string;
  readonly mutual: string;
  readonly certificates: ReturnType<typeof makeCertificates>;
  /** Resolves when none of its threads, in any of its processes, runs any more: a signal stops them only once one of them has taken it. */
  freeze(): Promise<void>;
  thaw(): void;
  /** kill -9 */
  kill(): Promise<void>;
  /** SIGTERM */
  stop(): Promise<void>;
  /** After a stop or kill: on the same ports. */
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Crossbar.io derives a salted key itself, from the password. */
function crossbarAuth() {
  const of = (method: User["method"]) => Object.entries(USERS).filter(([, user]) => user.method === method);
  const cra = of("wampcra").map(([id, { method: _, ...user }]) => [
    id,
    "salt" in user ? { ...user, secret: PASSWORD } : user,
  ]);
  const tickets = of("ticket").map(([id, { secret, role }]) => [id, { ticket: secret, role }]);
  const keys = of("cryptosign").map(([id, { secret, role }]) => [
    id,
    { realm: "realm1", role, authorized_keys: [secret] },
  ]);
  return {
    wampcra: { type: "static", users: Object.fromEntries(cra) },
    ticket: { type: "static", principals: Object.fromEntries(tickets) },
    cryptosign: { type: "static", principals: Object.fromEntries(keys) },
  };
}

export async function startPeer(name: RouterName, { keepalive = 0 }: { keepalive?: number } = {}): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), "rgr-"));
  const certificates = makeCertificates();
  const put = (file: string, text: string): string => {
    writeFileSync(join(folder, file), text, { mode: 0o600 });
    return join(folder, file);
  };
  const tls = { cert: put("server.pem", certificates.server.cert), key: put("server.key", certificates.server.key) };
  const [plain, safe, mutual] = [await freePort(), await freePort(), await freePort()];
  const listen: [Listen, Listen, Listen] = [
    { port: plain },
    { port: safe, ...tls },
    { port: mutual, ...tls, clientCa: put("ca.pem", certificates.ca.cert) },
  ];
  const url = `ws://127.0.0.1:${plain}/`;
  const common = { realm: "realm1", listen, keepalive, folder: join(folder, "r") };
  const START: Record<RouterName, () => Promise<RouterProcess>> = {
    nexus: () => startNexus({ ...common, program: programOf("nexus"), users: USERS }),
    crossbar: () =>
      startCrossbar({ ...common, program: programOf("crossbar"), roles: { device: EVERYTHING }, auth: crossbarAuth() }),
    embedded: () => {
      const at = listen.map((each) => ({ ...each, address: `127.0.0.1:${each.port}` }));
      const config = put("embedded.json", JSON.stringify({ ...common, users: USERS, listen: at }));
      const args = [resolve("test/support/embeddedMain.ts"), config];
      return startRouterProcess({ name, program: process.execPath, args, folder: common.folder, url, realm: "realm1" });
    },
  };
  let running = await START[name]();
  return {
    url,
    wss: `wss://localhost:${safe}/`,
    mutual: `wss://localhost:${mutual}/`,
    certificates,
    freeze: async () => {
      running.signal("SIGSTOP");
      await expect.poll(() => threadStates(running.pid), { interval: 5 }).toMatch(/^T+$/);
    },
    thaw: () => running.signal("SIGCONT"),
    kill: () => running.kill(),
    stop: () => running.stop(),
    start: async () => {
      running = await START[name]();
    },
    [Symbol.asyncDispose]: async () => {
      running.signal("SIGCONT");
      await running.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A letter for each thread of the group, as /proc shows it; Crossbar.io routes in a process beside its leader. */
const threadStates = (leader: number): string =>
  group(leader)
    .flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/stat`))
    .map((path) => readFileSync(path, "utf8").replace(/^.*\) (.).*\n?$/s, "$1"))
    .join("");
