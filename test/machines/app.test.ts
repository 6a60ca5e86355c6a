import { describe, expect, test } from "vitest";
import { appMachine } from "../../src/machines/app.ts";
import { known } from "../../src/machines/appContext.ts";
import { desiredAfter } from "../../src/model/outcomes.ts";
import { START_GRACE } from "../../src/model/plan.ts";
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
  t.ask(wanting("UNINSTALLED"));
  await t.until("absent.uninstalled");
  t.ask(wanting("PRESENT"));
  await t.until("present");
  t.ask(wanting("UNINSTALLED"));
  await t.until("absent.uninstalled");
  expect(t.heard().slice(5)).toEqual([
    "STOPPING",
    "PRESENT",
    "DELETING",
    "REMOVED",
    "UNINSTALLED",
    "DOWNLOADING",
    "PRESENT",
    "DELETING",
    "REMOVED",
    "UNINSTALLED",
  ]);
});

test("an update that proves itself", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.probation");
  expect(t.engine.look()).toMatchObject({
    images: ["1", "2"],
    container: { version: "2", is: "up" },
    kept: { version: "1" },
  });
  await t.pass(29_000);
  expect(t.state).toBe("active.updating.probation");
  await t.until("active.running");
  expect(t.engine.look()).toMatchObject({ images: ["2"], container: { version: "2", is: "up" } });
  expect(t.engine.look().kept).toBeUndefined();
});

test.each(["exits", "sick"] as const)(
  "an update that %s is rolled back and not tried again until asked",
  async (how) => {
    using t = new TestApp(wanting("RUNNING"));
    t.engine.bad.set("2", how);
    t.engine.withHealthCheck.add("2");
    await t.until("active.running");
    t.ask(wanting("RUNNING", "2"));
    await t.until("active.updating.rollingBack", how === "exits" ? 1_000 : 31_000);
    await t.until("active.running");
    expect(t.engine.look()).toMatchObject({ container: { version: "1", is: "up" } });
    expect(t.memory.setAside).toEqual({
      version: "2",
      because: how === "exits" ? "container_exited" : "container_unhealthy",
    });
    await t.pass(3_600_000);
    expect(t.state).toBe("active.running.steady");
    t.engine.bad.clear();
    t.ask(wanting("RUNNING", "2"), "sync");
    await t.pass(1_000);
    expect(t.state).toBe("active.running.steady");
    t.ask(wanting("RUNNING", "2"));
    await t.until("active.updating.committing");
  },
);

test("a new version that cannot be downloaded leaves the old one running and is tried again", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.faults = ["image_pull_failed"];
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.pulling");
  await t.until("active.running");
  expect(t.memory.setAside).toMatchObject({ version: "2", until: expect.any(Number) });
  await t.pass(4_000);
  expect(t.state).toBe("active.running.settling");
  await t.until("active.updating.probation");
});

test("without a network the old version boots though a new one is wanted", async () => {
  using t = new TestApp(wanting("RUNNING", "2"), (engine) => {
    engine.images.add("1");
    engine.boxes.set("old", {
      id: "old",
      name: "app",
      version: "1",
      spec: "s",
      is: "down",
      startedAt: 1,
      port: 40_000,
    });
  });
  await t.until("active.updating");
  expect(t.engine.calls).toEqual(["look 2", "createContainer 1", "startContainer 1", "pullImage 2"]);
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
  await t.pass(600_000);
  expect(t.memory).toMatchObject({ failures: 0 });
});

test("a crash loop survives the agent, and a clock that jumped back a year makes nobody wait a year", async () => {
  using t = new TestApp(wanting("RUNNING"), (engine) => void engine.images.add("1"), {
    failures: 2,
    wait: { because: "container_exited", until: 365 * 86_400_000 },
  });
  await t.until("crashed.waiting");
  await t.pass(4_320_000 - 1_000);
  expect(t.state).toBe("crashed.waiting");
  await t.pass(2_000);
  await t.until("active.running");
});

test("retry skips the wait, hold ends it, a request clears both", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.exit();
  await t.until("crashed.waiting");
  t.actor.send({ type: "app.hold" });
  expect(t.state).toBe("crashed.held");
  await t.pass(7_200_000);
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
  await t.pass(7_200_000);
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
  await t.pass(60_000);
  expect(t.state).toBe("unsure.unknown");
  t.engine.comeBack();
  await t.until("active.running");
  expect(t.memory.failures).toBe(0);
  expect(t.engine.violations).toEqual([]);
});

test("a swap that fails is rolled back and its version set aside, unless it was the engine that went away", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.swapping");
  await t.pass(15);
  t.engine.faults = ["bad_configuration"];
  await t.until("active.running");
  expect(t.engine.calls.at(-1)).toBe("rollBackUpdate 1");
  expect(t.engine.look()).toMatchObject({ container: { version: "1", is: "up" } });
  expect(t.memory.setAside).toEqual({ version: "2", because: "bad_configuration" });
  expect(t.heard()).not.toContain("FAILED");

  t.ask(wanting("RUNNING", "3"));
  await t.until("active.updating.swapping");
  t.engine.faults = ["engine_unreachable"];
  await t.until("active.updating.committing");
  expect(t.memory.setAside).toBeUndefined();
  await t.until("active.running");
  expect(t.engine.look()).toMatchObject({ images: ["3"], container: { version: "3" } });
});

test("a sick container is stopped, then made anew after the wait", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.fallSick("1");
  await t.until("active.halting");
  expect(t.clock.now()).toBeGreaterThanOrEqual(START_GRACE);
  await t.until("crashed.waiting");
  expect(t.engine.look().container).toMatchObject({ id: "c1", is: "down" });
  expect(t.heard().slice(-2)).toEqual(["STOPPING", "FAILED"]);
  expect(t.last()?.error?.code).toBe("container_unhealthy");
  t.engine.bad.clear();
  await t.until("active.running.settling");
  await t.pass(1_000);
  expect(t.engine.look().container).toMatchObject({ id: "c2", health: "healthy" });
});

test("whoever is unhealthy during the start grace and healthy at its end is left alone", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.fallSick("1");
  await t.until("active.running");
  await t.pass(START_GRACE - 100);
  t.engine.judge("healthy");
  await t.pass(60_000);
  expect(t.state).toBe("active.running.settling");
  t.engine.judge("unhealthy");
  await t.until("active.halting", 20);
});

test("a container that is found sick is stopped, also when a wait was on", async () => {
  const wait = { because: "container_exited" as const, until: 100_000 };
  const memory = { failures: 2, wait };
  const sick = { id: "x", name: "app", version: "1", spec: "s", is: "up", health: "unhealthy" } as const;
  using t = new TestApp(
    wanting("RUNNING"),
    (engine) => {
      engine.images.add("1");
      engine.boxes.set("x", { ...sick, startedAt: -START_GRACE, port: 40_000 });
    },
    memory,
  );
  await t.until("active.halting", 100);
  await t.until("crashed.waiting", 100);
  expect(t.engine.look().container?.is).toBe("down");
  expect(t.engine.violations).toEqual([]);
});

test("an engine that does not stop a sick container is asked again after the wait, not at once", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.fallSick("1");
  await t.until("active.halting");
  t.engine.faults = ["container_failed"];
  await t.until("crashed.waiting");
  await t.pass(4_000);
  expect(t.engine.calls.filter((call) => call === "haltContainer 1")).toHaveLength(1);
  await t.until("active.halting");
});

test.each(["exits", "turns sick"])(
  "an old container that %s while the new image downloads comes first",
  async (how) => {
    using t = new TestApp(wanting("RUNNING"));
    t.engine.withHealthCheck.add("1");
    await t.until("active.running");
    await t.pass(START_GRACE);
    const before = t.engine.calls.length;
    t.ask(wanting("RUNNING", "2"));
    await t.pass(50);
    if (how === "exits") t.engine.exit(3);
    else t.engine.judge("unhealthy");
    await t.until("crashed.waiting", 100);
    expect(t.heard().slice(6)).toEqual(how === "exits" ? ["FAILED"] : ["STOPPING", "FAILED"]);
    await t.until("active.updating.committing");
    await t.until("active.running");
    expect(t.engine.calls.slice(before).filter((call) => !/^(halt|look)/.test(call))).toEqual([
      "pullImage 2",
      "createContainer 1",
      "startContainer 1",
      "pullImage 2",
      "swapContainers 2",
      "commitUpdate 2",
    ]);
    expect(t.memory.failures).toBe(1);
  },
);

test("an old container that was unhealthy in its start grace is stopped when that ends, though a download goes on", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.fallSick("1");
  await t.until("active.running");
  await t.pass(START_GRACE - 100);
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.halting", 150);
  expect(t.engine.calls.at(-2)).toBe("pullImage 2");
});

test("a version that is found on probation is the one that is set aside, though a newer one is wanted", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.probation");
  t.ask(wanting("RUNNING", "3"));
  t.kill();
  t.actor = t.boot();
  await t.until("active.updating.probation");
  t.engine.exit();
  await t.until("active.updating.rollingBack");
  expect(t.memory.setAside?.version).toBe("2");
});

describe("an update of a stopped app", () => {
  async function updated(): Promise<TestApp> {
    const t = new TestApp(wanting("PRESENT"));
    await t.until("present");
    expect(t.heard()).toContain("DOWNLOADING");
    t.ask(wanting("PRESENT", "2"));
    await t.until("pulling");
    await t.until("present");
    expect(t.heard().slice(-3)).toEqual(["PRESENT", "UPDATING", "PRESENT"]);
    await t.pass(3_600_000);
    expect(t.state).toBe("present");
    expect(t.engine.look()).toEqual({ images: ["1", "2"] });
    return t;
  }

  test("is on probation when it starts, and the old image goes only then", async () => {
    using t = await updated();
    t.ask(wanting("RUNNING", "2"));
    await t.until("active.updating.probation");
    expect(t.engine.look()).toMatchObject({ images: ["1", "2"], container: { version: "2" } });
    await t.pass(29_000);
    expect(t.state).toBe("active.updating.probation");
    await t.until("active.running");
    expect(t.engine.look()).toMatchObject({ images: ["2"], container: { version: "2" } });
    expect(t.memory.wayBack).toBeUndefined();
    t.engine.exit();
    await t.until("crashed.waiting");
    await t.until("active.running");
    expect(t.heard().slice(-2)).toEqual(["STARTING", "RUNNING"]);
  });

  test.each(["exits", "sick", "cannot be made"] as const)(
    "goes back to the old image if the new one %s",
    async (how) => {
      using t = await updated();
      t.engine.withHealthCheck.add("2");
      if (how === "cannot be made") t.engine.faults = ["bad_configuration"];
      else t.engine.bad.set("2", how);
      t.ask(wanting("RUNNING", "2"));
      await t.until("active.updating.rollingBack");
      await t.until("active.running");
      expect(t.engine.look()).toMatchObject({ container: { version: "1", is: "up" } });
      expect(t.memory).toMatchObject({ wayBack: "1", setAside: { version: "2" } });
      expect(t.heard()).not.toContain("FAILED");
      t.ask(wanting("PRESENT", "2"), "sync");
      await t.until("present");
      await t.pass(1_000);
      t.actor.stop();
      t.actor = t.boot();
      await t.until("present");
      expect(t.engine.look().images).toContain("1");
    },
  );

  test("by another one keeps the way back to the one that was proven", async () => {
    using t = await updated();
    t.ask(wanting("PRESENT", "3"));
    await t.until("pulling");
    await t.until("present");
    t.engine.bad.set("3", "exits");
    t.ask(wanting("RUNNING", "3"));
    await t.until("active.updating.rollingBack");
    await t.until("active.running");
    expect(t.engine.look().container?.version).toBe("1");
  });
});

describe.each(["swapping", "probation"])("a stop during %s", (where) => {
  async function stopped(): Promise<TestApp> {
    const t = new TestApp(wanting("RUNNING"));
    await t.until("active.running");
    t.ask(wanting("RUNNING", "2"));
    await t.until(`active.updating.${where}`);
    await t.pass(15);
    t.ask(wanting("PRESENT", "2"));
    await t.until("present");
    expect(t.engine.look()).toEqual({ images: ["1", "2"] });
    t.kill();
    t.actor = t.boot();
    await t.until("present");
    t.ask(wanting("RUNNING", "2"));
    return t;
  }

  test("the next start goes on with the probation", async () => {
    using t = await stopped();
    await t.until("active.updating.probation", 1_000);
    expect(t.engine.calls.slice(-2)).toEqual(["createContainer 2", "startContainer 2"]);
    await t.until("active.updating.committing");
    await t.until("active.running");
    expect(t.engine.look()).toMatchObject({ images: ["2"], container: { version: "2" } });
  });

  test("the next start keeps the way back", async () => {
    using t = await stopped();
    t.engine.bad.set("2", "exits");
    await t.until("active.updating.rollingBack", 1_000);
    await t.until("active.running");
    expect(t.engine.look()).toMatchObject({ container: { version: "1", is: "up" } });
  });
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

test.each(["pulling", "swapping", "probation", "committing"])(
  "an agent that is killed while %s ends with one container of the wanted version",
  async (where) => {
    using t = new TestApp(wanting("RUNNING"));
    await t.until("active.running");
    t.ask(wanting("RUNNING", "2"));
    await t.until(`active.updating.${where}`);
    for (const moment of [0, 5, 15, 25, 35]) {
      await t.pass(moment);
      t.kill();
      t.actor = t.boot();
    }
    await t.pass(120_000);
    expect(t.state).toBe("active.running.settling");
    expect(t.engine.look()).toEqual({ images: ["2"], container: expect.objectContaining({ version: "2", is: "up" }) });
    expect(t.engine.violations).toEqual([]);
  },
);

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

test("an agent that is killed in the middle of a swap brings the old version back first", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.swapping");
  await t.pass(15);
  t.kill();
  t.actor = t.boot();
  await t.until("active.updating.rollingBack", 100);
  expect(t.engine.look()).toEqual({ images: ["1", "2"], kept: expect.objectContaining({ version: "1", is: "down" }) });
  await t.until("active.updating.committing");
});

test("a container that a step's look shows by surprise is taken over", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("pulling");
  t.engine.boxes.set("x", { id: "x", name: "app", version: "1", spec: "s", is: "up", startedAt: 1, port: 40_000 });
  await t.until("active.running");
  expect(t.engine.calls).toEqual(["look 1", "pullImage 1", "look 1"]);
});

test("what was uninstalled is uninstalled after a restart", async () => {
  using t = new TestApp(wanting("UNINSTALLED"), undefined, { failures: 0, isUninstalled: true });
  await t.until("absent.uninstalled");
  expect(t.engine.calls).toEqual(["look 1"]);
});

test("a stopped app pulls a newer version, a running one can be removed at once", async () => {
  using t = new TestApp(wanting("PRESENT"));
  await t.until("present");
  t.ask(wanting("PRESENT", "2"));
  await t.until("pulling");
  t.ask(desiredAfter("pulling", { desired: t.desired, cancels: true }, known(t.actor.getSnapshot().context)));
  await t.until("present", 100);
  expect(t.engine.look().images).toEqual(["1"]);
  t.ask(wanting("PRESENT", "2"));
  await t.until("pulling");
  await t.until("present");
  expect(t.engine.look().images).toContain("2");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.running");
  t.ask(wanting("REMOVED", "2"));
  expect(t.state).toBe("removing");
  await t.until("absent.removed");
});

test("an update that is called off while it downloads leaves the old version running", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.pulling");
  t.ask(wanting("RUNNING", "1"));
  expect(t.state).toBe("active.running.settling");
  await t.pass(1_000);
  expect(t.engine.look()).toMatchObject({ images: ["1"], container: { id: "c1", is: "up" } });
});

test("a version that never says whether it is healthy is rolled back when its probation ends", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.withHealthCheck.add("2");
  t.engine.bad.set("2", "mute");
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.rollingBack", 601_000);
  await t.until("active.running");
  expect(t.engine.look().container?.version).toBe("1");
});

test("a commit that fails is tried again after one more probation", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.committing");
  t.engine.faults = ["timeout"];
  await t.until("active.updating.probation", 100);
  await t.until("active.running");
  expect(t.engine.look()).toEqual({ images: ["2"], container: expect.objectContaining({ version: "2", is: "up" }) });
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
  expect(t.engine.look().container).toMatchObject({ id: "c1", is: "up" });
});

test("a container that was paused by hand is resumed as it is", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  const before = t.engine.calls.length;
  t.engine.pauseByHand();
  await t.until("active.starting");
  await t.until("active.running");
  expect(t.engine.calls.slice(before)).toEqual(["startContainer 1"]);
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

test("an update ends as soon as the new version says that it is healthy", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.withHealthCheck.add("2");
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.committing", 1_000);
  await t.until("active.running");
  expect(t.engine.look().container).toMatchObject({ version: "2", health: "healthy" });
});

test("the end of an update is told in three reports, a rolled back one in one, a called off one until it rests", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.committing");
  expect(t.last()).toMatchObject({ state: "UPDATING", version: "1" });
  await t.until("active.running");
  expect(t.ends()).toEqual(["PRESENT 2 pending_remote_confirmation", "STARTING 2 completed", "RUNNING 2 completed"]);

  t.engine.bad.set("3", "exits");
  t.ask(wanting("RUNNING", "3"));
  await t.until("active.updating");
  await t.until("active.running");
  expect(t.ends().slice(3)).toEqual(["RUNNING 2 canceled"]);

  t.ask(wanting("RUNNING", "4"));
  await t.until("active.updating.pulling");
  t.ask(wanting("UNINSTALLED", "4"));
  await t.until("absent.uninstalled");
  expect(t.ends().slice(4)).toEqual(["DELETING 2 canceled", "REMOVED 2 canceled", "UNINSTALLED 2 canceled"]);
  t.ask(wanting("RUNNING", "4"));
  await t.until("active.running");
  await t.pass(601_000);
  expect(t.ends()).toHaveLength(7);
});

test("a stopped app is updated by the download, and says so once", async () => {
  using t = new TestApp(wanting("PRESENT"));
  await t.until("present");
  t.ask(wanting("PRESENT", "2"));
  await t.until("pulling");
  expect(t.last()).toMatchObject({ state: "UPDATING", version: "1" });
  await t.until("present");
  expect(t.ends()).toEqual(["PRESENT 2 pending_remote_confirmation"]);
});

test("an update that is called off during its probation goes back at once", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.probation");
  t.ask(wanting("RUNNING", "1"));
  expect(t.state).toBe("active.updating.rollingBack");
  await t.until("active.running");
  expect(t.engine.look().container).toMatchObject({ id: "c1", version: "1", is: "up" });
  expect(t.memory.setAside).toBeUndefined();
  expect(t.ends()).toEqual(["RUNNING 1 canceled"]);
});

test("a power loss in the middle of a probation is no failure: the new version starts once more, and its clock anew", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.probation");
  t.kill();
  t.engine.lose();
  t.engine.comeBack();
  t.actor = t.boot();
  await t.until("active.updating.swapping", 100);
  await t.until("active.updating.probation", 100);
  await t.pass(29_000);
  expect(t.state).toBe("active.updating.probation");
  await t.until("active.running");
  expect(t.engine.look()).toEqual({ images: ["2"], container: expect.objectContaining({ id: "c2", is: "up" }) });
  expect(t.memory.setAside).toBeUndefined();
});

test("a roll back that was decided goes on after a kill, though the bad version runs", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.withHealthCheck.add("2");
  t.engine.bad.set("2", "mute");
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.rollingBack", 601_000);
  t.engine.faults = ["container_failed"];
  t.kill();
  t.actor = t.boot();
  await t.until("active.updating.rollingBack", 100);
  await t.until("active.running", 200);
  expect(t.engine.look().container).toMatchObject({ id: "c1", version: "1" });
});

test("an app that is stopped before the download is up again with the old version where there is no new one", async () => {
  using t = new TestApp(wanting("RUNNING"), undefined, undefined, { strategy: "stop-then-download" });
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("stopping");
  await t.until("active.updating.committing");
  await t.until("active.running");
  expect(t.engine.calls.slice(4)).toEqual([
    "stopContainer 1",
    "pullImage 2",
    "createContainer 2",
    "startContainer 2",
    "commitUpdate 2",
  ]);
  t.ask(wanting("RUNNING", "3"));
  await t.until("pulling");
  t.engine.faults = ["image_not_found"];
  await t.until("active.running");
  expect(t.engine.look().container).toMatchObject({ version: "2", is: "up" });
  expect(t.memory.setAside).toEqual({ version: "3", because: "image_not_found" });
  await t.pass(3_600_000);
  expect(t.state).toBe("active.running.steady");
});

test("a development app is never downloaded: without its image it fails, and says what to do", async () => {
  using t = new TestApp(wanting("PRESENT"), undefined, undefined, {}, "DEV");
  await t.pass(1_000);
  expect(t.state).toBe("absent.removed");
  t.engine.faults = ["image_not_built"];
  t.ask(wanting("RUNNING"));
  await t.until("crashed.held");
  expect(t.heard()).toEqual(["REMOVED", "STARTING", "FAILED"]);
  t.engine.images.add("1");
  t.ask(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.exit(1);
  await t.until("crashed.held");
});

test.each([
  ["always", 0, "crashed.waiting"],
  ["on-failure", 0, "crashed.held"],
  ["on-failure", 7, "crashed.waiting"],
  ["no", 7, "crashed.held"],
] as const)("with the label restart=%s an exit with %i leads to %s, and is FAILED", async (restart, code, state) => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.restart = restart;
  await t.until("active.running");
  t.engine.exit(code);
  await t.until(state);
  expect(t.last()?.state).toBe("FAILED");
  t.kill();
  t.actor = t.boot();
  await t.until(state, 100);
});

test("a version that is asked for while the one that is here fails is tried at once, with a way back", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.bad.set("1", "exits");
  await t.until("crashed.waiting");
  const before = t.engine.calls.length;
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.committing");
  expect(t.engine.calls.slice(before)).toEqual([
    "look 1",
    "pullImage 2",
    "createContainer 2",
    "startContainer 2",
    "commitUpdate 2",
  ]);
  await t.until("active.running");
  expect(t.memory.failures).toBe(0);
  t.engine.bad.set("3", "exits");
  t.engine.exit(1);
  await t.until("crashed.waiting");
  t.ask(wanting("RUNNING", "3"));
  await t.until("active.updating.rollingBack");
  await t.until("active.running");
  expect(t.engine.look().container).toMatchObject({ version: "2", is: "up" });
});

test("an old version that fails again and again while the new one downloads is passed over", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  for (const _ of [1, 2]) {
    await t.until("active.updating.pulling");
    t.engine.exit(1);
    await t.until("crashed.waiting");
  }
  const before = t.engine.calls.length;
  await t.until("active.updating.committing");
  expect(t.engine.calls.slice(before)).toEqual([
    "look 2",
    "pullImage 2",
    "createContainer 2",
    "startContainer 2",
    "commitUpdate 2",
  ]);
  await t.pass(601_000);
  expect(t.memory).toEqual({
    failures: 0,
    isUninstalled: undefined,
    setAside: undefined,
    wait: undefined,
    wayBack: undefined,
  });
});

test("a commit whose end nobody noted is told after a restart", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.committing");
  await t.pass(25);
  expect(t.engine.look()).toEqual({ images: ["2"], container: expect.objectContaining({ version: "2" }) });
  t.kill();
  t.actor = t.boot();
  await t.until("active.updating.committing", 100);
  await t.until("active.running");
  expect(t.ends()).toEqual(["PRESENT 2 pending_remote_confirmation", "STARTING 2 completed", "RUNNING 2 completed"]);
});

test("an engine that does not answer in time is looked at before anything is called a failure", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.creating");
  t.engine.faults = ["engine_timeout"];
  await t.until("unsure.reconciling");
  expect(t.heard()).not.toContain("FAILED");
  await t.until("crashed.waiting", 100);
  expect(t.last()).toMatchObject({ state: "FAILED", error: { code: "engine_timeout" } });
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.swapping");
  t.engine.faults = ["engine_timeout"];
  t.engine.isUp = true;
  await t.until("active.updating.committing");
  expect(t.memory.setAside).toBeUndefined();
});

const YEAR = 365 * 86_400_000;
test.each([YEAR, -YEAR])("a clock that is set by %i ms changes no wait and no probation", async (jump) => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.exit(1);
  await t.until("crashed.waiting");
  t.skew = jump;
  await t.pass(4_800);
  expect(t.state).toBe("crashed.waiting");
  await t.pass(300);
  await t.until("active.running", 200);
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.probation");
  t.skew = 0;
  await t.pass(29_000);
  expect(t.state).toBe("active.updating.probation");
  await t.until("active.running", 2_000);
  t.engine.exit(1);
  await t.until("crashed.waiting");
  t.kill();
  t.skew = jump;
  t.actor = t.boot();
  await t.until("active.running", jump > 0 ? 1_000 : 4_400_000);
  expect(t.engine.violations).toEqual([]);
});

test.each(["exits", "sick", "mute"] as const)(
  "a version that changed its data for good and %s is not taken back",
  async (how) => {
    using t = new TestApp(wanting("RUNNING"));
    t.engine.oneWay.add("2");
    t.engine.bad.set("2", how);
    if (how !== "exits") t.engine.withHealthCheck.add("2");
    await t.until("active.running");
    t.ask(wanting("RUNNING", "2"));
    await t.until("active.updating.committing", 601_000);
    if (how === "mute") await t.until("active.running");
    else await t.until("crashed");
    expect(t.engine.look().kept).toBeUndefined();
    expect(t.engine.look().images).toEqual(["2"]);
    expect(t.memory.setAside).toBeUndefined();
  },
);

test("a version that would change its data for good, and never ran, is taken back", async () => {
  using t = new TestApp(wanting("RUNNING"));
  t.engine.oneWay.add("2");
  await t.until("active.running");
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.swapping");
  await t.pass(35);
  t.engine.faults = ["bad_configuration"];
  await t.until("active.updating.rollingBack");
  await t.until("active.running");
  expect(t.engine.look().container).toMatchObject({ version: "1", is: "up" });
});

test("a container that ended while nobody watched is started as it is, though its end is told late; one that failed is made anew", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.kill();
  t.engine.exit(0);
  await t.pass(20);
  t.actor = t.boot();
  t.engine.retell();
  await t.until("active.running");
  t.engine.retell();
  expect(t.engine.look().container).toMatchObject({ id: "c1", is: "up" });
  t.engine.exit(0);
  await t.until("crashed.waiting");
  t.ask(wanting("RUNNING"));
  await t.until("active.running");
  expect(t.engine.look().container).toMatchObject({ id: "c2", is: "up" });
});

test("a version that waits to be downloaded is not tried again when it is held, until somebody asks", async () => {
  using t = new TestApp(wanting("RUNNING"));
  await t.until("active.running");
  t.engine.faults = ["image_pull_failed"];
  t.ask(wanting("RUNNING", "2"));
  await t.until("active.updating.pulling");
  await t.until("active.running");
  t.actor.send({ type: "app.hold" });
  expect(t.memory.setAside).toEqual({ version: "2", because: "image_pull_failed" });
  await t.pass(7_200_000);
  expect(t.state).toBe("active.running.steady");
  t.actor.send({ type: "app.retry" });
  await t.until("active.updating.pulling", 100);
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
