/** What somebody asked of an app, checked: one row of the desires on disk. What is secret in it shows itself to nobody. */
import type { AppId, Desired, Target } from "./app.ts";
import { markOf } from "./appEnvironment.ts";
import { declaredOf, type PortRule, publishedOf } from "./portRule.ts";
import type { Secret } from "./secret.ts";

export interface AppOrder {
  readonly app: AppId;
  /** The app's name as it stands in names and paths: lower-case, `[a-z0-9][a-z0-9_-]{0,62}`. */
  readonly name: string;
  readonly target: Target;
  /** The version that is pulled and run: present_version, else newest_version. */
  readonly version: string;
  readonly releaseKey: number;
  /** Keys of other versions that were named, the last ones: reports are about the version in place. */
  readonly releases?: Readonly<Record<string, number>>;
  /** Account key of who asked; goes back in each report. */
  readonly requestor: number;
  /** Account key of the device's owner, for registry tokens. 0 where nobody said. */
  readonly owner: number;
  /** JSON of the user's variables: name -> value. Absent where there are none. */
  readonly environment?: Secret;
  /** Variables that no container could take, one sentence each; the app's log says so when its container is made. */
  readonly leftOut?: readonly string[];
  readonly ports?: readonly PortRule[];
  /** Counts how often the app's credential was made invalid; absent is 1. */
  readonly credentialEpoch?: number;
  /** For the app's INSTANCE_KEY. */
  readonly instanceKey?: number;
  /** JSON of a `RegistryLogins`: registries that the back end gave a login for. */
  readonly registries?: Secret;
}

/** Registry -> how to log in there. */
export type RegistryLogins = Readonly<Record<string, { readonly username: string; readonly password: string }>>;

/** As many versions keep their release key. */
const MOST_RELEASES = 8;

/** The release key of a version. */
export const releaseOf = ({ releases = {}, releaseKey }: AppOrder, version: string): number =>
  releases[version] ?? releaseKey;

/** A new order over the one before: what it does not name stays, since not every message has all of it. */
export function onTopOf(asked: AppOrder, before: AppOrder | undefined): AppOrder {
  if (!before) return asked;
  const known = { ...before.releases, [before.version]: before.releaseKey };
  const releases = Object.entries({ ...known, ...asked.releases }).filter(
    ([version, key]) => version !== "" && version !== asked.version && key > 0,
  );
  const { credentialEpoch, instanceKey, registries } = before;
  const { releases: _, ...said } = asked;
  return {
    ...(credentialEpoch !== undefined && { credentialEpoch }),
    ...(instanceKey !== undefined && { instanceKey }),
    ...(registries !== undefined && { registries }),
    ...said,
    owner: asked.owner || before.owner,
    ...(releases.length > 0 && { releases: Object.fromEntries(releases.slice(-MOST_RELEASES)) }),
  };
}

/** Changes when a new container is needed for the order to take effect, other than by its version. */
export function revisionOf({ name, environment, ports = [], credentialEpoch = 1, instanceKey }: AppOrder): string {
  const shown = publishedOf(ports).map(declaredOf).sort();
  const parts = [
    ...(credentialEpoch > 1 ? [`e${credentialEpoch}`] : []),
    ...(instanceKey === undefined ? [] : [`i${instanceKey}`]),
    ...(environment ? [markOf(environment.reveal())] : []),
    ...(shown.length > 0 ? [markOf(shown.join())] : []),
  ];
  return ["1", name, ...parts].join("-");
}

/** The user's variables. */
export const variablesOf = ({ environment }: AppOrder): Readonly<Record<string, string>> =>
  environment ? (JSON.parse(environment.reveal()) as Record<string, string>) : {};

/** The part of an order that the app's machine holds. */
export const desiredOf = (order: AppOrder): Desired => ({
  target: order.target,
  version: order.version,
  spec: revisionOf(order),
});
