/**
 * The output of one app: follows the container that is up, one run after the other, as long as somebody listens. Lines never
 * pass through it; its effect takes them from the engine to the link, and knows how far it came.
 *
 * Who listens, and which run there is, is noted at once in every state and acted on by the states.
 * Rests in: ended, paused. Picture: diagrams/logs.svg
 */
import { assign, or, setup } from "xstate";
import type { AppId, Run } from "../model/app.ts";
import { watchSlot } from "./slot.ts";

export interface FollowInput extends Run {
  readonly app: AppId;
}

interface LogsContext {
  readonly app: AppId;
  /** Somebody listens, as far as is known. */
  readonly isHeard: boolean;
  /** The run that is followed, or was last. */
  readonly run?: Run | undefined;
}

/** `logs.ended`: the output is over, or cannot be read any more. */
export type LogsFact = { readonly type: "logs.ended" };
/** `logs.unheard` too while there is no link: who listens is not known then. */
export type HearingFact = { readonly type: "logs.heard" } | { readonly type: "logs.unheard" };
/** `isOver`: the run has ended before anybody followed it; its output is there all the same. */
type LogsEvent = LogsFact | HearingFact | ({ readonly type: "logs.follow"; readonly isOver: boolean } & Run);

const noted = ({ event }: { event: Run }) => event;

export const logsMachine = setup({
  types: {} as { context: LogsContext; events: LogsEvent; input: { readonly app: AppId } },

  actors: {
    followLogs: watchSlot<LogsFact, FollowInput>("followLogs"),
    watchListeners: watchSlot<HearingFact, { readonly app: AppId }>("watchListeners"),
  },

  guards: {
    isHeard: ({ context }) => context.isHeard,
    isUnheard: ({ context }) => !context.isHeard,
    isOtherRun: ({ context: { run }, event }) =>
      event.type === "logs.follow" && (run?.id !== event.id || run.startedAt !== event.startedAt),
    /** The output of a run that is up may have broken off; that of one that ended was read to its end. */
    isUp: ({ event }) => event.type === "logs.follow" && !event.isOver,
  },

  actions: {
    noteRun: assign({
      run: (_, { id, startedAt }: Run) => ({ id, startedAt }),
    }),
    noteHeard: assign({ isHeard: true }),
    noteUnheard: assign({ isHeard: false }),
  },
}).createMachine({
  id: "logs",
  context: ({ input }) => ({ app: input.app, isHeard: false }),
  options: { maxIterations: 50 },
  initial: "ended",

  invoke: {
    id: "listeners",
    src: "watchListeners",
    input: ({ context: { app } }) => ({ app }),
    onError: { actions: "noteUnheard" },
  },
  on: {
    "logs.heard": { actions: "noteHeard" },
    "logs.unheard": { actions: "noteUnheard" },
  },

  states: {
    ended: {
      on: {
        "logs.follow": {
          guard: or(["isUp", "isOtherRun"]),
          target: "paused",
          actions: { type: "noteRun", params: noted },
        },
      },
    },

    paused: {
      always: { guard: "isHeard", target: "following" },
      on: { "logs.follow": { actions: { type: "noteRun", params: noted } } },
    },

    following: {
      always: { guard: "isUnheard", target: "paused" },
      invoke: {
        id: "output",
        src: "followLogs",
        input: ({ context: { app, run } }) => ({ app, id: run?.id ?? "", startedAt: run?.startedAt ?? 0 }),
        onError: "ended",
      },
      on: {
        "logs.follow": {
          guard: "isOtherRun",
          target: "following",
          reenter: true,
          actions: { type: "noteRun", params: noted },
        },
        "logs.ended": "ended",
      },
    },
  },
});
