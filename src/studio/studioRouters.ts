/** The router of a studio, whichever was chosen: the embedded one, a real one that is started for it, or somebody's. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { authidOf } from "../model/names.ts";
import { publicKeyOf } from "../services/wampAuth.ts";
import { startCrossbar } from "./crossbarRouter.ts";
import { AUTHENTICATE, AUTHORIZE } from "./gate.ts";
import { startNexus } from "./nexusRouter.ts";
import { freePort } from "./registry.ts";
import { EVERYTHING } from "./router/access.ts";
import { ROLES } from "./studioRoles.ts";
import {
  type BackEndLogin,
  type StudioRouter,
  type StudioRouterOptions,
  startStudioRouter,
  userOf,
  usersOf,
} from "./studioRouter.ts";

export type RouterChoice =
  | { readonly kind: "embedded" }
  /** Started for the studio; `program` is what is run. */
  | { readonly kind: "nexus" | "crossbar"; readonly program: string }
  /**
   * Somebody's, configured as docs/operations.md says. `inside`: what the back end dials, where that is not what devices do.
   * `key`: its private key, as `signingKey` takes it.
   */
  | { readonly kind: "url"; readonly url: string; readonly inside?: string; readonly key: string };

export interface OpenRouterOptions extends StudioRouterOptions {
  /** For files of a router that is started. */
  readonly folder: string;
}

const REALM = "realm1";
const KEEPALIVE = 10_000;

export async function openRouter(choice: RouterChoice, options: OpenRouterOptions): Promise<StudioRouter> {
  switch (choice.kind) {
    case "embedded":
      return startStudioRouter(options);
    case "nexus":
      return nexus(choice.program, options);
    case "crossbar":
      return crossbar(choice.program, options);
    case "url":
      return {
        url: choice.url,
        ...(choice.inside && { inside: choice.inside }),
        port: options.port,
        backEnd: byKey(choice.key),
        asksBackEnd: true,
        isOurs: false,
        admit: () => {},
        stop: async () => {},
      };
  }
}

async function nexus(program: string, options: OpenRouterOptions): Promise<StudioRouter> {
  const port = options.port || (await freePort());
  const secret = randomBytes(32).toString("base64");
  const users = usersOf(options, secret);
  const listen: [{ port: number }] = [{ port }];
  const folder = join(options.folder, "nexus");
  const common = { realm: REALM, keepalive: KEEPALIVE, roles: ROLES };
  const running = await startNexus({ program, folder, users, listen, ...common });
  return {
    url: `ws://127.0.0.1:${port}/`,
    port,
    backEnd: { authid: "system", method: "wampcra", secret },
    asksBackEnd: false,
    isOurs: true,
    admit: (device) => {
      users[authidOf(device)] = userOf(device);
      running.admit(users);
    },
    stop: () => running.stop(),
  };
}

/** Devices are let in by the back end, which itself comes in by a key that the router knows. */
async function crossbar(program: string, options: OpenRouterOptions): Promise<StudioRouter> {
  const port = options.port || (await freePort());
  const key = randomBytes(32).toString("hex");
  const running = await startCrossbar({
    program,
    folder: join(options.folder, "crossbar"),
    listen: [{ port }],
    ...fleetConfig(publicKeyOf(key)),
  });
  return {
    url: `ws://127.0.0.1:${port}/`,
    port,
    backEnd: byKey(key),
    asksBackEnd: true,
    isOurs: true,
    admit: () => {},
    stop: () => running.stop(),
  };
}

/** What docs/operations.md says of a fleet's Crossbar.io, but for its listeners. */
export const fleetConfig = (backEndKey: string) => ({
  realm: REALM,
  keepalive: KEEPALIVE,
  roles: { backend: EVERYTHING, device: { authorizer: AUTHORIZE }, operator: { authorizer: AUTHORIZE } },
  auth: {
    wampcra: { type: "dynamic", authenticator: AUTHENTICATE },
    cryptosign: {
      type: "static",
      principals: { system: { realm: REALM, role: "backend", authorized_keys: [backEndKey] } },
    },
  },
});

function byKey(key: string): BackEndLogin {
  const authextra = { pubkey: publicKeyOf(key), channel_binding: null };
  return { authid: "system", method: "cryptosign", secret: key, authextra };
}
