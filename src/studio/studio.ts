/**
 * The studio of one person: an embedded router, a back end on it, and what is wanted of each device on disk. For the demo,
 * for tests and for a bench of devices; no fleet manager. Killed and started again on its folder, it goes on.
 */
import { randomBytes } from "node:crypto";
import type { Target } from "../model/app.ts";
import { AgentError } from "../model/errors.ts";
import { type AppOverview, type Granted, NewApp, NewDevice, read, type StudioEvent, Wish } from "../model/studio.ts";
import { BackEnd } from "./backEnd.ts";
import { DesiredStates, type DeviceRow } from "./desiredStates.ts";
import { type Flock, flockOf } from "./flock.ts";
import { gateProcedures } from "./gate.ts";
import { openRouter, type RouterChoice } from "./studioRouters.ts";

export interface StudioOptions {
  /** Holds `studio.db`; mode 0700. */
  readonly folder: string;
  /** Default is that of the last start on this folder, at first one that is free. 0: one that is free. */
  readonly port?: number;
  /** What to listen on, and what devices dial. Default is 127.0.0.1. */
  readonly host?: string;
  /** Where new devices pull from: `127.0.0.1:5000`. */
  readonly registryHost: string;
  /** Default is the embedded one. */
  readonly router?: RouterChoice;
  readonly onEvent: (event: StudioEvent) => void;
  /** Events with what the apps say; devices then send all of it. Default is true. */
  readonly logs?: boolean;
  readonly now?: () => Date;
  readonly random?: () => number;
}

export interface Studio {
  /** Of the router. */
  readonly url: string;
  readonly folder: string;
  /** A user of the router who may call devices and follow logs; the account key that wishes are made for. */
  readonly operator: { readonly authid: string; readonly secret: string };
  /** @throws {AgentError} studio_refused, {WireError} for a name that is none. */
  addDevice(device: { name: string; swarmName?: string; owner?: string; architecture?: string }): Flock;
  /** Of a device that is there, by name or serial number. */
  flock(device: string): Flock | undefined;
  /** Versions oldest first; an app that is known gets those that are new. */
  addApp(app: NewApp): void;
  /**
   * Writes it down, then tells the device if it is connected; it asks for it when it comes otherwise. Without a version: the
   * one wanted before, else the newest. The device may be left out where there is one. @throws {AgentError} studio_refused
   */
  desire(app: string | number, target: Target, version?: string, device?: string): Promise<Granted>;
  /** Ends the session of a device, as an operator may; it comes back by itself. */
  sendAway(device: string): Promise<void>;
  /** Each app on each device. */
  apps(): AppOverview[];
  knownApps(): NewApp[];
  /** Ends links and closes the file; what is wanted stays. */
  stop(): Promise<void>;
}

const ACCOUNT = 5;

export async function startStudio(options: StudioOptions): Promise<Studio> {
  const store = new DesiredStates(options.folder);
  try {
    return await startOn(store, options);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function startOn(store: DesiredStates, options: StudioOptions): Promise<Studio> {
  const { folder, registryHost, onEvent, host = "127.0.0.1", logs = true } = options;
  const { now = () => new Date(), random = Math.random } = options;
  const secret = store.setting("operator_secret", () => randomBytes(32).toString("base64"));
  const operator = { authid: String(ACCOUNT), secret };
  const port = options.port ?? Number(store.setting("port", () => "0"));
  const router = await openRouter(options.router ?? { kind: "embedded" }, {
    ...{ host, port, operator, folder },
    devices: store.devices(),
  });
  store.keep("port", String(router.port));
  const { url } = router;
  const office = { store, emit: onEvent, accounts: [ACCOUNT] as const, now };
  const gate = router.asksBackEnd ? gateProcedures({ store, operator }) : new Map();
  const backEnd = new BackEnd({ ...office, url: router.inside ?? url, login: router.backEnd, gate, logs, random });
  await backEnd.ready;
  let stopped: Promise<void> | undefined;

  return {
    url,
    folder,
    operator,
    addDevice(asked) {
      const device = store.addDevice(read(NewDevice, asked), registryHost);
      router.admit(device);
      backEnd.follow(device);
      return flockOf(device, url);
    },
    flock(name) {
      const device = store.device(name);
      return device && flockOf(device, url);
    },
    addApp: (app) => store.addApp(read(NewApp, app)),
    async desire(...asked) {
      const [app, target, version, device] = asked;
      const wish = read(Wish, { app, target, version, device });
      const [what, where] = [appNamed(store, wish.app), deviceNamed(store, wish.device)];
      const row = store.desire(where, what, wish.target, wish.version, ACCOUNT);
      const reply = await backEnd.request(where, row);
      return { app: what.name, device: where.name, target: wish.target, version: row.version, ...reply };
    },
    sendAway: (name) => backEnd.sendAway(deviceNamed(store, name)),
    apps: () => store.overview(),
    knownApps: () => store.apps(),
    stop() {
      stopped ??= backEnd
        .stop()
        .then(() => router.stop())
        .finally(() => store.close());
      return stopped;
    },
  };
}

function appNamed(store: DesiredStates, asked: string | number): NewApp {
  const apps = store.apps();
  const found = apps.find(({ key, name }) => name === asked || String(key) === String(asked));
  if (found) return found;
  const known = apps.map(({ name }) => name).join(", ");
  throw new AgentError("studio_refused", `there is no app ${asked}; ${known ? `known are ${known}` : "none is known"}`);
}

function deviceNamed(store: DesiredStates, asked: string | undefined): DeviceRow {
  const devices = store.devices();
  const known = devices.map(({ name }) => name).join(", ");
  const [only] = devices;
  if (asked === undefined && only && devices.length === 1) return only;
  const found = asked === undefined ? undefined : store.device(asked);
  if (found) return found;
  if (devices.length === 0) throw new AgentError("studio_refused", "there is no device yet");
  const missing = asked === undefined ? "say which device" : `there is no device ${asked}`;
  throw new AgentError("studio_refused", `${missing}; known are ${known}`);
}
