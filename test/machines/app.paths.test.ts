/** The chart as a graph, no effect runs: every state can be entered, none rests while there is something to do. */
import { beforeAll, expect, test } from "vitest";
import { createActor, type EventFromLogic, fromCallback, initialTransition } from "xstate";
import { adjacencyMapToArray, getAdjacencyMap } from "xstate/graph";
import { appMachine } from "../../src/machines/app.ts";
import { type AppInput, known } from "../../src/machines/appContext.ts";
import { pathOf } from "../../src/machines/observe.ts";
import { type AppRepeat, type AppReport, type Container, type Facts, NOTHING_REMEMBERED } from "../../src/model/app.ts";
import { seconds } from "../../src/model/duration.ts";
import { AgentError } from "../../src/model/errors.ts";
import { STATES } from "../../src/model/outcomes.ts";
import { ACHIEVED, type Effect, next } from "../../src/model/plan.ts";
import { wanting } from "../support/app.ts";

const container = (version: string, is: Container["is"]): Container => ({
  id: `c${version}`,
  version,
  spec: "s",
  is,
  startedAt: 1,
});
const OUTPUTS: Facts[] = [
  { images: [] },
  { images: ["1"] },
  { images: ["1", "2"], container: container("1", "up") },
  { images: ["1"], container: container("1", "made") },
  { images: ["1"], container: container("1", "up") },
  { images: ["1"], container: { ...container("1", "up"), paused: true } },
  { images: ["1"], container: container("1", "down") },
  { images: ["1"], container: { ...container("1", "up"), health: "unhealthy" } },
  { images: ["1", "2"], container: container("2", "up"), kept: container("1", "down") },
  { images: ["1", "2"], container: container("2", "down"), kept: container("1", "down") },
  { images: ["1", "2"], container: container("2", "up") },
  { images: ["2"], container: container("2", "up") },
  { images: ["1", "2"], kept: container("1", "down") },
];
const EVENTS = [
  ...[
    wanting("RUNNING", "1"),
    wanting("RUNNING", "2"),
    wanting("PRESENT", "2"),
    wanting("REMOVED", "1"),
    wanting("UNINSTALLED", "1"),
  ].map((desired) => ({ type: "app.request", desired, by: "person" })),
  { type: "app.retry" },
  { type: "app.hold" },
  { type: "engine.lost" },
  { type: "engine.back" },
  { type: "container.exited", id: "c1", startedAt: 1, exitCode: 1 },
  { type: "container.exited", id: "c2", startedAt: 1, exitCode: 1 },
  { type: "container.health", id: "c1", health: "unhealthy" },
  { type: "container.paused", id: "c1" },
  { type: "container.removed", id: "c1" },
  { type: "container.started", container: container("1", "up") },
];
const FAILURES = (["container_failed", "image_not_found", "engine_unreachable"] as const).map((code) => ({
  type: "xstate.error.actor.step",
  error: new AgentError(code, ""),
}));

const parent = createActor(fromCallback<AppRepeat | AppReport>(() => {}));
const input: AppInput = {
  app: { stage: "PROD", key: 42 },
  desired: wanting("REMOVED"),
  memory: NOTHING_REMEMBERED,
  parent,
  updates: { strategy: "download-then-swap", probation: seconds(30) },
  now: () => 3_600_000,
  random: () => 0.5,
};
/** What the plan looks at: a run that exited with 137 is as good as one that exited with 1. */
function shapeOf(facts: Facts | undefined): string {
  if (!facts) return "unknown";
  const { images, container, kept } = facts;
  return [
    images.toSorted(),
    container?.version,
    container?.is,
    container?.health,
    container?.paused,
    kept?.version,
  ].join();
}

type State = ReturnType<typeof appMachine.getInitialSnapshot>;
type Event = EventFromLogic<typeof appMachine>;

const eventsOf = (state: State): Event[] =>
  [
    ...EVENTS,
    ...(Object.keys(state.children).length > 0 ? FAILURES : []),
    ...state._nodes
      .flatMap(({ invoke }) => invoke.map(({ src }) => src as Effect))
      .flatMap((effect) => OUTPUTS.filter((facts) => ACHIEVED[effect](facts, state.context.aim)))
      .map((output) => ({ type: "xstate.done.actor.step", output })),
    ...state._nodes.flatMap((node) => node.after.map(({ eventType }) => ({ type: eventType }))),
  ] as never;

const nameOf = ({ value, context, children }: State): string =>
  [
    pathOf(value),
    context.desired.target,
    context.desired.version,
    shapeOf(context.facts),
    context.memory.wait?.until !== undefined,
    context.memory.wait !== undefined,
    context.memory.setAside?.version,
    context.memory.setAside?.until !== undefined,
    context.memory.isUninstalled,
    context.memory.wayBack,
    Object.keys(children).length > 0 && context.aim,
  ].join("|");

interface Reached {
  readonly state: State;
  /** The last event of a shortest path to it. */
  readonly by: string;
}

/** By breadth. (The library's own traversal takes twice as long: it shifts an array of 100,000.) */
function everyState(): Reached[] {
  const [first] = initialTransition(appMachine, input);
  const reached = new Map<string, Reached>([[nameOf(first), { state: first, by: "" }]]);
  for (const { state } of reached.values())
    for (const { event, nextState: to } of stepsFrom(state)) {
      const name = nameOf(to);
      if (!reached.has(name)) reached.set(name, { state: to, by: event.type });
    }
  return [...reached.values()];
}

function stepsFrom(state: State) {
  const stopWhen = (each: State) => each !== state;
  const options = { input, fromState: state, stopWhen, events: eventsOf(state), serializeState: nameOf };
  return adjacencyMapToArray(getAdjacencyMap(appMachine, options));
}

let states: readonly Reached[] = [];
beforeAll(() => {
  states = everyState();
}, 120_000);

test("every state is reachable", () => {
  expect(states.length, "states with their facts").toBeGreaterThan(1_000);
  expect([...new Set(states.map(({ state }) => pathOf(state.value)))].toSorted()).toEqual([...STATES].toSorted());
});

test("no state rests while the plan names a step", () => {
  const resting = states.filter(
    ({ state }) => Object.keys(state.children).length === 0 && !pathOf(state.value).startsWith("unsure"),
  );
  const idle = resting.filter(({ state: { context, value } }) => {
    const answer = next(known(context));
    return !(
      answer === "rest" ||
      (answer === "wait" && pathOf(value).startsWith("crashed")) ||
      pathOf(value).endsWith("probation")
    );
  });
  expect(
    idle.map(({ state, by }) => [
      pathOf(state.value),
      next(known(state.context)),
      JSON.stringify(state.context.facts),
      state.context.desired.target,
      by,
    ]),
  ).toEqual([]);
});
