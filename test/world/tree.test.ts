/** The real tree in a simulated world: what it says to the back end, and how it gets over faults. */
import { expect, test } from "vitest";
import type { AppId } from "../../src/model/app.ts";
import { wanting } from "../support/app.ts";
import { World } from "./world.ts";

const weather: AppId = { stage: "PROD", key: 42 };
const oven: AppId = { stage: "PROD", key: 7 };

test("an order runs an app, and the back end hears each state in order", async () => {
  using w = new World();
  await w.until(() => w.actor.getSnapshot().context.isLinked);
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  expect(w.heard).toEqual(["PROD:42 DOWNLOADING", "PROD:42 STARTING", "PROD:42 RUNNING"]);
  expect(w.followed).toEqual(["c1"]);
});

test("with the link down an app is run all the same, and the newest state is told at the next link", async () => {
  using w = new World();
  w.isRouterUp = false;
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.stateOf(weather) === "active.running.settling");
  expect(w.heard).toEqual([]);
  w.isRouterUp = true;
  await w.until(() => w.heard.length > 0);
  await w.pass(1_000);
  expect(w.heard).toEqual(["PROD:42 RUNNING"]);
});

test("each link begins with the state of every app", async () => {
  using w = new World();
  w.ask(weather, wanting("RUNNING"));
  w.ask(oven, wanting("PRESENT"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING" && w.known.get("PROD:7") === "PRESENT");
  w.heard.length = 0;
  w.dropLink();
  await w.until(() => w.heard.length === 2);
  expect(w.heard.toSorted()).toEqual(["PROD:42 RUNNING", "PROD:7 PRESENT"]);
  expect(w.mostOpenLinks).toBe(1);
});

test("a refused report stops nothing and blocks no other app", async () => {
  using w = new World();
  await w.until(() => w.actor.getSnapshot().context.isLinked);
  w.refusals = 3;
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.stateOf(weather) === "active.running.settling");
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  expect(w.mostInFlight).toBe(1);
});

test("a crash is told, and the app comes back by itself", async () => {
  using w = new World();
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  w.heard.length = 0;
  w.engineOf(weather).exit(7);
  await w.until(() => w.known.get("PROD:42") === "FAILED");
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  expect(w.heard).toEqual(["PROD:42 FAILED", "PROD:42 STARTING", "PROD:42 RUNNING"]);
});

test("an agent that was killed goes on from the disk without a second container", async () => {
  using w = new World();
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  w.kill();
  w.heard.length = 0;
  w.actor = w.boot();
  await w.until(() => w.heard.length > 0);
  await w.pass(1_000);
  expect(w.heard).toEqual(["PROD:42 RUNNING"]);
  expect([...w.engineOf(weather).boxes.keys()]).toEqual(["c1"]);
});

test("an exit that nobody saw between the first look and the open stream is found", async () => {
  using w = new World();
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.stateOf(weather) === "active.running.settling");
  const { tell } = w.engineOf(weather);
  w.engineOf(weather).tell = () => {};
  w.engineOf(weather).exit(3);
  await w.pass(100);
  w.engineOf(weather).tell = tell;
  w.actor.send({ type: "engine.back" });
  await w.until(() => w.engineOf(weather).look().container?.is === "up", 1_000);
});

test("the engine goes and comes back: nothing is told to have failed by it", async () => {
  using w = new World();
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  w.heard.length = 0;
  w.loseEngine();
  await w.until(() => w.stateOf(weather) === "unsure.unknown");
  await w.pass(40_000);
  w.bringEngineBack();
  await w.until(() => w.stateOf(weather) === "active.running.settling");
  await w.pass(1_000);
  expect(w.heard).not.toContain("PROD:42 FAILED");
  expect(w.openStreams).toBe(1);
});

test("a request that comes while the app is looked at once more is answered, though nothing changes", async () => {
  using w = new World();
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING" && w.stateOf(weather) === "active.running.settling");
  w.heard.length = 0;
  w.actor.send({ type: "engine.back" });
  expect(w.stateOf(weather)).toBe("unsure.reconciling");
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.heard.length > 0);
  await w.pass(1_000);
  expect(w.heard).toEqual(["PROD:42 RUNNING"]);
});

test("a request that comes while the engine is away is answered when it was looked at, not before", async () => {
  using w = new World();
  w.ask(weather, wanting("PRESENT"));
  await w.until(() => w.known.get("PROD:42") === "PRESENT");
  w.heard.length = 0;
  w.loseEngine();
  w.ask(weather, wanting("PRESENT"));
  await w.pass(10_000);
  expect(w.heard).toEqual([]);
  w.bringEngineBack();
  await w.until(() => w.heard.length > 0);
  await w.pass(1_000);
  expect(w.heard).toEqual(["PROD:42 PRESENT"]);
});

test("a request for what is already so is answered at once, and what a list says is not", async () => {
  using w = new World();
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  await w.pass(1_000);
  w.heard.length = 0;
  w.ask(weather, wanting("RUNNING"), "sync");
  await w.pass(1_000);
  expect(w.heard).toEqual([]);
  w.ask(weather, wanting("RUNNING"));
  await w.pass(100);
  expect(w.heard).toEqual(["PROD:42 RUNNING"]);
});

test("a stop says goodbye and leaves nothing open, also when the router is gone", async () => {
  for (const isRouterUp of [true, false]) {
    using w = new World();
    w.ask(weather, wanting("RUNNING"));
    await w.until(() => w.stateOf(weather) === "active.running.settling");
    w.isRouterUp = isRouterUp;
    w.actor.send({ type: "agent.stop" });
    await w.until(() => w.actor.getSnapshot().status === "done", 3_100);
    expect([w.openLinks, w.openStreams, w.openFollowers]).toEqual([0, 0, 0]);
    expect(w.engineOf(weather).look().container?.is).toBe("up");
  }
});
