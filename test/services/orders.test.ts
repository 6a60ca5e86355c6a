/** Orders: to disk first, then to the actor; what is answered; when an app is forgotten. */
import { describe, expect, test } from "vitest";
import { type AppId, appName, type Facts, type Memory, NOTHING_REMEMBERED, type Target } from "../../src/model/app.ts";
import { AgentError } from "../../src/model/errors.ts";
import { type AppOrder, desiredOf } from "../../src/model/order.ts";
import type { State } from "../../src/model/outcomes.ts";
import { Secret } from "../../src/model/secret.ts";
import { Orders } from "../../src/services/orders.ts";
import { TestProblems } from "../support/wire.ts";

const app: AppId = { stage: "PROD", key: 42 };
const orderFor = (target: Target, version = "1", key = 42): AppOrder => ({
  app: { stage: "PROD", key },
  name: "weather",
  target,
  version,
  releaseKey: 11,
  requestor: 5,
  owner: 6,
});

const asks = (order: AppOrder, more: object = {}) =>
  ({ is: "order", order, cancels: false, isVersionOpen: false, ...more }) as const;
const LIST = { orders: [], named: new Set<string>(["PROD:42"]), unsupported: [], bad: [] };

function start(where: Record<string, { state: State; facts?: Facts; memory?: Memory; order: AppOrder }> = {}) {
  const clock = { now: 1_000 };
  const disk = new Map<string, AppOrder>(Object.entries(where).map(([name, { order }]) => [name, order]));
  const happened: unknown[] = [];
  const problems = new TestProblems();
  const fault = { is: undefined as AgentError | undefined };
  const orders = new Orders({
    keep: (kept) => {
      if (fault.is) throw fault.is;
      for (const order of kept) disk.set(appName(order.app), order);
      happened.push(`keep ${kept.map(({ target }) => target).join()}`);
    },
    orderOf: (id) => disk.get(appName(id)),
    forget: (id) => {
      disk.delete(appName(id));
      happened.push(`forget ${appName(id)}`);
    },
    whereIs: (id) => {
      const it = where[appName(id)];
      if (!it) return undefined;
      const desired = desiredOf(disk.get(appName(id)) ?? it.order);
      const known = { stage: id.stage, facts: it.facts, memory: it.memory ?? NOTHING_REMEMBERED };
      return { ...known, state: it.state, desired, strategy: "download-then-swap", at: 0 };
    },
    orders: () => [...disk.values()],
    onGoodList: () => happened.push("good list"),
    now: () => clock.now,
    problems,
    send: (event) => happened.push(event.type === "app.ordered" ? `${event.type} ${event.by}` : event.type),
  });
  return { orders, disk, happened, problems, fault, clock };
}
const at = (state: State, target: Target, facts?: Facts) => ({
  "PROD:42": { state, order: orderFor(target), ...(facts && { facts }) },
});

test("an order is on disk before the actor hears of it", async () => {
  const { orders, happened, disk } = start();
  expect(await orders.take(asks(orderFor("RUNNING")), "person")).toEqual({
    outcome: "now",
    why: "RUNNING with version 1 is taken up now; PROD:42 is new here",
  });
  expect(happened).toEqual(["keep RUNNING", "app.ordered person"]);
  expect(disk.get("PROD:42")).toEqual(orderFor("RUNNING"));
});

test("an owner that is not named does not overwrite the one who is known", async () => {
  const { orders, disk } = start(at("present", "PRESENT"));
  await orders.take(asks({ ...orderFor("RUNNING"), owner: 0 }), "sync");
  expect(disk.get("PROD:42")).toMatchObject({ target: "RUNNING", owner: 6 });
  await orders.take(asks({ ...orderFor("RUNNING"), owner: 8 }), "sync");
  expect(disk.get("PROD:42")).toMatchObject({ owner: 8 });
});

test("what cannot be written is not sent, and nothing has changed", async () => {
  const { orders, happened, fault, disk } = start(at("present", "PRESENT"));
  fault.is = new AgentError("storage_failed", "disk full");
  await expect(orders.take(asks(orderFor("RUNNING")), "person")).rejects.toThrow(fault.is);
  expect(happened).toEqual([]);
  expect(disk.get("PROD:42")).toEqual(orderFor("PRESENT"));
});

test.each<[State, Target, Target, string]>([
  ["present", "PRESENT", "RUNNING", "now"],
  ["present", "PRESENT", "PRESENT", "done"],
  ["pulling", "RUNNING", "REMOVED", "cancels"],
  ["pulling", "RUNNING", "PRESENT", "after"],
  ["active.starting", "RUNNING", "PRESENT", "cancels"],
  ["active.running.steady", "RUNNING", "RUNNING", "done"],
  ["stopping", "PRESENT", "RUNNING", "after"],
  ["removing", "REMOVED", "RUNNING", "after"],
  ["crashed.held", "RUNNING", "RUNNING", "now"],
  ["unsure.unknown", "RUNNING", "PRESENT", "after"],
])("in %s (wanted %s) a request for %s is answered with %s, kept and sent", async (state, before, target, outcome) => {
  const { orders, happened, disk } = start(at(state, before));
  const answer = await orders.take(asks(orderFor(target)), "person");
  expect(answer.outcome).toBe(outcome);
  expect(answer.why).toMatch(/^.{10,}$/);
  expect(disk.get("PROD:42")?.target).toBe(target);
  expect(happened).toEqual([`keep ${target}`, "app.ordered person"]);
});

describe("a list of desired states", () => {
  test("its rows become orders, what it names stays, and what is wrong with it is shown", () => {
    const { orders, happened, problems } = start(at("present", "PRESENT"));
    const orders7 = [asks(orderFor("RUNNING", "1", 7))];
    const both = new Set(["PROD:42", "PROD:7"]);
    orders.sync({ ...LIST, orders: orders7, named: both, unsupported: ["element 1: no"], bad: ["element 2: odd"] });
    expect(happened).toEqual(["keep RUNNING", "app.ordered sync", "good list"]);
    expect(problems.list()).toMatchObject([
      { about: "desired_states.bad", code: "back_end_failed", says: expect.stringContaining("element 2: odd") },
      { about: "desired_states.unsupported", code: "unsupported", says: expect.stringContaining("element 1: no") },
    ]);
    orders.sync({ ...LIST, named: both });
    expect(problems.list()).toEqual([]);
    expect(happened).toEqual(["keep RUNNING", "app.ordered sync", "good list", "good list"]);
  });

  test("a list with a thousand bad rows makes a sentence, not a page", () => {
    const { orders, problems } = start();
    orders.sync({ ...LIST, bad: Array.from({ length: 1_000 }, (_, n) => `element ${n}: odd`) });
    expect(problems.list()[0]?.says.length).toBeLessThan(300);
  });

  test("a disk that is full is an error, for it to be asked again, and what is wrong is shown all the same", () => {
    const { orders, fault, problems } = start();
    fault.is = new AgentError("storage_failed", "disk full");
    expect(() => orders.sync({ ...LIST, orders: [asks(orderFor("RUNNING"))], bad: ["x"] })).toThrow(fault.is);
    expect(problems.list()).toHaveLength(1);
  });
});

describe("an app is forgotten when the back end has heard REMOVED", () => {
  test("and that was wanted, and it is so", () => {
    const { orders, happened } = start(at("absent.removed", "REMOVED"));
    orders.heard(app, "REMOVED");
    expect(happened).toEqual(["forget PROD:42", "app.forget"]);
  });

  test.each<[State, Target, "REMOVED" | "DELETING"]>([
    ["absent.removed", "RUNNING", "REMOVED"],
    ["absent.removed", "REMOVED", "DELETING"],
    ["removing", "REMOVED", "REMOVED"],
    ["unsure.unknown", "REMOVED", "REMOVED"],
  ])("but not in %s, wanted %s, heard %s", (state, target, heard) => {
    const { orders, happened } = start(at(state, target));
    orders.heard(app, heard);
    expect(happened).toEqual([]);
  });

  test("and one that nobody knows is nobody's", () => {
    const { orders, happened } = start();
    orders.heard(app, "REMOVED");
    expect(happened).toEqual([]);
  });
});

describe("what the list no longer names", () => {
  const both = (state: State) => ({
    ...at(state, "RUNNING"),
    "PROD:7": { state, order: orderFor("RUNNING", "1", 7) },
    "PROD:8": { state, order: orderFor("RUNNING", "1", 8) },
  });

  test("goes, and nothing is told of it; when it is gone it is forgotten", () => {
    const where = both("active.running.steady");
    const { orders, happened, disk } = start(where);
    expect(orders.sync({ ...LIST, named: new Set(["PROD:42", "PROD:8"]) })).toBeUndefined();
    expect(disk.get("PROD:7")?.target).toBe("REMOVED");
    expect(happened).toEqual(["keep REMOVED", "app.ordered sync", "app.repeat", "good list"]);
    expect([orders.isUnlisted({ stage: "PROD", key: 7 }), orders.isUnlisted(app)]).toEqual([true, false]);
    Object.assign(where["PROD:7"], { state: "absent.removed" });
    orders.heard({ stage: "PROD", key: 7 }, "REMOVED");
    expect(happened.slice(4)).toEqual(["forget PROD:7", "app.forget"]);
    expect(orders.isUnlisted({ stage: "PROD", key: 7 })).toBe(false);
  });

  test("stays where it is much at once, until a second list says the same; that is shown, and asked for", () => {
    const { orders, happened, problems, clock } = start(both("active.running.steady"));
    expect(orders.sync({ ...LIST, named: new Set() })).toBe(60_000);
    expect(happened).toEqual([]);
    expect(problems.list()).toMatchObject([{ about: "desired_states.doubt", code: "list_doubted" }]);
    clock.now += 20_000;
    expect(orders.sync({ ...LIST, named: new Set() })).toBe(40_000);
    clock.now += 40_000;
    expect(orders.sync({ ...LIST, named: new Set() })).toBeUndefined();
    expect(happened.filter((each) => each === "keep REMOVED")).toHaveLength(3);
    expect(problems.list()).toEqual([]);
  });

  test("is an app like any other when it is named again", () => {
    const { orders } = start(both("active.running.steady"));
    orders.sync({ ...LIST, named: new Set(["PROD:42", "PROD:8"]) });
    const again = [asks(orderFor("RUNNING", "1", 7))];
    orders.sync({ ...LIST, orders: again, named: new Set(["PROD:42", "PROD:7", "PROD:8"]) });
    expect(orders.isUnlisted({ stage: "PROD", key: 7 })).toBe(false);
  });
});

describe("a download or an update that is called off", () => {
  const facts: Facts = {
    images: ["1"],
    container: { id: "c", version: "1", spec: "1-weather", is: "up", startedAt: 1 },
  };
  const updating = (state: State) => ({
    "PROD:42": { state, facts, order: { ...orderFor("RUNNING", "2"), releaseKey: 12, releases: { "1": 11 } } },
  });

  test("leaves the version that was here, with its release key", async () => {
    const { orders, disk } = start(updating("active.updating.pulling"));
    const answer = await orders.take(asks(orderFor("RUNNING", "2"), { cancels: true }), "person");
    expect(answer).toEqual({
      outcome: "cancels",
      why: "RUNNING with version 1 is taken up now, which breaks off: downloading the new version",
    });
    expect(disk.get("PROD:42")).toMatchObject({
      target: "RUNNING",
      version: "1",
      releaseKey: 11,
      releases: { "2": 11 },
    });
  });

  test("by PRESENT without more words too; by RUNNING, or by a list that repeats it, it goes on", async () => {
    const { orders, disk } = start(updating("active.updating.pulling"));
    await orders.take(asks(orderFor("RUNNING", "1")), "person");
    expect(disk.get("PROD:42")).toMatchObject({ target: "RUNNING", version: "2" });
    await orders.take(asks(orderFor("PRESENT", "2")), "person");
    expect(disk.get("PROD:42")).toMatchObject({ target: "PRESENT", version: "1" });
  });

  test("of an app that was not here is its removal, and where nothing goes on it is refused and nothing kept", async () => {
    const first = start(at("pulling", "RUNNING", { images: [] }));
    expect((await first.orders.take(asks(orderFor("PRESENT"), { cancels: true }), "person")).outcome).toBe("cancels");
    expect(first.disk.get("PROD:42")?.target).toBe("REMOVED");
    const second = start(at("present", "PRESENT", { images: ["1"] }));
    expect(await second.orders.take(asks(orderFor("RUNNING"), { cancels: true }), "person")).toMatchObject({
      outcome: "refused",
    });
    expect(second.happened).toEqual([]);
    const none = start();
    expect(await none.orders.take(asks(orderFor("RUNNING"), { cancels: true }), "person")).toMatchObject({
      outcome: "refused",
    });
  });
});

test("what comes in one turn of the loop is written together; each answer stands on what was asked before it", async () => {
  const { orders, happened, disk } = start(at("present", "PRESENT", { images: ["1"] }));
  const answers = await Promise.all([
    orders.take(asks(orderFor("RUNNING")), "person"),
    orders.take(asks(orderFor("RUNNING", "1", 7)), "person"),
    orders.take(asks(orderFor("REMOVED")), "person"),
  ]);
  expect(answers.map(({ outcome }) => outcome)).toEqual(["now", "now", "now"]);
  expect(happened).toEqual([
    "keep RUNNING,RUNNING,REMOVED",
    "app.ordered person",
    "app.ordered person",
    "app.ordered person",
  ]);
  expect(disk.get("PROD:42")?.target).toBe("REMOVED");
  await Promise.all([
    orders.take(asks(orderFor("RUNNING", "2")), "person"),
    orders.take(asks(orderFor("PRESENT", "9"), { isVersionOpen: true }), "person"),
  ]);
  expect(disk.get("PROD:42")).toMatchObject({ target: "PRESENT", version: "2" });
});

test("a defect while it is decided what becomes of a request is the caller's error, and the next one is taken", async () => {
  const where = at("present", "PRESENT");
  const { orders } = start(where);
  const defect = new TypeError("a bug");
  Object.defineProperty(where["PROD:42"], "state", {
    configurable: true,
    get: () => {
      throw defect;
    },
  });
  await expect(orders.take(asks(orderFor("RUNNING")), "person")).rejects.toBe(defect);
  Object.defineProperty(where["PROD:42"], "state", { value: "present" });
  expect((await orders.take(asks(orderFor("RUNNING")), "person")).outcome).toBe("now");
});

test("a list waits for no request that came before it", async () => {
  const { orders, happened } = start(at("present", "PRESENT"));
  const first = orders.take(asks(orderFor("RUNNING")), "person");
  orders.sync({ ...LIST, orders: [asks(orderFor("PRESENT"))] });
  expect(happened.slice(0, 4)).toEqual(["keep RUNNING", "app.ordered person", "keep PRESENT", "app.ordered sync"]);
  expect((await first).outcome).toBe("now");
});

test("who names no version keeps the one that is here", async () => {
  const { orders, disk } = start(at("present", "PRESENT"));
  await orders.take(asks(orderFor("RUNNING", "9"), { isVersionOpen: true }), "person");
  expect(disk.get("PROD:42")).toMatchObject({ target: "RUNNING", version: "1", releaseKey: 11 });
  const none = start();
  await none.orders.take(asks(orderFor("RUNNING", "9"), { isVersionOpen: true }), "person");
  expect(none.disk.get("PROD:42")).toMatchObject({ version: "9" });
});

test("what a list does not say stays: instance key, epoch and logins", async () => {
  const { orders, disk } = start();
  const registries = new Secret("{}");
  await orders.take(asks({ ...orderFor("RUNNING"), instanceKey: 7, credentialEpoch: 2, registries }), "person");
  await orders.take(asks(orderFor("PRESENT")), "sync");
  expect(disk.get("PROD:42")).toMatchObject({ target: "PRESENT", instanceKey: 7, credentialEpoch: 2, registries });
});

describe("retry and hold", () => {
  const waiting = (memory: Memory) => ({
    "PROD:42": { state: "crashed.waiting" as const, memory, order: orderFor("RUNNING") },
  });

  test("reach the app that waits, by its name, its key, or in full; no desire changes", () => {
    const { orders, happened } = start(waiting({ failures: 1, wait: { because: "container_exited", until: 9 } }));
    for (const name of ["weather", "42", "PROD:42"])
      expect(orders.wake({ app: name }, "retry")).toEqual({
        app: "PROD:42",
        outcome: "now",
        why: "it is tried again now",
      });
    expect(orders.wake({ app: "weather" }, "hold")).toMatchObject({ why: "it is not tried again by itself now" });
    expect(happened).toEqual(["app.retry", "app.retry", "app.retry", "app.hold"]);
  });

  test("are refused where nothing waits, and for an app that is not here", () => {
    const { orders, happened } = start(waiting({ failures: 0 }));
    expect(orders.wake({ app: "weather" }, "retry")).toMatchObject({ outcome: "refused" });
    expect(() => orders.wake({ app: "wether" }, "hold")).toThrow(/"wether"; is weather meant\?/);
    expect(() => orders.wake(undefined, "hold")).toThrow(AgentError);
    expect(happened).toEqual([]);
  });
});
