/** Orders: to disk first, then to the actor; what is answered; when an app is forgotten. */
import { describe, expect, test } from "vitest";
import { type AppId, appName, type Facts, type Memory, NOTHING_REMEMBERED, type Target } from "../../src/model/app.ts";
import { AgentError } from "../../src/model/errors.ts";
import { type AppOrder, desiredOf } from "../../src/model/order.ts";
import type { State } from "../../src/model/outcomes.ts";
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
    keep: (order) => {
      if (fault.is) throw fault.is;
      disk.set(appName(order.app), order);
      happened.push(`keep ${order.target}`);
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
    apps: () => [...disk.values()].map((order) => order.app),
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

test("an order is on disk before the actor hears of it", () => {
  const { orders, happened, disk } = start();
  expect(orders.take(asks(orderFor("RUNNING")), "person")).toEqual({
    outcome: "now",
    why: "RUNNING with version 1 is taken up now; PROD:42 is new here",
  });
  expect(happened).toEqual(["keep RUNNING", "app.ordered person"]);
  expect(disk.get("PROD:42")).toEqual(orderFor("RUNNING"));
});

test("an owner that is not named does not overwrite the one who is known", () => {
  const { orders, disk } = start(at("present", "PRESENT"));
  orders.take(asks({ ...orderFor("RUNNING"), owner: 0 }), "sync");
  expect(disk.get("PROD:42")).toMatchObject({ target: "RUNNING", owner: 6 });
  orders.take(asks({ ...orderFor("RUNNING"), owner: 8 }), "sync");
  expect(disk.get("PROD:42")).toMatchObject({ owner: 8 });
});

test("what cannot be written is not sent, and nothing has changed", () => {
  const { orders, happened, fault, disk } = start(at("present", "PRESENT"));
  fault.is = new AgentError("storage_failed", "disk full");
  expect(() => orders.take(asks(orderFor("RUNNING")), "person")).toThrow(fault.is);
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
])("in %s (wanted %s) a request for %s is answered with %s, kept and sent", (state, before, target, outcome) => {
  const { orders, happened, disk } = start(at(state, before));
  const answer = orders.take(asks(orderFor(target)), "person");
  expect(answer.outcome).toBe(outcome);
  expect(answer.why).toMatch(/^.{10,}$/);
  expect(disk.get("PROD:42")?.target).toBe(target);
  const repeat = outcome === "done" ? ["app.repeat"] : [];
  expect(happened).toEqual([`keep ${target}`, "app.ordered person", ...repeat]);
});

test("a person who asks for what is so already makes it be told once more, a sync does not", () => {
  const { orders, happened } = start(at("present", "PRESENT"));
  orders.take(asks(orderFor("PRESENT")), "sync");
  expect(happened).toEqual(["keep PRESENT", "app.ordered sync"]);
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
