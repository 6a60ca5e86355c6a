/** Every cell of model/outcomes.ts, on the real machine and a simulated engine. */
import { describe, expect, test } from "vitest";
import { known } from "../../src/machines/appContext.ts";
import type { Target } from "../../src/model/app.ts";
import {
  answerTo,
  desiredAfter,
  type Outcome,
  outcome,
  REQUESTS,
  type Request,
  STATES,
  type State,
} from "../../src/model/outcomes.ts";
import { isWell } from "../../src/model/plan.ts";
import { TestApp, wanting } from "../support/app.ts";
import { settle } from "../support/clock.ts";

async function in_(state: State): Promise<TestApp> {
  const first: Partial<Record<State, Target>> = {
    "absent.removed": "REMOVED",
    "absent.uninstalling": "UNINSTALLED",
    "absent.uninstalled": "UNINSTALLED",
    present: "PRESENT",
  };
  const t = new TestApp(wanting(first[state] ?? "RUNNING"));
  if (state === "crashed.held") t.engine.faults = ["image_not_found"];
  if (state === "unsure.unknown") t.engine.isUp = false;
  if (state.startsWith("active.updating") || state.startsWith("crashed.w") || /stopping|removing|steady/.test(state))
    await t.until("active.running");
  if (state.endsWith("steady")) await t.pass(600_000);
  const asked: Partial<Record<State, Target>> = { stopping: "PRESENT", removing: "REMOVED" };
  if (asked[state]) t.ask(wanting(asked[state]));
  if (state === "active.halting") t.engine.fallSick("1");
  if (state.endsWith("rollingBack")) t.engine.bad.set("2", "exits");
  if (state.startsWith("active.updating")) t.ask(wanting("RUNNING", "2"));
  if (state === "crashed.waiting") t.engine.exit();
  await t.until(state);
  t.engine.isUp = true;
  t.engine.bad.clear();
  return t;
}

const TARGETS: Partial<Record<Request, Target>> = {
  run: "RUNNING",
  stop: "PRESENT",
  remove: "REMOVED",
  uninstall: "UNINSTALLED",
};

function send(t: TestApp, request: Request): void {
  const { context } = t.actor.getSnapshot();
  const target = TARGETS[request];
  if (target) t.ask({ ...context.desired, target });
  else if (request === "update") t.ask({ ...context.desired, target: "RUNNING", version: "3" });
  else if (request === "cancel")
    t.ask(desiredAfter(t.state as State, { desired: t.desired, cancels: true }, known(context)));
  else t.actor.send({ type: request === "retry" ? "app.retry" : "app.hold" });
}

/** Sends the request and says what became of it, from what can be seen: the state, the effects and their signals. */
const seen = (t: TestApp, request: Request): Promise<Outcome> => sees(t, () => send(t, request));

async function sees(t: TestApp, ask: () => void): Promise<Outcome> {
  const before = { state: t.state, effects: t.engine.signals.length, signal: t.engine.signals.at(-1) };
  const isWorking = Object.keys(t.actor.getSnapshot().children).length > 0;
  const isBusy = isWorking || ["unsure.unknown", "active.updating.probation"].includes(t.state);

  ask();
  await settle();

  const hasMoved = t.state !== before.state || t.engine.signals.length > before.effects;
  if (hasMoved) return isWorking && before.signal?.aborted ? "cancels" : "now";
  return isBusy ? "after" : "done";
}

function expectDesired(t: TestApp): void {
  const { target, version } = t.desired;
  const { container, kept, images } = t.engine.look();
  expect(kept).toBeUndefined();
  expect(isWell(container, t.clock.now())).toBe(target === "RUNNING");
  if (target === "RUNNING") expect(container?.version).toBe(version);
  if (target === "PRESENT") expect(images).toContain(version);
  if (target === "REMOVED" || target === "UNINSTALLED") expect(images).toEqual([]);
  if (target === "UNINSTALLED") expect(t.engine.hasData).toBe(false);
  expect(t.engine.violations).toEqual([]);
}

describe.each(STATES)("in %s", (state) => {
  test.each(REQUESTS)("%s", async (request) => {
    using t = await in_(state);
    const { context } = t.actor.getSnapshot();
    const { memory, desired } = context;
    const expected = outcome(state, request, context);
    if (expected === "refused") {
      // The agent refuses it. `cancel` never reaches the machine, the two others change nothing in it.
      if (request !== "cancel") expect(["after", "done"]).toContain(await seen(t, request));
      expect(t.actor.getSnapshot().context).toMatchObject({ memory, desired });
      return;
    }
    expect(await seen(t, request)).toBe(expected);
    await t.pass(120_000);
    if (request === "hold") expect(t.state).toBe("crashed.held");
    else expectDesired(t);
  });

  test.each(["RUNNING", "PRESENT"] as const)("%s with another version", async (target) => {
    using t = await in_(state);
    const asked = { ...t.actor.getSnapshot().context.desired, target, version: "3" };
    const before = known(t.actor.getSnapshot().context);
    const answer = answerTo(state, { desired: asked }, before);
    expect(await sees(t, () => t.ask(desiredAfter(state, { desired: asked }, before)))).toBe(answer.outcome);
    await t.pass(120_000);
    expectDesired(t);
  });
});

test("the table has a row for every state that there is", async () => {
  const { appMachine } = await import("../../src/machines/app.ts");
  type Node = { states: Record<string, Node>; path: readonly string[] };
  const leaves = (node: Node): string[] =>
    Object.values(node.states).length ? Object.values(node.states).flatMap(leaves) : [node.path.join(".")];
  expect(leaves(appMachine.root as unknown as Node).toSorted()).toEqual([...STATES].toSorted());
});
