/** Conformance cases about apps (cases.ts), as stories of the real tree in a simulated world. */
import { describe, expect, test } from "vitest";
import type { AppId } from "../../src/model/app.ts";
import { crashDelay } from "../../src/model/backoff.ts";
import { wanting } from "../support/app.ts";
import { World } from "../world/world.ts";

const weather: AppId = { stage: "PROD", key: 42 };
const states = (w: World) => w.heard.map((line) => line.replace("PROD:42 ", ""));
const told = (w: World, state: string) => w.until(() => w.known.get("PROD:42") === state);

/** Linked, and with the app as it was asked for; what was heard on the way is forgotten. */
async function world(...way: readonly Parameters<typeof wanting>[0][]): Promise<World> {
  const w = new World();
  await w.until(() => w.actor.getSnapshot().context.isLinked);
  for (const target of way) {
    w.ask(weather, wanting(target));
    await told(w, target);
  }
  w.heard.length = 0;
  return w;
}
async function failed(): Promise<World> {
  const w = await world("RUNNING");
  w.engineOf(weather).exit(7);
  await told(w, "FAILED");
  w.heard.length = 0;
  return w;
}

describe("pull", () => {
  test("is told as DOWNLOADING, then PRESENT", async () => {
    using w = await world();
    w.ask(weather, wanting("PRESENT"));
    await told(w, "PRESENT");
    expect(states(w)).toEqual(["DOWNLOADING", "PRESENT"]);
  });

  test("that fails is DOWNLOADING, FAILED, and never PRESENT", async () => {
    using w = await world();
    w.engineOf(weather).faults = ["image_not_found"];
    w.ask(weather, wanting("PRESENT"));
    await told(w, "FAILED");
    await w.pass(600_000);
    expect(states(w)).toEqual(["DOWNLOADING", "FAILED"]);
  });

  test("that is called off is no failure", async () => {
    using w = await world();
    w.ask(weather, wanting("RUNNING"));
    await told(w, "DOWNLOADING");
    w.ask(weather, wanting("REMOVED"));
    await told(w, "REMOVED");
    await w.pass(60_000);
    expect(states(w)).toEqual(["DOWNLOADING", "REMOVED"]);
  });

  test("goes on when the link is cut, and is not begun anew", async () => {
    using w = await world();
    w.ask(weather, wanting("RUNNING"));
    await told(w, "DOWNLOADING");
    w.dropLink();
    await told(w, "RUNNING");
    expect(states(w)).not.toContain("FAILED");
    expect(w.engineOf(weather).calls.filter((call) => call.startsWith("pull"))).toHaveLength(1);
  });
});

describe("recovery of an app that failed", () => {
  test("to RUNNING: what is left of it is removed, then it runs", async () => {
    using w = await failed();
    w.ask(weather, wanting("RUNNING"));
    await told(w, "RUNNING");
    expect(states(w)).toEqual(["STARTING", "RUNNING"]);
    expect([...w.engineOf(weather).boxes.keys()]).toEqual(["c2"]);
  });

  test("to PRESENT with its image here: no pull", async () => {
    using w = await failed();
    w.ask(weather, wanting("PRESENT"));
    await told(w, "PRESENT");
    await w.pass(60_000);
    expect(states(w)).toEqual(["STOPPING", "PRESENT"]);
    expect(w.engineOf(weather).calls.filter((call) => call.startsWith("pull"))).toHaveLength(1);
    expect(w.engineOf(weather).boxes.size).toBe(0);
  });

  test("to PRESENT without its image: a pull", async () => {
    using w = await world();
    w.engineOf(weather).faults = ["image_pull_failed"];
    w.ask(weather, wanting("RUNNING"));
    await told(w, "FAILED");
    w.heard.length = 0;
    w.ask(weather, wanting("PRESENT"));
    await told(w, "PRESENT");
    expect(states(w)).toEqual(["DOWNLOADING", "PRESENT"]);
  });

  test("while the engine cannot be asked nothing is told to have failed, and it goes on when it can", async () => {
    using w = await failed();
    w.loseEngine();
    w.ask(weather, wanting("PRESENT"));
    await w.pass(60_000);
    expect(states(w)).toEqual([]);
    w.bringEngineBack();
    await told(w, "PRESENT");
    expect(states(w)).not.toContain("FAILED");
  });
});

describe("crash loop", () => {
  test.each([
    [0, 4_000, 6_000],
    [1, 4_000, 6_000],
    [2, 16_000, 24_000],
    [100, 48 * 60_000, 72 * 60_000],
    [1_000, 48 * 60_000, 72 * 60_000],
  ])("after %i failures in a row the wait is %i to %i ms", (failures, least, most) => {
    expect(crashDelay(failures, () => 0)).toBe(least);
    expect(crashDelay(failures, () => 1)).toBe(most);
  });

  test("a stop that is asked for the moment FAILED is told stays", async () => {
    using w = await failed();
    w.ask(weather, wanting("PRESENT"));
    await w.pass(120_000);
    expect(states(w)).toEqual(["STOPPING", "PRESENT"]);
  });

  test.each<[string, (w: World) => void]>([
    ["exit code 0", (w) => w.engineOf(weather).exit(0)],
    ["a kill", (w) => w.engineOf(weather).exit(137)],
    ["a removal by hand", (w) => w.engineOf(weather).removeByHand()],
  ])("%s is told as FAILED, and the app runs again", async (_, happen) => {
    using w = await world("RUNNING");
    happen(w);
    await told(w, "FAILED");
    await told(w, "RUNNING");
    expect(states(w)).toEqual(["FAILED", "STARTING", "RUNNING"]);
  });

  test("a crash while the router is away is mended without it", async () => {
    using w = await world("RUNNING");
    w.isRouterUp = false;
    w.dropLink();
    w.engineOf(weather).exit(7);
    await w.until(() => w.stateOf(weather) === "crashed.waiting");
    await w.until(() => w.stateOf(weather) === "active.running.settling");
    expect(states(w)).toEqual([]);
    w.isRouterUp = true;
    await w.until(() => w.heard.length > 0);
    expect(states(w)).toEqual(["RUNNING"]);
  });
});

describe("a request that is sent the moment a state is told is acted on", () => {
  test.each(["DOWNLOADING", "STARTING", "RUNNING"])("%s, then PRESENT", async (moment) => {
    using w = await world();
    w.ask(weather, wanting("RUNNING"));
    await told(w, moment);
    w.ask(weather, wanting("PRESENT"));
    await told(w, "PRESENT");
    await w.pass(60_000);
    expect([states(w).at(-1), w.engineOf(weather).boxes.size]).toEqual(["PRESENT", 0]);
  });

  test.each(["STOPPING", "PRESENT"])("%s, then RUNNING", async (moment) => {
    using w = await world("RUNNING");
    w.ask(weather, wanting("PRESENT"));
    await told(w, moment);
    w.ask(weather, wanting("RUNNING"));
    await told(w, "RUNNING");
    await w.pass(60_000);
    expect(states(w).at(-1)).toBe("RUNNING");
  });
});

describe("a stop", () => {
  test("is told as STOPPING once, then PRESENT", async () => {
    using w = await world("RUNNING");
    w.ask(weather, wanting("PRESENT"));
    await told(w, "PRESENT");
    expect(states(w)).toEqual(["STOPPING", "PRESENT"]);
  });

  test("of a container that is gone already is no failure", async () => {
    using w = await world("RUNNING");
    const engine = w.engineOf(weather);
    const { tell } = engine;
    engine.tell = () => {};
    engine.removeByHand();
    await w.pass(20);
    engine.tell = tell;
    w.ask(weather, wanting("PRESENT"));
    await told(w, "PRESENT");
    await w.pass(60_000);
    expect(states(w)).toEqual(["STOPPING", "PRESENT"]);
  });
});

test("a run without the image is DOWNLOADING, STARTING, RUNNING, one with it STARTING, RUNNING", async () => {
  using w = await world();
  w.ask(weather, wanting("RUNNING"));
  await told(w, "RUNNING");
  expect(states(w)).toEqual(["DOWNLOADING", "STARTING", "RUNNING"]);
  w.ask(weather, wanting("PRESENT"));
  await told(w, "PRESENT");
  w.heard.length = 0;
  w.ask(weather, wanting("RUNNING"));
  await told(w, "RUNNING");
  expect(states(w)).toEqual(["STARTING", "RUNNING"]);
});

test("a container that runs as it is wanted is taken over, one that ended unseen is started again, one whose end was seen is made anew", async () => {
  using w = await world("RUNNING");
  const engine = w.engineOf(weather);
  w.kill();
  w.actor = w.boot();
  await told(w, "RUNNING");
  await w.pass(1_000);
  expect([...engine.boxes.keys()]).toEqual(["c1"]);
  w.kill();
  engine.exit(0);
  await w.pass(20);
  w.actor = w.boot();
  await w.until(() => engine.look().container?.is === "up");
  expect([...engine.boxes.keys()]).toEqual(["c1"]);
  engine.exit(1);
  await w.until(() => engine.look().container?.id === "c2");
});
