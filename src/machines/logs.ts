/**
 * The output of one app: follows the container that is up, one run after the other. Lines never pass through it; its
 * effect takes them from the engine to the link. Rests in: ended. Picture: diagrams/logs.svg
 */
import { assign, or, setup } from "xstate";
import type { AppId } from "../model/app.ts";
import { watchSlot } from "./slot.ts";

export interface FollowInput {
  readonly app: AppId;
  readonly id: string;
  readonly startedAt: number;
}

interface LogsContext {
  readonly app: AppId;
  /** The run that is followed, or was last. */
  readonly run?: { readonly id: string; readonly startedAt: number } | undefined;
}

/** `logs.ended`: the output is over, or cannot be read any more. */
export type LogsFact = { readonly type: "logs.ended" };
/** `isOver`: the run has ended before anybody followed it; its output is there all the same. */
type LogsEvent =
  | LogsFact
  | { readonly type: "logs.follow"; readonly id: string; readonly startedAt: number; readonly isOver: boolean };

export const logsMachine = setup({
  types: {} as { context: LogsContext; events: LogsEvent; input: { readonly app: AppId } },

  actors: { followLogs: watchSlot<LogsFact, FollowInput>("followLogs") },

  guards: {
    isOtherRun: ({ context: { run }, event }) =>
      event.type === "logs.follow" && (run?.id !== event.id || run.startedAt !== event.startedAt),
    /** The output of a run that is up may have broken off; that of one that ended was read to its end. */
    isUp: ({ event }) => event.type === "logs.follow" && !event.isOver,
  },

  actions: {
    noteRun: assign({
      run: (_, { id, startedAt }: { id: string; startedAt: number }) => ({ id, startedAt }),
    }),
  },
}).createMachine({
  id: "logs",
  context: ({ input }) => ({ app: input.app }),
  options: { maxIterations: 50 },
  initial: "ended",

  states: {
    ended: {
      on: {
        "logs.follow": {
          guard: or(["isUp", "isOtherRun"]),
          target: "following",
          actions: { type: "noteRun", params: ({ event }) => event },
        },
      },
    },

    following: {
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
          actions: { type: "noteRun", params: ({ event }) => event },
        },
        "logs.ended": "ended",
      },
    },
  },
});
