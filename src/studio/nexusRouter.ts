/** nexus (gammazero/nexus) as a studio or a test runs it. Our own small program around it reads users and rules from a file. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Roles } from "./router/access.ts";
import type { User } from "./router/authenticators.ts";
import { type RouterProcess, startRouterProcess } from "./routerProcess.ts";

/** One address that a router listens on; with a certificate over TLS, with `clientCa` for those only whom it vouches for. */
export interface Listen {
  readonly port: number;
  readonly cert?: string;
  readonly key?: string;
  readonly clientCa?: string;
}

export interface NexusOptions {
  readonly program: string;
  readonly folder: string;
  readonly realm: string;
  readonly users: Readonly<Record<string, User>>;
  /** Without rules everybody who is in may do everything. */
  readonly roles?: Roles;
  /** The first one in the clear. Paths of PEM files. */
  readonly listen: readonly [Listen, ...Listen[]];
  /** ms between pings. */
  readonly keepalive?: number;
}

export interface NexusRouter extends RouterProcess {
  /** From the next login on. */
  admit(users: Readonly<Record<string, User>>): void;
}

export async function startNexus(options: NexusOptions): Promise<NexusRouter> {
  const { program, folder, realm, users, roles = {}, listen, keepalive = 0 } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "nexus.json");
  const write = (who: Readonly<Record<string, User>>) => {
    const at = listen.map(({ port, ...tls }) => ({ address: `127.0.0.1:${port}`, ...tls }));
    const text = JSON.stringify({ realm, keepalive, users: who, roles, listen: at });
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  write(users);
  const url = `ws://127.0.0.1:${listen[0].port}/`;
  const running = await startRouterProcess({ name: "nexus", program, args: [path], folder, url, realm });
  return { ...running, admit: write };
}
