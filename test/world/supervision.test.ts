/** What a defect in one actor does to the others: nothing, and a fresh one takes its place. */
import { expect, test } from "vitest";
import type { AnyActorRef } from "xstate";
import type { AppId } from "../../src/model/app.ts";
import { wanting } from "../support/app.ts";
import { World } from "./world.ts";

const weather: AppId = { stage: "PROD", key: 42 };
const oven: AppId = { stage: "PROD", key: 7 };

/** An event that no action survives. */
const POISON = { type: "app.request", by: "person" } as never;

async function running(): Promise<World> {
  const w = new World();
  w.ask(weather, wanting("RUNNING"));
  w.ask(oven, wanting("RUNNING"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING" && w.known.get("PROD:7") === "RUNNING");
  w.heard.length = 0;
  return w;
}

const childOf = (w: World, id: string): AnyActorRef | undefined =>
  (w.actor.getSnapshot().children as Record<string, AnyActorRef | undefined>)[id];

test("a defect in one app is told as FAILED, its successor takes over what runs, and no other app is touched", async () => {
  using w = await running();
  const before = childOf(w, "app:PROD:7");
  childOf(w, "app:PROD:42")?.send(POISON);
  await w.until(() => w.known.get("PROD:42") === "FAILED");
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  expect(childOf(w, "app:PROD:7")).toBe(before);
  expect(w.heard).toEqual(["PROD:42 FAILED", "PROD:42 RUNNING"]);
  expect([...w.engineOf(weather).boxes.keys()]).toEqual(["c1"]);
  expect(w.errors).toEqual([]);
});

test("an order for an app whose actor died is taken up at once", async () => {
  using w = await running();
  childOf(w, "app:PROD:42")?.send(POISON);
  w.ask(weather, wanting("REMOVED"));
  await w.until(() => w.known.get("PROD:42") === "REMOVED", 500);
  await w.pass(5_000);
  expect(w.stateOf(weather)).toBe("absent.removed");
});

test("an app that dies again and again is waited for longer each time", async () => {
  using w = await running();
  const deaths: number[] = [];
  for (let count = 0; count < 5; count++) {
    await w.until(() => childOf(w, "app:PROD:42") !== undefined);
    deaths.push(w.clock.now());
    childOf(w, "app:PROD:42")?.send(POISON);
    await w.pass(5);
  }
  const waits = deaths.slice(1).map((at, i) => Math.round((at - (deaths[i] ?? 0)) / 1_000));
  expect(waits).toEqual([1, 2, 4, 8]);
});

test.each([
  ["connection", { type: "link.lost", attempt: 1 }],
  ["reporter", { type: "app.changed" }],
])("a defect in the %s: a fresh one tells the state of every app", async (id, poison) => {
  using w = await running();
  const before = childOf(w, id);
  const dead = before as unknown as { logic: { transition: () => never } };
  dead.logic = { ...dead.logic, transition: () => fail() };
  before?.send(poison as never);
  await w.until(() => w.heard.length === 2);
  expect(w.heard.toSorted()).toEqual(["PROD:42 RUNNING", "PROD:7 RUNNING"]);
  expect(childOf(w, id)).not.toBe(before);
  expect([w.openLinks, w.openStreams, w.errors]).toEqual([1, 1, []]);
});

test("a defect in the engine's actor: apps look again when a fresh one has its stream", async () => {
  using w = await running();
  const before = childOf(w, "engine");
  const dead = before as unknown as { logic: { transition: () => never } };
  dead.logic = { ...dead.logic, transition: () => fail() };
  before?.send({ type: "engine.opened" });
  await w.until(() => w.stateOf(weather) === "unsure.unknown");
  await w.until(() => w.stateOf(weather) === "active.running.settling", 5_000);
  expect([w.openStreams, w.errors]).toEqual([1, []]);
});

test("ten quiet minutes forget the defects", async () => {
  using w = await running();
  childOf(w, "app:PROD:42")?.send(POISON);
  await w.pass(5_000);
  expect(w.actor.getSnapshot().context.crashes.get("app:PROD:42")).toBe(1);
  await w.pass(600_000);
  expect(w.actor.getSnapshot().context.crashes.size).toBe(0);
});

function fail(): never {
  throw new TypeError("a bug");
}
