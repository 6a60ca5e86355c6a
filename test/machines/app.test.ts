import { expect, test } from "vitest";
import { appMachine } from "../../src/machines/app.ts";
import { nameOf, TestApp, taken, wanting } from "../support/app.ts";

test("from nothing to running", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  expect(t.engine.calls).toEqual(["look 1", "pullImage 1", "createContainer 1", "startContainer 1"]);
  expect(t.heard()).toEqual(["REMOVED", "DOWNLOADING", "PRESENT", "STARTING", "RUNNING"]);
});

test("the ways down", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("PRESENT"));
  await t.until("present");
  t.ask(wanting("REMOVED"));
  await t.until("absent.removed");
  expect(t.heard().slice(5)).toEqual(["STOPPING", "PRESENT", "DELETING", "REMOVED"]);
});

test("after crashes it waits 5, 20, 45 s and counts until ten minutes up", async () => {
  using t = new TestApp(wanting("RUNNING"));
  for (const wait of [5_000, 20_000, 45_000]) {
    await t.until("active.running");
    t.engine.exit(3);
    await t.until("crashed.waiting");
    await t.pass(wait - 100);
    expect(t.state).toBe("crashed.waiting");
    await t.pass(300);
  }
  await t.until("active.running");
  expect(t.memory.failures).toBe(3);
  expect(t.heard().slice(-3)).toEqual(["PRESENT", "STARTING", "RUNNING"]);
  await t.pass(600_000, 1_000);
  expect(t.memory).toMatchObject({ failures: 0 });
});

test("a crash loop survives the agent, and a clock that jumped back a year makes nobody wait a year", async () => {
  using t = new TestApp(wanting("RUNNING"), (engine) => void engine.images.add("1"), {
    failures: 2,
    wait: { because: "container_exited", until: 365 * 86_400_000 },
  });
  await t.until("crashed.waiting");
  await t.pass(4_320_000 - 1_000, 1_000);
  expect(t.state).toBe("crashed.waiting");
  await t.pass(2_000, 100);
  await t.until("active.running");
});

test("retry skips the wait, hold ends it, a request clears both", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.exit();
  await t.until("crashed.waiting");
  t.actor.send({ type: "app.hold" });
  expect(t.state).toBe("crashed.held");
  await t.pass(7_200_000, 60_000);
  expect(t.state).toBe("crashed.held");
  t.actor.send({ type: "app.retry" });
  await t.until("active.running");
  t.engine.exit();
  await t.until("crashed.waiting");
  t.ask(wanting("PRESENT"));
  await t.until("present", 100);
});

test("what waiting cannot better is not tried again", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.faults = ["image_not_found"];
  await t.until("crashed.held");
  await t.pass(7_200_000, 60_000);
  expect(t.state).toBe("crashed.held");
  expect(t.last()?.error?.code).toBe("image_not_found");
});

test.each([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50])(
  "an exit %i ms into the start is never forgotten",
  async (moment) => {
    using t = new TestApp(wanting("RUNNING"));
    await t.until("active.starting");
    await t.pass(moment);
    t.engine.exit(7);
    await t.pass(200);
    expect(t.state).toBe(t.engine.look().container?.is === "up" ? "active.running.settling" : "crashed.waiting");
  },
);

test("an engine that is away is no failure of the app", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("pulling");
  t.engine.faults = ["engine_unreachable"];
  await t.until("active.running", 2_000);
  expect(t.memory.failures).toBe(0);
  expect(t.heard()).not.toContain("FAILED");
});

test("engine away and back", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.lose();
  await t.until("unsure.unknown");
  await t.pass(60_000, 100);
  expect(t.state).toBe("unsure.unknown");
  t.engine.comeBack();
  await t.until("active.running");
  expect(t.memory.failures).toBe(0);
  expect(t.engine.violations).toEqual([]);
});

test("when the event stream opens, an app at rest looks again, and one at work goes on", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("pulling");
  t.actor.send({ type: "engine.back" });
  expect(t.state).toBe("pulling");
  await t.until("active.running");
  const { tell } = t.engine;
  t.engine.tell = () => {};
  t.engine.exit(3);
  await t.pass(100);
  t.engine.tell = tell;
  t.actor.send({ type: "engine.back" });
  expect(t.state).toBe("unsure.reconciling");
  await t.until("active.running");
  expect(t.engine.look().container).toMatchObject({ id: "c2", is: "up" });
});

test("removed, stopped and started by hand", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.removeByHand();
  await t.until("crashed.waiting");
  await t.until("active.running");
  t.ask(wanting("PRESENT"));
  await t.until("present");
  t.engine.startByHand("1");
  await t.until("stopping");
  await t.until("present");
  expect(t.engine.look().container).toBeUndefined();
});

test("a pull that is called off ends in the engine, and the next effect begins only then", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("pulling");
  await t.pass(100);
  t.ask(wanting("REMOVED"));
  expect(t.state).toBe("unsure.reconciling");
  t.ask(wanting("RUNNING"));
  await t.until("active.running", 1_000);
  expect(t.engine.calls).toEqual([
    "look 1",
    "pullImage 1",
    "look 1",
    "pullImage 1",
    "createContainer 1",
    "startContainer 1",
  ]);
  expect(t.engine.violations).toEqual([]);
});

test("a container that a step's look shows by surprise is taken over", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("pulling");
  t.engine.boxes.set("x", { id: "x", version: "1", spec: "s", is: "up", startedAt: 1 });
  await t.until("active.running");
  expect(t.engine.calls).toEqual(["look 1", "pullImage 1", "look 1"]);
});

test("a request for another version while it runs makes a new container of it", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.running");
  expect(t.engine.calls.slice(4)).toEqual(["stopContainer 1", "pullImage 2", "createContainer 2", "startContainer 2"]);
  expect(t.engine.look().container).toMatchObject({ version: "2", is: "up" });
});

test("a stopped app pulls a newer version, and is removed with all its versions", async () => {
  using t = new TestApp(wanting("PRESENT"));
  await t.until("present");
  t.ask(wanting("PRESENT", "2"));
  await t.until("pulling");
  await t.until("present");
  expect(t.engine.look().images).toEqual(["1", "2"]);
  t.ask(wanting("REMOVED", "2"));
  await t.until("absent.removed");
  expect(t.engine.look()).toEqual({ images: [] });
});

test("a container that was paused by hand is resumed as it is", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.pauseByHand();
  await t.until("active.starting");
  await t.until("active.running");
  expect(t.engine.look().container).toMatchObject({ id: "c1", is: "up" });
  expect(t.memory.failures).toBe(0);
});

test("an agent that starts finds a paused container and resumes it", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.kill();
  t.engine.pauseByHand();
  t.actor = t.boot();
  await t.until("active.running");
  expect(t.engine.calls.slice(4)).toEqual(["look 1", "startContainer 1"]);
});

test("a container that was paused by hand while nothing is wanted to run is taken away", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.pauseByHand();
  t.ask(wanting("PRESENT"));
  await t.until("present");
  expect(t.engine.look()).toEqual({ images: ["1"] });
});

test("the exit code of a crash is the reason, and an unknown one is called unknown", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.exit(7);
  await t.until("crashed.waiting");
  expect(t.last()?.error?.message).toBe("the container ended by itself: exit code 7");
  await t.until("active.running");
  t.engine.removeByHand();
  await t.until("crashed.waiting");
  expect(t.last()?.error?.code).toBe("container_exited");
});

test("a running app is removed at once", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("REMOVED"));
  expect(t.state).toBe("removing");
  await t.until("absent.removed");
  expect(t.engine.look()).toEqual({ images: [] });
});

test("every drawn transition was taken by a story above", () => {
  type Node = { id: string; states: Record<string, Node>; transitions: Map<string, Arrow[]>; always?: Arrow[] };
  type Arrow = { eventType: string; target?: { id: string }[] };
  const arrows = (node: Node): string[] => [
    ...[...[...node.transitions.values()].flat(), ...(node.always ?? [])].map((t) =>
      nameOf(node.id, t.eventType, t.target),
    ),
    ...Object.values(node.states).flatMap(arrows),
  ];
  expect(arrows(appMachine.root as unknown as Node).filter((name) => !taken.has(name))).toEqual([]);
});
