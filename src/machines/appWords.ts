/**
 * The words of the chart in app.ts: its events, its effects, and what each guard, action and delay means. What it is told
 * and remembers is in appContext.ts, decisions are in model/plan.ts, arithmetic on what is remembered in model/memory.ts.
 */
import { and, assign, type ErrorActorEvent, enqueueActions, not, or, setup, stateIn } from "xstate";
import type * as Model from "../model/app.ts";
import { LONGEST_CRASH_WAIT, remaining } from "../model/backoff.ts";
import { type Ms, minutes, seconds } from "../model/duration.ts";
import { AgentError, type ErrorCode } from "../model/errors.ts";
import * as remember from "../model/memory.ts";
import { noted } from "../model/noted.ts";
import * as plan from "../model/plan.ts";
import { type AppContext, type AppInput, isUpdate, known } from "./appContext.ts";
import { slot } from "./slot.ts";

type StepFailed = ErrorActorEvent<unknown, "step">;
type AppEvent = Model.AppRequest | Model.ContainerFact | Model.EngineFact | StepFailed;

const STEADY_AFTER = minutes(10);
const LOOK_AGAIN_AFTER = seconds(30);
/** For how long a health check may say nothing at all about a new version. */
const LONGEST_START = minutes(10);

const step = (name: plan.Effect) => slot<Model.Facts, Model.StepInput>(name);
const is = (answer: plan.Next) => (args: { context: AppContext }) => plan.next(known(args.context)) === answer;
const at = (answer: plan.Place) => (args: { context: AppContext }) => plan.place(known(args.context)) === answer;
const until = (cap: Ms, deadline: (context: AppContext) => number) => (args: { context: AppContext }) =>
  remaining(deadline(args.context), args.context.now(), cap);
const startOf = ({ facts, now }: AppContext) => facts?.container?.startedAt ?? now();

/** Every step is invoked as `step`: one at a time, one way to fail. */
export const doing = <const Name extends plan.Effect>(src: Name) =>
  ({
    id: "step",
    src,
    input: ({ context }: { context: AppContext }): Model.StepInput => ({
      app: context.app,
      version: context.aim,
      spec: context.desired.spec,
      mayReuse: context.isUnwatched && context.memory.failures === 0,
    }),
  }) as const;
export const learnt = {
  type: "learn",
  params: ({ event }: { event: { output: Model.Facts } }) => event.output,
} as const;

interface Saying {
  /** In its place where an older version is here already: the step is one of an update. */
  readonly ofUpdate?: Model.WireState;
  readonly updateStatus?: Model.UpdateStatus;
}
export const says = (state: Model.WireState, saying: Saying = {}) =>
  ({ type: "report", params: { state, ...saying } }) as const;

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
    isHalfSwapped: at("swapping"),
    isHalfCommitted: at("committing"),
    isHalfUpdated: at("rollingBack"),
    isCrashed: at("crashed"),
    isPresent: at("present"),
    isRemoved: at("removed"),
    isUninstalled: at("uninstalled"),
    isPaused: ({ context }) => plan.isPaused(known(context)),
    isDown: ({ context: { desired, facts } }) => desired.target === "RUNNING" && !plan.isUp(facts?.container),
    isBad: ({ context: { facts, now } }) => !plan.isWell(facts?.container, now()),
    isBadForGood: ({ context: { facts, now } }) =>
      facts?.container?.isOneWay === true && !plan.isWell(facts.container, now()),
    isUnwanted: ({ context: { desired, facts, memory } }) =>
      desired.target === "RUNNING" && desired.version === (facts?.kept?.version ?? memory.wayBack),
    isHealthy: ({ context }) => context.facts?.container?.health === "healthy",
    isThrough: ({ context: { facts } }) =>
      facts?.container?.isOneWay === true || ["healthy", undefined].includes(facts?.container?.health),
    isElsewhere: or([
      and([stateIn("#app.present"), not("isPresent")]),
      and([stateIn("#app.active.running"), not("isRunning")]),
    ]),
    isAsAsked: and(["isAtRest", ({ context }) => context.isAsked && plan.next(known(context)) === "rest"]),
    isAtRest: or([stateIn("#app.absent"), stateIn("#app.present"), stateIn("#app.active.running")]),
    isCalledOff: ({ context }) => plan.next(known(context)) !== "pull" || context.aim !== plan.goal(known(context)),
    isWithdrawn: ({ context }) =>
      context.desired.target === "RUNNING" &&
      (plan.next(known(context)) !== "update" || context.aim !== plan.goal(known(context))),
    isStranger: ({ context: { facts }, event }) =>
      event.type === "container.started" && ![facts?.container?.id, facts?.kept?.id].includes(event.container.id),
    isPostponed: ({ context }) => context.memory.setAside?.until !== undefined,
    isHopeless: ({ context }) => context.memory.wait?.until === undefined,
    wasOnTrial: ({ context: { aim, facts, memory }, event }) =>
      facts !== undefined &&
      plan.isOnTrial(aim, facts, memory) &&
      !(facts.container?.isOneWay && hasCode(event, "container_exited")) &&
      !hasCode(event, ...OF_ENGINE),
    canRunOlder: ({ context, event }) =>
      context.desired.target === "RUNNING" && isUpdate(context) && !hasCode(event, ...OF_ENGINE),
    isEngineAway: ({ event }) => hasCode(event, "engine_unreachable"),
    isEngineSilent: ({ event }) => hasCode(event, "engine_timeout"),
  },

  actions: {
    want: assign(({ context: { desired, facts, memory, isAsked }, event }) => {
      if (event.type !== "app.request") return {};
      const here = facts?.container?.version;
      return {
        desired: event.desired,
        memory: remember.afterRequest(memory, desired, event.desired, event.by, here),
        isAsked: isAsked || event.by === "person",
      };
    }),
    endWait: assign({ memory: ({ context }) => remember.afterRetry(context.memory) }),
    hold: assign({ memory: ({ context }) => remember.afterHold(context.memory) }),
    note: assign(({ context: { facts, early }, event }) => {
      if (!("id" in event || "container" in event)) return {};
      return { facts: facts && noted(facts, event), early: [...early, event].slice(-8) };
    }),
    begin: assign({ early: [] }),
    aim: assign({ early: [], aim: ({ context }) => plan.goal(known(context)) }),
    aimBack: assign({
      early: [],
      verdict: "canceled",
      aim: ({ context: { aim, facts, memory } }) => facts?.kept?.version ?? memory.wayBack ?? aim,
    }),
    keepWayBack: assign({
      early: [],
      verdict: undefined,
      memory: ({ context }) => {
        const wayBack = plan.wayBackFrom(context.aim, context);
        return wayBack === context.memory.wayBack ? context.memory : { ...context.memory, wayBack };
      },
    }),
    noteProven: assign({
      verdict: "completed",
      memory: ({ context }) => ({ ...context.memory, wayBack: undefined }),
    }),
    /** A stopped app is updated when the image is here. */
    notePulled: assign(({ context }) =>
      context.desired.target === "PRESENT" && isUpdate(context) ? { verdict: "pending_remote_confirmation" } : {},
    ),
    /** On leaving an update: somebody wants something else, or the old version is back. */
    noteCanceled: assign(({ context }) => {
      const { desired, aim, verdict } = context;
      const isWanted = desired.version === aim && ["RUNNING", "PRESENT"].includes(desired.target);
      return isWanted || !isUpdate(context) ? { verdict } : { verdict: "canceled" };
    }),
    forgetFacts: assign({ facts: undefined, early: [] }),
    learn: assign(({ context: { early, memory } }, found: Model.Facts) => ({
      facts: early.filter(({ type }) => type !== "container.started").reduce(noted, found),
      early: [],
      memory: remember.afterLook(memory, found),
    })),
    countFailure: assign(({ context, event }) => {
      const error = errorIn(context, event);
      const memory = remember.afterFailure(context.memory, error, context.app.stage, chance(context));
      const known = remember.afterFailureOf(memory, context.facts?.container, context.desired);
      return { error, isUnwatched: false, memory: known };
    }),
    postpone: assign(({ context, event }) => {
      const error = errorIn(context, event);
      return { error, memory: remember.afterFailedDownload(context.memory, context.aim, error, chance(context)) };
    }),
    setAside: assign(({ context, event }) => {
      const error = errorIn(context, event);
      return { error, memory: remember.afterBadUpdate(context.memory, context.aim, error) };
    }),
    forgetFailures: assign(({ context: { memory } }) => ({
      error: undefined,
      memory: remember.afterSteady(memory),
    })),
    noteGap: assign({ isUnwatched: true }),
    noteUninstalled: assign({ memory: ({ context }) => ({ ...context.memory, isUninstalled: true }) }),
    beginProbation: assign({
      probationEndsAt: ({ context: { facts, now, updates } }) =>
        now() + (facts?.container?.health === "starting" ? LONGEST_START : updates.probation),
    }),
    answer: enqueueActions(({ context: { app: id, parent }, enqueue }) => {
      enqueue.sendTo(parent, { type: "app.repeat", app: id });
      enqueue.assign({ isAsked: false });
    }),
    report: enqueueActions(({ context, enqueue }, { state, ofUpdate = state, updateStatus }: Said) => {
      const { app: id, aim, error, facts, verdict, parent } = context;
      const told = spoken(id.stage, isUpdate(context) ? ofUpdate : state);
      enqueue.sendTo(parent, {
        type: "app.changed",
        app: id,
        state: told,
        version: told === "UPDATING" ? (plan.wayBackFrom(aim, context) ?? aim) : (facts?.container?.version ?? aim),
        updateStatus: updateStatus ?? (told === "UPDATING" ? undefined : verdict),
        error: state === "FAILED" ? error : undefined,
      });
      const isTold = verdict === "completed" ? told === "RUNNING" : plan.next(known(context)) === "rest";
      if (isTold) enqueue.assign({ verdict: undefined });
    }),
  },

  delays: {
    lookAgain: LOOK_AGAIN_AFTER,
    retryAt: until(LONGEST_CRASH_WAIT, ({ memory }) => memory.wait?.until ?? Infinity),
    graceEndsAt: until(plan.START_GRACE, (context) => startOf(context) + plan.START_GRACE),
    steadyAt: until(STEADY_AFTER, (context) => startOf(context) + STEADY_AFTER),
    nextUpdateAt: until(LONGEST_CRASH_WAIT, ({ memory }) => memory.setAside?.until ?? Infinity),
    probationEndsAt: until(LONGEST_START, ({ probationEndsAt }) => probationEndsAt ?? 0),
  },
});

interface Said extends Saying {
  readonly state: Model.WireState;
}

/** What was built here is not downloaded: where its image is missing, it fails at its start. */
function spoken(stage: Model.Stage, state: Model.WireState): Model.WireState {
  return stage === "DEV" && state === "DOWNLOADING" ? "STARTING" : state;
}

function errorIn({ facts }: AppContext, event: AppEvent): AgentError {
  return "error" in event ? AgentError.from(event.error) : remember.endOf(facts?.container);
}

/** They say nothing about the app. */
const OF_ENGINE: readonly ErrorCode[] = ["engine_unreachable", "engine_timeout"];

function hasCode(event: AppEvent, ...codes: readonly ErrorCode[]): boolean {
  return "error" in event && codes.includes(AgentError.from(event.error).code);
}

function chance({ now, random }: AppContext) {
  return { now: now(), random };
}
