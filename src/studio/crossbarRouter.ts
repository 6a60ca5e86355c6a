/** Crossbar.io as a studio or a test runs it: its configuration, made anew at each start in a folder of its own. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Listen } from "./nexusRouter.ts";
import type { Rule } from "./router/access.ts";
import { type RouterProcess, startRouterProcess } from "./routerProcess.ts";

/** By role: fixed rules, or the name of the procedure that decides. */
export type CrossbarRoles = Readonly<Record<string, readonly Rule[] | { readonly authorizer: string }>>;

export interface CrossbarOptions {
  readonly program: string;
  readonly folder: string;
  readonly realm: string;
  readonly roles: CrossbarRoles;
  /** As Crossbar.io wants it: a section for each method. */
  readonly auth: Readonly<Record<string, object>>;
  /** The first one in the clear. Paths of PEM files. */
  readonly listen: readonly [Listen, ...Listen[]];
  /** ms between pings. */
  readonly keepalive?: number;
}

export function crossbarConfig({ realm, roles, auth, listen, keepalive }: Omit<CrossbarOptions, "program" | "folder">) {
  const options = {
    enable_webstatus: false,
    open_handshake_timeout: 5_000,
    max_message_size: 16 << 20,
    ...(keepalive && { auto_ping_interval: keepalive, auto_ping_timeout: keepalive }),
  };
  return {
    version: 2,
    controller: {},
    workers: [
      {
        type: "router",
        realms: [{ name: realm, roles: Object.entries(roles).map(([name, rules]) => roleOf(name, rules)) }],
        transports: listen.map((each) => ({
          type: "websocket",
          endpoint: { type: "tcp", interface: "127.0.0.1", port: each.port, backlog: 1_024, ...tlsOf(each) },
          serializers: ["json"],
          options,
          auth,
        })),
      },
    ],
  };
}

function roleOf(name: string, rules: CrossbarRoles[string]) {
  if ("authorizer" in rules) return { name, authorizer: rules.authorizer };
  const permissions = rules.map(({ uri, match = "exact", allow }) => ({
    uri,
    match,
    allow: Object.fromEntries(
      ["call", "register", "publish", "subscribe"].map((each) => [each, allow.some((one) => one === each)]),
    ),
    disclose: { caller: true, publisher: true },
    cache: true,
  }));
  return { name, permissions };
}

const tlsOf = ({ cert, key, clientCa }: Listen) =>
  cert && key ? { tls: { certificate: cert, key, ...(clientCa && { ca_certificates: [clientCa] }) } } : {};

export async function startCrossbar({ program, folder, ...config }: CrossbarOptions): Promise<RouterProcess> {
  // It leaves its own identity there, which a second start would trip over.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "config.json"), JSON.stringify(crossbarConfig(config), null, 2), { mode: 0o600 });
  const args = ["start", "--cbdir", folder, "--loglevel", "info", "--logformat", "none", "--color", "false"];
  const url = `ws://127.0.0.1:${config.listen[0].port}/`;
  return startRouterProcess({ name: "Crossbar.io", program, args, folder, url, realm: config.realm });
}
