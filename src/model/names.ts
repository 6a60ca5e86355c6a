/**
 * Every name and path that follows from an app, one function each (wire-compatible with the original agent): containers,
 * images, topics, labels, folders. Nothing ever parses a name back.
 */
import type { AppId } from "./app.ts";
import { type AppOrder, revisionOf } from "./order.ts";

/** What an app may be called: it becomes part of a path, a container's and an image's name. */
export const APP_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

interface NamedApp {
  readonly app: AppId;
  readonly name: string;
}

/** `prod_42_weather` */
export const containerName = ({ app, name }: NamedApp): string => `${app.stage}_${app.key}_${name}`.toLowerCase();

/** `prod_42_weather.previous`: the container of the version before, until an update is committed. */
export const keptName = (of: NamedApp): string => `${containerName(of)}${KEPT}`;
/** No name of an app has a dot, so no other container's name ends so. */
export const KEPT = ".previous";

/** `prod_amd64_42_weather`; `machine` is architecture and variant, `armv7`. */
export const imageName = ({ app, name }: NamedApp, machine: string): string =>
  `${app.stage}_${machine}_${app.key}_${name}`.toLowerCase();

/** Where the registry keeps the images of an app. Registry and repository end with a slash and are put together plainly. */
export function repositoryOf(app: NamedApp, registry: { url: string; repository: string; machine: string }): string {
  return `${registry.url}${registry.repository}${imageName(app, registry.machine)}`;
}

/** What a device calls itself towards the router: `2-31`. Fixed for the length of a session. */
export const authidOf = ({ swarmKey, deviceKey }: { swarmKey: number; deviceKey: number }): string =>
  `${swarmKey}-${deviceKey}`;

/** Where everything that one container prints is published; publishing an app has another name than a container. */
export const logTopic = (serial: string, container: string): string => `reswarm.logs.${serial}.${container}`;
export const procedureName = (serial: string, name: string): string => `re.mgmt.${serial}.${name}`;

/** Labels of ours begin with this; an image that brings one of them is refused. */
export const LABEL_PREFIX = "io.reagent.";
const label = (name: string) => `${LABEL_PREFIX}${name}`;
export const LABELS = {
  agent: label("agent"),
  serial: label("serial"),
  stage: label("stage"),
  key: label("app-key"),
  version: label("version"),
  spec: label("spec"),
} as const;

/** Labels of an image by which its developer says how its containers are handled. */
export const WISHES = {
  /** `always`, `on-failure` or `no`: what follows when the container ends by itself. */
  restart: "reagent.restart",
  /** `off`: nobody acts on the health check. */
  health: "reagent.health",
  /** `off`: once it ran, no older version can run with its data. */
  wayBack: "reagent.way-back",
  /** Seconds between the stop signal and the kill. */
  stopGrace: "reagent.stop-grace",
} as const;

/** What a container of ours bears; `real` is the original's only label. */
export function labelsOf(order: AppOrder, serial: string): Record<string, string> {
  return {
    real: "True",
    [LABELS.agent]: "reagent",
    [LABELS.serial]: serial,
    [LABELS.stage]: order.app.stage,
    [LABELS.key]: String(order.app.key),
    [LABELS.version]: order.version,
    [LABELS.spec]: revisionOf(order),
  };
}

/** The app that a container says it belongs to; undefined unless it bears our serial and names an app. */
export function appOf(labels: Readonly<Record<string, string>>, serial: string): AppId | undefined {
  const { [LABELS.serial]: theirs, [LABELS.stage]: stage, [LABELS.key]: key = "" } = labels;
  if (theirs !== serial || (stage !== "PROD" && stage !== "DEV") || !/^[1-9]\d{0,15}$/.test(key)) return undefined;
  return { stage, key: Number(key) };
}

/** `prod/weather`: below the apps folder; what an app keeps as `/data`. Of two with one name, the other has `ownFolder`. */
export const dataFolder = ({ app, name }: NamedApp): string => `${app.stage}/${name}`.toLowerCase();

/** `prod/weather.43`: no name has a dot, so no other app can have it. */
export const ownFolder = (of: NamedApp): string => `${dataFolder(of)}.${of.app.key}`;
