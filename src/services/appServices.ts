/** What the steps of apps need, put together from what is kept, from the engine, and from the link. */
import type { AppId } from "../model/app.ts";
import type { Device } from "../model/device.ts";
import { seconds } from "../model/duration.ts";
import type { AppOrder, RegistryLogins } from "../model/order.ts";
import type { Secret } from "../model/secret.ts";
import type { Settings } from "../model/settings.ts";
import { Adoption } from "./adoption.ts";
import { appCredential } from "./appCredential.ts";
import type { AppLogs } from "./appLogs.ts";
import { createSteps, type Steps } from "./appSteps.ts";
import { roomOn } from "./diskRoom.ts";
import type { Engine } from "./docker.ts";
import type { RegistryAuth } from "./dockerPull.ts";
import { HostPortPool } from "./hostPorts.ts";
import { PullQueue } from "./pullQueue.ts";
import type { Store } from "./store.ts";
import type { Uplink } from "./uplink.ts";

export interface AppServicesOptions {
  readonly settings: Settings;
  readonly appsDir: string;
  readonly store: Store;
  readonly engine: Engine;
  readonly uplink: Uplink;
  readonly logs: AppLogs;
  readonly device: () => Device;
  readonly deviceSecret: () => Promise<Secret>;
}

export interface AppServices {
  readonly steps: Steps;
  readonly ports: HostPortPool;
  readonly adoption: Adoption;
}

/**
 * At a start the studio may want something else by now than what it wanted last: no download begins before it could say
 * so, unless it says nothing for so long.
 */
const STUDIO_FIRST = seconds(60);

export function createAppServices(options: AppServicesOptions): AppServices {
  const { settings, appsDir, store, engine, uplink, logs, device, deviceSecret } = options;
  const orderOf = (app: AppId) => store.orderOf(app);
  const orders = store.apps().map(({ order }) => order);
  const adoption = new Adoption(store.takenOver?.revisions ?? {}, orders, orderOf);
  const ports = new HostPortPool(store);

  /** A login that the back end gave for this registry, else the owner's token with the device's secret. */
  async function registryAuth(order: AppOrder, signal: AbortSignal): Promise<RegistryAuth | undefined> {
    await uplink.met(STUDIO_FIRST, signal);
    const serveraddress = device().registryUrl.replace(/\/$/, "");
    const logins = JSON.parse(order.registries?.reveal() ?? "{}") as RegistryLogins;
    const login = logins[serveraddress];
    if (login) return { ...login, serveraddress };
    const token = await uplink.registryToken(order.owner || order.requestor);
    return token === undefined
      ? undefined
      : { username: token, password: (await deviceSecret()).reveal(), serveraddress };
  }

  const steps = createSteps({
    engine,
    device,
    adoption,
    ports,
    orderOf,
    registryAuth,
    policy: {
      access: settings["containers.access"],
      gpu: settings["containers.gpu"],
      unhealthyChecks: settings["containers.unhealthyChecks"],
      stopGrace: settings["containers.stopGrace"],
      appsDir,
    },
    checkRoom: roomOn(engine, settings["pulls.minFree"]),
    pulls: new PullQueue(settings["pulls.parallel"]),
    credentialOf: (order) => appCredential(order, device().serial, store.credentialKey),
    claimFolder: (folder, app) => store.claimFolder(folder, app),
    release: (app) => store.release(app),
    say: (order, text) => logs.say(order, text),
    sayLast: (order, text, run) => logs.sayLast(order, text, run),
    keepLast: (order, run) => logs.keepLast(order, run),
    onProgress: (order, line) => logs.progress(order, line),
  });
  return { steps, ports, adoption };
}
