/** The embedded router as the studio runs it: who there is, and what each may do. Nobody gets in without a proof. */
import { randomBytes } from "node:crypto";
import { AgentError } from "../model/errors.ts";
import type { DeviceRow } from "./desiredStates.ts";
import { EVERYTHING, MiniRouter, type Roles, type User } from "./router/minirouter.ts";

/** A testament is a publication, so its topic needs a rule too. */
const ROLES: Roles = {
  device: [
    { uri: "re.mgmt.{serial}.", match: "prefix", allow: ["register", "publish", "subscribe"] },
    { uri: "reswarm.logs.{serial}.", match: "prefix", allow: ["publish"] },
    { uri: "reswarm.api.testament_device", allow: ["publish"] },
    { uri: "reswarm.devices.", match: "prefix", allow: ["call"], disclose: true },
    { uri: "reswarm.containers.", match: "prefix", allow: ["call"], disclose: true },
    { uri: "wamp.session.add_testament", allow: ["call"] },
    { uri: "wamp.session.flush_testaments", allow: ["call"] },
    { uri: "wamp.subscription.match", allow: ["call"] },
    { uri: "wamp.subscription.on_create", allow: ["subscribe"] },
    { uri: "wamp.subscription.on_delete", allow: ["subscribe"] },
    { uri: "wamp.registration.on_unregister", allow: ["subscribe"] },
    // The original agent subscribes to this very text.
    { uri: "reswarm.device.%d.list/ondestroy", allow: ["subscribe"] },
  ],
  operator: [
    { uri: "re.mgmt.", match: "prefix", allow: ["call", "subscribe"], disclose: true },
    { uri: "reswarm.logs.", match: "prefix", allow: ["subscribe"] },
  ],
  backend: EVERYTHING,
};

export interface StudioRouterOptions {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  readonly devices: readonly DeviceRow[];
  readonly operator: { readonly authid: string; readonly secret: string };
}

export interface StudioRouter {
  readonly url: string;
  readonly port: number;
  /** Of the user `system`; a new one each time. */
  readonly backEndSecret: string;
  /** Lets a new device in. */
  admit(device: DeviceRow): void;
  stop(): Promise<void>;
}

/** @throws {AgentError} studio_refused: the port is not to be had. */
export async function startStudioRouter({ host, port, devices, operator }: StudioRouterOptions): Promise<StudioRouter> {
  const backEndSecret = randomBytes(32).toString("base64");
  const users: Record<string, User> = {
    system: { method: "wampcra", secret: backEndSecret, role: "backend" },
    [operator.authid]: { method: "wampcra", secret: operator.secret, role: "operator" },
  };
  const admit = ({ swarmKey, deviceKey, secret, serial }: DeviceRow): void => {
    users[`${swarmKey}-${deviceKey}`] = { method: "wampcra", secret, role: "device", serial };
  };
  for (const device of devices) admit(device);
  const router = new MiniRouter({ users, roles: ROLES, keepalive: 10_000, joinWithin: 10_000, origins: [] });
  try {
    await router.listen({ host, port });
  } catch (error) {
    throw new AgentError("studio_refused", `it cannot listen on port ${port} of ${host}: ${String(error)}`);
  }
  return {
    url: router.url,
    port: Number(new URL(router.url).port),
    backEndSecret,
    admit,
    stop: () => router.close(),
  };
}
