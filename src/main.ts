/**
 * The one file that knows both sides: it makes the services, pours them into the machines' slots, and runs the tree.
 * Reading it top to bottom is reading the whole program's wiring. It has no logic of its own.
 */
import { fromPromise } from "xstate";
import { agentMachine } from "./machines/agent.ts";
import { appMachine } from "./machines/app.ts";
import { connectionMachine } from "./machines/connection.ts";
import { engineMachine } from "./machines/engine.ts";
import { type FollowInput, logsMachine } from "./machines/logs.ts";
import { reporterMachine, type TellInput } from "./machines/reporter.ts";
import { watch } from "./machines/slot.ts";
import type { Facts, StepInput, WatchFact } from "./model/app.ts";
import type { LinkFact, LinkOrder } from "./model/link.ts";
import type { Effect } from "./model/plan.ts";

/** Everything outside that the machines reach, by slot. Each `watch` answers with what ends it. */
export interface Services {
  readonly steps: Readonly<Record<Effect, (input: StepInput, signal: AbortSignal) => Promise<Facts>>>;
  readonly tellState: (input: TellInput, signal: AbortSignal) => Promise<void>;
  readonly watchEngine: (say: (fact: WatchFact) => void) => () => void;
  readonly followLogs: (run: FollowInput, onEnd: () => void) => () => void;
  readonly holdLink: (
    attempt: number,
    say: (fact: LinkFact) => void,
  ) => { receive(order: LinkOrder): void; release(): void };
}

/** Fills every slot of every machine, and puts the machines together. */
export function wire({ steps, tellState, watchEngine, followLogs, holdLink }: Services) {
  const app = appMachine.provide({
    actors: {
      look: fromPromise(({ input, signal }) => steps.look(input, signal)),
      pullImage: fromPromise(({ input, signal }) => steps.pullImage(input, signal)),
      createContainer: fromPromise(({ input, signal }) => steps.createContainer(input, signal)),
      startContainer: fromPromise(({ input, signal }) => steps.startContainer(input, signal)),
      stopContainer: fromPromise(({ input, signal }) => steps.stopContainer(input, signal)),
      removeApp: fromPromise(({ input, signal }) => steps.removeApp(input, signal)),
    },
  });
  const reporter = reporterMachine.provide({
    actors: { tellState: fromPromise(({ input, signal }) => tellState(input, signal)) },
  });
  const engine = engineMachine.provide({
    actors: { watchEngine: watch(({ sendBack }) => watchEngine(sendBack)) },
  });
  const logs = logsMachine.provide({
    actors: { followLogs: watch(({ input, sendBack }) => followLogs(input, () => sendBack({ type: "logs.ended" }))) },
  });
  const connection = connectionMachine.provide({
    actors: {
      holdLink: watch(({ input, sendBack, receive }) => {
        const link = holdLink(input.attempt, sendBack);
        receive((order) => link.receive(order));
        return () => link.release();
      }),
    },
  });
  return agentMachine.provide({ actors: { app, connection, engine, logs, reporter } });
}
