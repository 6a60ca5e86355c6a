/** Virtual time, a back end that answers when told. */
import { expect, test } from "vitest";
import { createActor, fromPromise } from "xstate";
import { isAllTold, reporterMachine, type TellInput } from "../../src/machines/reporter.ts";
import type { AppId, AppReport, WireState } from "../../src/model/app.ts";
import { settle, VirtualClock } from "../support/clock.ts";

const weather: AppId = { stage: "PROD", key: 42 };
const oven: AppId = { stage: "PROD", key: 7 };

function start(untold: readonly AppReport[] = []) {
  const clock = new VirtualClock();
  const calls: { readonly input: TellInput; answer(): void; refuse(): void }[] = [];
  const actor = createActor(
    reporterMachine.provide({
      actors: {
        tellState: fromPromise(({ input }) => {
          const { promise, resolve, reject } = Promise.withResolvers<void>();
          calls.push({ input, answer: () => resolve(), refuse: () => reject(new Error("no")) });
          return promise;
        }),
      },
    }),
    { clock, input: { untold, random: () => 1 } },
  );
  actor.start();
  const say = (app: AppId, state: WireState) => actor.send({ type: "app.changed", app, state, version: "1" });
  const told = () => calls.map(({ input }) => `${input.app.key} ${input.state}`);
  return { actor, calls, clock, say, told, pass: (time: number) => clock.pass(time) };
}

test("of one tick only the newest state is told", async () => {
  const { actor, say, told, pass } = start();
  actor.send({ type: "link.up" });
  for (const state of ["FAILED", "PRESENT", "STARTING"] as const) say(weather, state);
  await pass(5);
  expect(told()).toEqual(["42 STARTING"]);
});

test("while a call is under way changes fall together, and another app is not held up", async () => {
  const { actor, calls, say, told, pass } = start();
  actor.send({ type: "link.up" });
  say(weather, "DOWNLOADING");
  await pass(5);
  say(weather, "PRESENT");
  await pass(5);
  say(weather, "RUNNING");
  say(oven, "PRESENT");
  await pass(5);
  expect(told()).toEqual(["42 DOWNLOADING", "7 PRESENT"]);
  calls[0]?.answer();
  await settle();
  expect(told().slice(2)).toEqual(["42 RUNNING"]);
});

test("a state that was told is not told again, unless somebody asks for it", async () => {
  const { actor, calls, say, told, pass } = start();
  actor.send({ type: "link.up" });
  say(weather, "RUNNING");
  await pass(5);
  calls[0]?.answer();
  await settle();
  say(weather, "RUNNING");
  await pass(5);
  expect(told()).toEqual(["42 RUNNING"]);
  actor.send({ type: "report.repeat", app: weather });
  await pass(5);
  expect(told()).toEqual(["42 RUNNING", "42 RUNNING"]);
});

test("a refused report is told again after 1, 2, 4 s", async () => {
  const { actor, calls, clock, say, told, pass } = start();
  actor.send({ type: "link.up" });
  say(weather, "RUNNING");
  await pass(5);
  const at: number[] = [];
  for (let count = 0; count < 3; count++) {
    const before = calls.length;
    calls.at(-1)?.refuse();
    const begun = clock.now();
    while (calls.length === before) await pass(50);
    at.push(Math.round((clock.now() - begun) / 1_000));
  }
  expect(at).toEqual([1, 2, 4]);
  expect(new Set(told())).toEqual(new Set(["42 RUNNING"]));
  expect(isAllTold(actor.getSnapshot().context)).toBe(false);
  calls.at(-1)?.answer();
  await settle();
  expect(isAllTold(actor.getSnapshot().context)).toBe(true);
});

test("an answer that comes after the link went down counts for nothing on the next one", async () => {
  const { actor, calls, say, told, pass } = start();
  actor.send({ type: "link.up" });
  say(weather, "RUNNING");
  await pass(5);
  actor.send({ type: "link.down" });
  calls[0]?.answer();
  await settle();
  actor.send({ type: "link.up" });
  await pass(5);
  expect(told()).toEqual(["42 RUNNING", "42 RUNNING"]);
});

test("an app that is forgotten is told no more", async () => {
  const { actor, say, told, pass } = start();
  say(weather, "REMOVED");
  say(oven, "RUNNING");
  actor.send({ type: "app.forgotten", app: weather });
  actor.send({ type: "link.up" });
  await pass(5);
  expect(told()).toEqual(["7 RUNNING"]);
});

test("what is asked for once more while its call is under way is told once more", async () => {
  const { actor, calls, say, told, pass } = start();
  actor.send({ type: "link.up" });
  say(weather, "RUNNING");
  await pass(5);
  actor.send({ type: "report.repeat", app: weather });
  await pass(5);
  expect(told()).toEqual(["42 RUNNING"]);
  calls[0]?.answer();
  await settle();
  expect(told()).toEqual(["42 RUNNING", "42 RUNNING"]);
  calls[1]?.answer();
  await settle();
  expect(isAllTold(actor.getSnapshot().context)).toBe(true);
});

test("the ends of updates go out one by one, in order, also those that nobody heard before", async () => {
  const end = (state: WireState, updateStatus: "pending_remote_confirmation" | "completed") =>
    ({ type: "app.changed", app: weather, state, version: "2", updateStatus }) as const;
  const { actor, calls, say, pass } = start([end("PRESENT", "pending_remote_confirmation")]);
  say(weather, "UPDATING");
  actor.send(end("STARTING", "completed"));
  actor.send(end("RUNNING", "completed"));
  expect(actor.getSnapshot().context.untold).toHaveLength(3);
  actor.send({ type: "link.up" });
  const heard = () => calls.map(({ input: { state, updateStatus = "" } }) => `${state} ${updateStatus}`.trim());
  await pass(5);
  expect(heard()).toEqual(["PRESENT pending_remote_confirmation"]);
  calls[0]?.refuse();
  await pass(1_100);
  calls[1]?.answer();
  await settle();
  calls[2]?.answer();
  await settle();
  expect(actor.getSnapshot().context.untold).toHaveLength(1);
  calls[3]?.answer();
  await settle();
  expect(heard().slice(1)).toEqual(["PRESENT pending_remote_confirmation", "STARTING completed", "RUNNING completed"]);
  expect(actor.getSnapshot().context.untold).toEqual([]);
  expect(isAllTold(actor.getSnapshot().context)).toBe(true);
});
