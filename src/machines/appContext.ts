/** What the machine of an app is told at its start and remembers, and what is derived from that. */
import type { ActorRef, Snapshot } from "xstate";
import type * as Model from "../model/app.ts";
import type { Ms } from "../model/duration.ts";
import type { AgentError } from "../model/errors.ts";
import * as plan from "../model/plan.ts";

export interface AppInput {
  readonly app: Model.AppId;
  readonly desired: Model.Desired;
  readonly memory: Model.Memory;
  /** Why it failed last, as remembered by an actor before this one. */
  readonly error?: AgentError | undefined;
  readonly parent: ActorRef<Snapshot<unknown>, Model.AppReport | Model.AppRepeat>;
  readonly updates: Updates;
  readonly now: () => number;
  readonly random: () => number;
}

/** How newer versions come. */
export interface Updates {
  readonly strategy: Model.Strategy;
  /** How long a new version without a health check has to stay up. */
  readonly probation: Ms;
}

export interface AppContext extends AppInput {
  readonly facts?: Model.Facts | undefined;
  /** Version that the step in progress is about. */
  readonly aim: string;
  /** The last facts that were told since a step began. They may be newer than its look, so they are noted on it again. */
  readonly early: readonly Model.ContainerFact[];
  /** Nothing failed since the agent began, or since the engine was away: how a container ended then, nobody saw. */
  readonly isUnwatched: boolean;
  /** When the probation in progress ends. Begins anew with the agent: a restart costs one probation, not a bad commit. */
  readonly probationEndsAt?: number | undefined;
  /** How the last update ended, until the app is at rest. */
  readonly verdict?: Model.UpdateStatus | undefined;
  /** A person has asked: once the app is as it is wanted, that is told, even if the cloud knows it. */
  readonly isAsked: boolean;
}

/** What decisions are made from. */
export function known({ app: { stage }, desired, facts, memory, updates: { strategy }, now }: AppContext): plan.Known {
  return { stage, desired, facts, memory, strategy, at: now() };
}

/** The step in progress brings another version than the one that is here. */
export function isUpdate(context: AppContext): boolean {
  return plan.wayBackFrom(context.aim, context) !== undefined;
}
