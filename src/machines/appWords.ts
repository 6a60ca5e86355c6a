/**
 * The words of the chart in app.ts: what it is told and remembers, its effects, and what each guard, action and delay
 * means. Decisions are in model/plan.ts, arithmetic on what is remembered in model/memory.ts.
 */
import {
  type ActorRef,
  and,
  assign,
  type ErrorActorEvent,
  not,
  or,
  type Snapshot,
  sendTo,
  setup,
  stateIn,
} from "xstate";
import type * as Model from "../model/app.ts";
import type { ContainerFact, Facts, WireState } from "../model/app.ts";
import { CRASH_CAP, remaining } from "../model/backoff.ts";
import { type Ms, minutes, seconds } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import * as remember from "../model/memory.ts";
import {
  type Effect,
  goal,
  isOnTrial,
  isWell,
  type Known,
  type Next,
  next,
  noted,
  type Place,
  place,
  START_GRACE,
  wayBackFrom,
} from "../model/plan.ts";
import { slot } from "./slot.ts";

export interface AppInput {
  readonly app: Model.AppId;
  readonly desired: Model.Desired;
  readonly memory: Model.Memory;
  readonly parent: ActorRef<Snapshot<unknown>, Model.AppReport>;
  readonly probation: Ms;
  readonly now: () => number;
  readonly random: () => number;
}

interface AppContext extends AppInput {
  readonly facts?: Facts | undefined;
  /** Version that the step in progress is about. */
  readonly aim: string;
  /** The last facts that were told. They may be newer than the look that is on its way, so they are noted on it again. */
  readonly early: readonly ContainerFact[];
  readonly error?: AgentError | undefined;
  /** When the probation in progress ends. Begins anew with the agent: a restart costs one probation, not a bad commit. */
  readonly probationEndsAt?: number | undefined;
}

type StepFailed = ErrorActorEvent<unknown, "step">;
type AppEvent = Model.AppRequest | ContainerFact | Model.EngineFact | StepFailed;

const STEADY_AFTER = minutes(10);
const LOOK_AGAIN_AFTER = seconds(30);

const step = (name: Effect) => slot<Facts, Model.StepInput>(name);
const is = (answer: Next) => (args: { context: AppContext }) => next(known(args.context)) === answer;
const at = (answer: Place) => (args: { context: AppContext }) => place(known(args.context)) === answer;
const until = (cap: Ms, deadline: (context: AppContext) => number) => (args: { context: AppContext }) =>
  remaining(deadline(args.context), args.context.now(), cap);
const startOf = ({ facts, now }: AppContext) => facts?.container?.startedAt ?? now();
/** Every step is invoked as `step`: one at a time, one way to fail. */
export const doing = <const Name extends Effect>(src: Name) =>
  ({
    id: "step",
    src,
    input: ({ context }: { context: AppContext }): Model.StepInput => ({
      app: context.app,
      version: context.aim,
      spec: context.desired.spec,
    }),
  }) as const;
export const learnt = { type: "learn", params: ({ event }: { event: { output: Facts } }) => event.output } as const;
/** The second name is for a step that is there because of an update: a version is here already. */
export const says = (state: WireState, ofUpdate = state) => ({ type: "report", params: { state, ofUpdate } }) as const;
export const app = setup({
  types: {} as { context: AppContext; events: AppEvent; input: AppInput },

  actors: {
    look: step("look"),
    pullImage: step("pullImage"),
    createContainer: step("createContainer"),
    startContainer: step("startContainer"),
    haltContainer: step("haltContainer"),
    stopContainer: step("stopContainer"),
    removeApp: step("removeApp"),
    uninstallApp: step("uninstallApp"),
    swapContainers: step("swapContainers"),
    commitUpdate: step("commitUpdate"),
    rollBackUpdate: step("rollBackUpdate"),
  },

  guards: {
    pull: is("pull"),
    create: is("create"),
    stop: is("stop"),
    remove: is("remove"),
    uninstall: is("uninstall"),
    update: is("update"),
    wait: is("wait"),
    isRunning: at("running"),
    isSick: at("sick"),
    isOnProbation: at("probation"),
    isHalfUpdated: at("rollingBack"),
    isCrashed: at("crashed"),
    isPresent: at("present"),
    isRemoved: at("removed"),
    isUninstalled: at("uninstalled"),
    isDown: ({ context: { desired, facts } }) => desired.target === "RUNNING" && facts?.container?.is !== "up",
    isBad: ({ context: { facts, now } }) => !isWell(facts?.container, now()),
    isElsewhere: or([
      and([stateIn("#app.present"), not("isPresent")]),
      and([stateIn("#app.active.running"), not("isRunning")]),
    ]),
    isCalledOff: ({ context }) =>
      !["pull", "update"].includes(next(known(context))) || context.aim !== goal(known(context)),
    isStranger: ({ context: { facts }, event }) =>
      "container" in event && ![facts?.container?.id, facts?.kept?.id].includes(event.container.id),
    isPostponed: ({ context }) => context.memory.setAside?.until !== undefined,
    isHopeless: ({ context }) => context.memory.wait?.until === undefined,
    wasOnTrial: ({ context: { aim, facts, memory }, event }) =>
      facts !== undefined && isOnTrial(aim, facts, memory) && !isEngineAway(event),
    isEngineAway: ({ event }) => isEngineAway(event),
    isProven: ({ context: { facts } }) => ["healthy", undefined].includes(facts?.container?.health),
  },

  actions: {
    want: assign(({ context: { desired, memory }, event }) => {
      if (event.type !== "app.request") return {};
      return { desired: event.desired, memory: remember.afterRequest(memory, desired, event.desired, event.by) };
    }),
    endWait: assign({ memory: ({ context }) => remember.afterRetry(context.memory) }),
    hold: assign({ memory: ({ context }) => remember.afterHold(context.memory) }),
    note: assign(({ context: { facts, early }, event }) => {
      if (!("id" in event || "container" in event)) return {};
      return { facts: facts && noted(facts, event), early: [...early, event].slice(-8) };
    }),
    aim: assign({ aim: ({ context }) => goal(known(context)) }),
    aimBack: assign({ aim: ({ context: { aim, facts, memory } }) => facts?.kept?.version ?? memory.wayBack ?? aim }),
    keepWayBack: assign({
      memory: ({ context }) => ({ ...context.memory, wayBack: wayBackFrom(context.aim, context) }),
    }),
    noteProven: assign({ memory: ({ context }) => ({ ...context.memory, wayBack: undefined }) }),
    forgetFacts: assign({ facts: undefined, early: [] }),
    learn: assign(({ context: { early, memory } }, found: Facts) => ({
      facts: early.filter(({ type }) => type !== "container.started").reduce(noted, found),
      early: [],
      memory: remember.afterLook(memory, found),
    })),
    countFailure: assign(({ context, event }) => {
      const error = "error" in event ? AgentError.from(event.error) : remember.endOf(context.facts?.container);
      return { error, memory: remember.afterFailure(context.memory, error, context.app.stage, chance(context)) };
    }),
    postpone: assign(({ context, event }) => {
      const error = AgentError.from("error" in event ? event.error : event.type);
      return { error, memory: remember.afterFailedDownload(context.memory, context.aim, error, chance(context)) };
    }),
    setAside: assign(({ context, event }) => {
      const error = "error" in event ? AgentError.from(event.error) : remember.endOf(context.facts?.container);
      return { error, memory: remember.afterBadUpdate(context.memory, context.aim, error) };
    }),
    forgetFailures: assign(({ context }) => ({
      memory: { ...context.memory, failures: 0, wait: undefined },
      error: undefined,
    })),
    noteUninstalled: assign(({ context }) => ({ memory: { ...context.memory, uninstalled: true } })),
    beginProbation: assign({ probationEndsAt: ({ context }) => context.now() + context.probation }),
    report: sendTo(
      ({ context }) => context.parent,
      ({ context }, { state, ofUpdate }: { state: WireState; ofUpdate: WireState }) => ({
        type: "app.changed" as const,
        app: context.app,
        state: wayBackFrom(context.aim, context) === undefined ? state : ofUpdate,
        version: context.facts?.container?.version,
        error: context.error,
      }),
    ),
  },

  delays: {
    lookAgain: LOOK_AGAIN_AFTER,
    retryAt: until(CRASH_CAP, ({ memory }) => memory.wait?.until ?? Infinity),
    graceEndsAt: until(START_GRACE, (context) => startOf(context) + START_GRACE),
    steadyAt: until(STEADY_AFTER, (context) => startOf(context) + STEADY_AFTER),
    nextUpdateAt: until(CRASH_CAP, ({ memory }) => memory.setAside?.until ?? Infinity),
    probationEndsAt: until(CRASH_CAP, ({ probationEndsAt }) => probationEndsAt ?? 0),
  },
});

function known({ desired, facts, memory, now }: AppContext): Known {
  return { desired, facts, memory, at: now() };
}

function isEngineAway(event: AppEvent): boolean {
  return "error" in event && AgentError.from(event.error).code === "engine_unreachable";
}

function chance({ now, random }: AppContext) {
  return { now: now(), random };
}
