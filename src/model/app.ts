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
  | "DELETING";

export const TARGETS = ["RUNNING", "PRESENT", "REMOVED"] as const;
export type Target = (typeof TARGETS)[number];

/** What somebody asked for last. On disk before it gets here, so an actor that starts anew is given it again. */
export interface Desired {
  readonly target: Target;
  readonly version: string;
  /** Revision of everything else that needs a new container to take effect. */
  readonly spec: string;
}

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
  /** Absent where nobody knows: it ended while the engine was away. */
  readonly exitCode?: number | undefined;
}

/** What one look at the engine shows. Every step ends with a look, so every step's result has this shape. */
export interface Facts {
  /** Versions whose image is on disk. */
  readonly images: readonly string[];
  readonly container?: Container | undefined;
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
}

export const NOTHING_REMEMBERED: Memory = { failures: 0 };

/** What every step is given: enough to do it, and to do it again. */
export interface StepInput {
  readonly app: AppId;
  readonly version: string;
  /** Revision of the order: the service reads the rest by it. */
  readonly spec: string;
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
    }
  | { readonly type: "container.paused"; readonly id: string }
  | { readonly type: "container.removed"; readonly id: string };

/** A fact about a container of ours, with the app that it belongs to. The engine actor tells the root, the root the app. */
export interface AppFact {
  readonly type: "app.fact";
  readonly app: AppId;
  readonly fact: ContainerFact;
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
  readonly version: string;
  readonly error?: AgentError | undefined;
}
