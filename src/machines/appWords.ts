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
import { LONGEST_CRASH_WAIT, remaining } from "../model/backoff.ts";
import { type Ms, minutes, seconds } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import * as remember from "../model/memory.ts";
import { type Effect, isPaused, isUp, type Known, type Next, next, noted, type Place, place } from "../model/plan.ts";
import { slot } from "./slot.ts";

export interface AppInput {
  readonly app: Model.AppId;
  readonly desired: Model.Desired;
  readonly memory: Model.Memory;
  /** Why it failed last, as remembered by an actor before this one. */
  readonly error?: AgentError | undefined;
  readonly parent: ActorRef<Snapshot<unknown>, Model.AppReport>;
  readonly now: () => number;
  readonly random: () => number;
}

interface AppContext extends AppInput {
  readonly facts?: Model.Facts | undefined;
  /** Version that the step in progress is about. */
  readonly aim: string;
  /** The last facts that were told. They may be newer than the look that is on its way, so they are noted on it again. */
  readonly early: readonly Model.ContainerFact[];
}

type StepFailed = ErrorActorEvent<unknown, "step">;
type AppEvent = Model.AppRequest | Model.ContainerFact | Model.EngineFact | StepFailed;

const STEADY_AFTER = minutes(10);
const LOOK_AGAIN_AFTER = seconds(30);

const step = (name: Effect) => slot<Model.Facts, Model.StepInput>(name);
const is = (answer: Next) => (args: { context: AppContext }) => next(known(args.context)) === answer;
const at = (answer: Place) => (args: { context: AppContext }) => place(known(args.context)) === answer;
const until = (cap: Ms, deadline: (context: AppContext) => number) => (args: { context: AppContext }) =>
  remaining(deadline(args.context), args.context.now(), cap);

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
export const learnt = {
  type: "learn",
  params: ({ event }: { event: { output: Model.Facts } }) => event.output,
} as const;
export const says = (state: Model.WireState) => ({ type: "report", params: { state } }) as const;

export const app = setup({
  types: {} as { context: AppContext; events: AppEvent; input: AppInput },

  actors: {
    look: step("look"),
    pullImage: step("pullImage"),
    createContainer: step("createContainer"),
    startContainer: step("startContainer"),
    stopContainer: step("stopContainer"),
    removeApp: step("removeApp"),
  },

  guards: {
    pull: is("pull"),
    create: is("create"),
    stop: is("stop"),
    remove: is("remove"),
    wait: is("wait"),
    isRunning: at("running"),
    isPaused: ({ context }) => isPaused(known(context)),
    isCrashed: at("crashed"),
    isPresent: at("present"),
    isRemoved: at("removed"),
    isDown: ({ context: { desired, facts } }) => desired.target === "RUNNING" && !isUp(facts?.container),
    isElsewhere: or([
      and([stateIn("#app.present"), not("isPresent")]),
      and([stateIn("#app.active.running"), not("isRunning")]),
    ]),
    isAtRest: or([stateIn("#app.absent.removed"), stateIn("#app.present"), stateIn("#app.active.running")]),
    isCalledOff: ({ context }) => next(known(context)) !== "pull" || context.aim !== context.desired.version,
    isStranger: ({ context: { facts }, event }) =>
      event.type === "container.started" && event.container.id !== facts?.container?.id,
    isHopeless: ({ context }) => context.memory.wait?.until === undefined,
    isEngineAway: ({ event }) => "error" in event && AgentError.from(event.error).code === "engine_unreachable",
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
    aim: assign({ aim: ({ context }) => context.desired.version }),
    forgetFacts: assign({ facts: undefined, early: [] }),
    learn: assign(({ context: { early } }, found: Model.Facts) => ({
      facts: early.filter(({ type }) => type !== "container.started").reduce(noted, found),
      early: [],
    })),
    countFailure: assign(({ context: { facts, memory, app, now, random }, event }) => {
      const error = "error" in event ? AgentError.from(event.error) : remember.endOf(facts?.container);
      return { error, memory: remember.afterFailure(memory, error, app.stage, { now: now(), random }) };
    }),
    forgetFailures: assign({
      error: undefined,
      memory: ({ context }) => (context.memory.failures === 0 ? context.memory : { failures: 0 }),
    }),
    report: sendTo(
      ({ context }) => context.parent,
      ({ context: { app, aim, error } }, { state }: { state: Model.WireState }): Model.AppReport => ({
        type: "app.changed",
        app,
        state,
        version: aim,
        error: state === "FAILED" ? error : undefined,
      }),
    ),
  },

  delays: {
    lookAgain: LOOK_AGAIN_AFTER,
    retryAt: until(LONGEST_CRASH_WAIT, ({ memory }) => memory.wait?.until ?? Infinity),
    steadyAt: until(STEADY_AFTER, ({ facts, now }) => (facts?.container?.startedAt ?? now()) + STEADY_AFTER),
  },
});

function known({ desired, facts, memory }: AppContext): Known {
  return { desired, facts, memory };
}
