/** What an app is: what is wanted of it, what is known about it, what is remembered about it. No I/O, no XState. */
import type { AgentError, ErrorCode } from "./errors.ts";

export type Stage = "DEV" | "PROD";
export interface AppId {
  readonly stage: Stage;
  readonly key: number;
}

/** `PROD:42`: the app in ids of actors, in logs and on disk. */
export const appName = ({ stage, key }: AppId): string => `${stage}:${key}`;

/** Spelling fixed by the cloud. */
export type WireState =
  | "REMOVED"
  | "DOWNLOADING"
  | "PRESENT"
  | "STARTING"
  | "RUNNING"
  | "STOPPING"
  | "FAILED"
  | "UPDATING"
  | "DELETING"
  | "UNINSTALLED";

/** How an update ended, in the words of the cloud: the new version is in place, it runs, or the old one is back. */
export type UpdateStatus = "pending_remote_confirmation" | "completed" | "canceled";

export const TARGETS = ["RUNNING", "PRESENT", "REMOVED", "UNINSTALLED"] as const;
export type Target = (typeof TARGETS)[number];

/** What somebody asked for last. On disk before it gets here, so an actor that starts anew is given it again. */
export interface Desired {
  readonly target: Target;
  /** The newest version if an update is asked for, else the present one. */
  readonly version: string;
  /** Revision of everything else that needs a new container to take effect. */
  readonly spec: string;
}

/** What a health check says. */
export type Health = "starting" | "healthy" | "unhealthy";

/** When an app whose container ended by itself is started again: the image's label `reagent.restart`. */
export const RESTARTS = ["always", "on-failure", "no"] as const;
export type Restart = (typeof RESTARTS)[number];

/** One container of this app. A run is (id, startedAt): a restart by hand keeps the id and is another run. */
export interface Container {
  readonly id: string;
  readonly version: string;
  readonly spec: string;
  readonly is: "made" | "up" | "down";
  /** Up, but frozen by hand. */
  readonly paused?: boolean;
  /** Wall time in ms since 1970; 0 if it never ran. */
  readonly startedAt: number;
  /** Absent without a health check, or where a label says that nobody acts on it. */
  readonly health?: Health | undefined;
  /** The last words of a health check that failed. */
  readonly healthSays?: string | undefined;
  /** Digest of its image: `sha256:...`. */
  readonly image?: string | undefined;
  /** Absent is `always`. */
  readonly restart?: Restart | undefined;
  /** It may have changed the app's data so that no older version can run with them. */
  readonly isOneWay?: boolean | undefined;
  /** Absent where nobody knows: it ended while the engine was away. */
  readonly exitCode?: number | undefined;
  /** Wall time in ms since 1970, as the engine saw it. */
  readonly endedAt?: number | undefined;
  /** The kernel ended it, or a part of it, for want of memory. */
  readonly isOutOfMemory?: boolean | undefined;
}

/** What a container did from one start to its end. */
export type Run = Pick<Container, "id" | "startedAt">;

/** What one look at the engine shows. Every step ends with a look, so every step's result has this shape. */
export interface Facts {
  /** Versions whose image is on disk. */
  readonly images: readonly string[];
  readonly container?: Container | undefined;
  /** The container of the version before, put aside by an update that is not committed yet. */
  readonly kept?: Container | undefined;
}

/** A wait that can be shown, skipped and ended. Without `until` it ends on request only. */
export interface Wait {
  readonly because: ErrorCode;
  readonly until?: number | undefined;
}

/** What nobody but the agent knows. One immutable object: whoever keeps it on disk compares identities. */
export interface Memory {
  /** Failures in a row; ten minutes up set it back to 0. */
  readonly failures: number;
  /** Set while the app waits after a failure. */
  readonly wait?: Wait | undefined;
  /** A version not to be tried: for good after a roll back, or until a time when it could not be downloaded. */
  readonly setAside?: (Wait & { readonly version: string }) | undefined;
  /**
   * The version to go back to, from the moment an update is taken up until the new version has proven itself. Its image
   * is kept that long. A container of another version is on probation, whenever it is started.
   */
  readonly wayBack?: string | undefined;
  /** A version that fails while another one is wanted: it need not come back before the other one is tried. */
  readonly passedOver?: string | undefined;
  /** Its data are gone, and nothing has come since. */
  readonly isUninstalled?: boolean | undefined;
}

export const NOTHING_REMEMBERED: Memory = { failures: 0 };

/** How a running app gets a newer version: the old one runs while the new one comes, or is stopped before. */
export const STRATEGIES = ["download-then-swap", "stop-then-download"] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What every step is given: enough to do it, and to do it again. */
export interface StepInput {
  readonly app: AppId;
  readonly version: string;
  /** Revision of the order: the service reads the rest by it. */
  readonly spec: string;
  /** A container that ended while nobody watched, and is as it is wanted, is started again as it is. */
  readonly mayReuse: boolean;
}

/** Requests: they are noted at once in every state and acted on by a state that can. */
export type AppRequest =
  | { readonly type: "app.request"; readonly desired: Desired; readonly by: Asker }
  | { readonly type: "app.retry" }
  | { readonly type: "app.hold" };

/** A person asked now, or the list that the back end keeps says so. */
export type Asker = "person" | "sync";

/** Facts about this app's containers, from the engine actor. Each was looked up, none is a bare Docker event. */
export type ContainerFact =
  | { readonly type: "container.started"; readonly container: Container }
  | {
      readonly type: "container.exited";
      readonly id: string;
      readonly startedAt: number;
      readonly exitCode?: number | undefined;
      readonly endedAt?: number | undefined;
      readonly isOutOfMemory?: boolean | undefined;
    }
  | {
      readonly type: "container.health";
      readonly id: string;
      readonly health: Health;
      readonly healthSays?: string | undefined;
    }
  | { readonly type: "container.paused"; readonly id: string }
  | { readonly type: "container.removed"; readonly id: string };

/** A fact about a container of ours, with the app that it belongs to. The engine actor tells the root, the root the app. */
export interface AppFact {
  readonly type: "app.fact";
  readonly app: AppId;
  readonly fact: ContainerFact;
  /** About the container of the version before, which an update put aside. */
  readonly isOfKept?: boolean | undefined;
}

/** Facts about the engine itself. */
export type EngineFact = { readonly type: "engine.lost" } | { readonly type: "engine.back" };

/** What the event stream says. `engine.opened`: it is open and all our containers were looked at. `engine.closed`: it is no more. */
export type WatchFact =
  | { readonly type: "engine.opened" }
  | { readonly type: "engine.closed"; readonly because: string }
  | AppFact;

/** What an app tells its parent. */
export interface AppReport {
  readonly type: "app.changed";
  readonly app: AppId;
  readonly state: WireState;
  /** The version in place: of an update, the old one until it is committed. */
  readonly version: string;
  /** Set: this report goes out whatever comes after it. */
  readonly updateStatus?: UpdateStatus | undefined;
  readonly error?: AgentError | undefined;
}

/** What an app asks of its parent: what it said last is told, even if it was told already. */
export interface AppRepeat {
  readonly type: "app.repeat";
  readonly app: AppId;
}
