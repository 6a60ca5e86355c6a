/** What one attempt at a link needs: address, proof and patience, as settings and flags say them. Read anew for each attempt. */
import type { Device } from "../model/device.ts";
import type { Flags } from "../model/flags.ts";
import { authidOf } from "../model/names.ts";
import type { Secret } from "../model/secret.ts";
import type { Settings } from "../model/settings.ts";
import { credentialsOf } from "./credentials.ts";
import type { LinkLog } from "./linkLog.ts";
import type { Log } from "./log.ts";
import type { LinkOptions } from "./wampLink.ts";
import { laneOf } from "./wampPriorities.ts";
import { pulse } from "./wampSocket.ts";

export interface LinkFrom {
  readonly settings: Settings;
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly log: Log;
  readonly linkLog: LinkLog;
  readonly device: () => Device;
  /** The device's secret, as the .flock file has it now. */
  readonly secret: () => Promise<Secret>;
}

export function linkOptionsOf({ settings, flags, env, version, log, linkLog, device, secret }: LinkFrom): LinkOptions {
  const url = device().endpointUrl;
  linkLog.dials(url);
  return {
    url,
    realm: settings["wamp.realm"],
    authid: authidOf(device()),
    ...credentialsOf({ settings, url, env, readSecret: async () => (await secret()).reveal() }),
    onEnd: (cause) => linkLog.ended(cause),
    agent: `reagent/${version}`,
    laneOf,
    ...pulse(flags.ppTimeout),
    requestWithin: flags.respTimeout,
    ...(flags.connTimeout > 0 && { dialWithin: flags.connTimeout }),
    onProblem: (what, error) => log.warn({ what, error }, "a defect on the link"),
  };
}
