/**
 * Is Docker there? Owns the one event stream of the engine, for as long as it lasts; the open stream is the sign of life.
 *
 * It tells the root what happened to the engine (`engine.back`, `engine.lost`) and to each container of ours (`app.fact`).
 * Nothing is asked while nothing happens. Rests in: watched.live, waiting. Picture: diagrams/engine.svg
 */
import { type ActorRef, assign, type Snapshot, sendTo, setup } from "xstate";
import type { AppFact, EngineFact, WatchFact } from "../model/app.ts";
import { fullJitter, remaining } from "../model/backoff.ts";
import { type Ms, ms, seconds } from "../model/duration.ts";
import { watchSlot } from "./slot.ts";

export interface EngineInput {
  readonly parent: ActorRef<Snapshot<unknown>, EngineFact | AppFact>;
  readonly now: () => number;
  readonly random: () => number;
}

interface EngineContext extends EngineInput {
  /** Streams in a row that broke or never opened. */
  readonly failures: number;
  /** Why the last stream ended: words for a person. */
  readonly because?: string | undefined;
  readonly retryAt: number;
  readonly dueAt: number;
}

const OPEN_WITHIN: Ms = seconds(30);
const FIRST_RETRY: Ms = ms(500);
const LONGEST_RETRY: Ms = seconds(10);

const says = (type: EngineFact["type"]) => ({ type: "tell", params: { type } }) as const;
const ends = (because: string) => ({ type: "countFailure", params: { because } }) as const;

export const engineMachine = setup({
  types: {} as { context: EngineContext; events: WatchFact | { type: "engine.dial" }; input: EngineInput },

  actors: { watchEngine: watchSlot<WatchFact, undefined>("watchEngine") },

  actions: {
    tell: sendTo(
      ({ context }) => context.parent,
      (_, { type }: EngineFact): EngineFact => ({ type }),
    ),
    passOn: sendTo(
      ({ context }) => context.parent,
      (_, fact: AppFact): AppFact => fact,
    ),
    setDue: assign({ dueAt: ({ context }) => context.now() + OPEN_WITHIN }),
    countFailure: assign(({ context: { failures, now, random } }, { because }: { because: string }) => ({
      because,
      failures: failures + 1,
      retryAt: now() + fullJitter(FIRST_RETRY, LONGEST_RETRY, Math.min(failures + 1, 10), random),
    })),
    forgetFailures: assign({ failures: 0, because: undefined }),
  },

  delays: {
    dueAt: ({ context }) => remaining(context.dueAt, context.now(), OPEN_WITHIN),
    retryAt: ({ context }) => remaining(context.retryAt, context.now(), LONGEST_RETRY),
  },
}).createMachine({
  id: "engine",
  context: ({ input }) => ({ ...input, failures: 0, retryAt: 0, dueAt: 0 }),
  options: { maxIterations: 50 },
  initial: "watched",

  states: {
    watched: {
      entry: "setDue",
      invoke: {
        id: "watch",
        src: "watchEngine",
        onError: { target: "waiting", actions: ends("a defect in the agent") },
      },
      on: {
        "app.fact": { actions: { type: "passOn", params: ({ event }) => event } },
        "engine.closed": {
          target: "waiting",
          actions: { type: "countFailure", params: ({ event }) => ({ because: event.because }) },
        },
      },
      initial: "opening",
      states: {
        opening: {
          on: { "engine.opened": "live" },
          after: { dueAt: { target: "#engine.waiting", actions: ends("it did not answer in time") } },
        },
        live: {
          entry: ["forgetFailures", says("engine.back")],
          exit: says("engine.lost"),
        },
      },
    },

    waiting: {
      on: { "engine.dial": "watched" },
      after: { retryAt: "watched" },
    },
  },
});
