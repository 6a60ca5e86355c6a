/** The embedded router as the studio runs it: who there is, and what each may do. Nobody gets in without a proof. */
import { randomBytes } from "node:crypto";
import { AgentError } from "../model/errors.ts";
import { authidOf } from "../model/names.ts";
import type { AuthMethod } from "../model/settings.ts";
import type { DeviceRow } from "./desiredStates.ts";
import { MiniRouter, type User } from "./router/minirouter.ts";
import { ROLES } from "./studioRoles.ts";

export interface StudioRouterOptions {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly devices: readonly DeviceRow[];
  readonly operator: { readonly authid: string; readonly secret: string };
}

/** On loopback nobody calls it by another name; elsewhere devices may, by any that leads to it. */
const named = (host: string) => (/^(127\.|::1$|localhost$)/.test(host) ? { hosts: [] } : {});

/** How the back end proves who it is. */
export interface BackEndLogin {
  readonly authid: string;
  readonly method: AuthMethod;
  readonly secret: string;
  readonly authextra?: Readonly<Record<string, unknown>>;
}

export interface StudioRouter {
  /** For devices. */
  readonly url: string;
  /** For the back end, where that is another one. */
  readonly inside?: string;
  readonly port: number;
  readonly backEnd: BackEndLogin;
  /** The router asks the back end who may come in and what he may do, so the back end must answer that. */
  readonly asksBackEnd: boolean;
  /** False: somebody else's, which goes on when the studio stops. */
  readonly isOurs: boolean;
  /** Lets a new device in. */
  admit(device: DeviceRow): void;
  stop(): Promise<void>;
}

/** The users that a router keeps itself. The secret of the back end is a new one each time. */
export function usersOf({ devices, operator }: Pick<StudioRouterOptions, "devices" | "operator">, secret: string) {
  const users: Record<string, User> = {
    system: { method: "wampcra", secret, role: "backend" },
    [operator.authid]: { method: "wampcra", secret: operator.secret, role: "operator" },
  };
  for (const device of devices) users[authidOf(device)] = userOf(device);
  return users;
}

export const userOf = ({ secret, serial }: DeviceRow): User => ({ method: "wampcra", secret, role: "device", serial });

/** @throws {AgentError} studio_refused: the port is not to be had. */
export async function startStudioRouter({ host, port, devices, operator }: StudioRouterOptions): Promise<StudioRouter> {
  const secret = randomBytes(32).toString("base64");
  const users = usersOf({ devices, operator }, secret);
  const router = new MiniRouter({
    users,
    roles: ROLES,
    keepalive: 10_000,
    joinWithin: 10_000,
    origins: [],
    ...named(host),
  });
  try {
    await router.listen({ host, port });
  } catch (error) {
    throw new AgentError("studio_refused", `it cannot listen on port ${port} of ${host}: ${String(error)}`);
  }
  return {
    url: router.url,
    port: Number(new URL(router.url).port),
    backEnd: { authid: "system", method: "wampcra", secret },
    asksBackEnd: false,
    isOurs: true,
    admit: (device) => {
      users[authidOf(device)] = userOf(device);
    },
    stop: () => router.close(),
  };
}
