/** Which run's output is followed, and when it is followed again. */
import { expect, test } from "vitest";
import { type AnyEventObject, createActor } from "xstate";
import { type FollowInput, type LogsFact, logsMachine } from "../../src/machines/logs.ts";
import { watch } from "../../src/machines/slot.ts";

const RUN = { id: "c1", startedAt: 1_000 } as const;
const up = { type: "logs.follow", isOver: false, ...RUN } as const;
const over = { ...up, isOver: true } as const;

function start() {
  const followed: string[] = [];
  let open = 0;
  let end = () => {};
  const followLogs = watch<LogsFact, FollowInput, AnyEventObject>(({ input, sendBack }) => {
    followed.push(`${input.id}@${input.startedAt}`);
    open++;
    end = () => sendBack({ type: "logs.ended" });
    return () => {
      open--;
    };
  });
  const actor = createActor(logsMachine.provide({ actors: { followLogs } }), {
    input: { app: { stage: "PROD", key: 42 } },
  }).start();
  return { actor, followed, end: () => end(), open: () => open, state: () => actor.getSnapshot().value };
}

test("one run is followed once, however often it is told", () => {
  const { actor, followed, open } = start();
  actor.send(up);
  actor.send(up);
  actor.send(over);
  expect([followed, open()]).toEqual([["c1@1000"], 1]);
});

test("another run takes the place of the one before", () => {
  const { actor, followed, open } = start();
  actor.send(up);
  actor.send({ ...up, startedAt: 2_000 });
  actor.send({ ...up, id: "c2" });
  expect([followed, open()]).toEqual([["c1@1000", "c1@2000", "c2@1000"], 1]);
});

test("a run that was over before it was seen is read all the same, once", () => {
  const { actor, followed, end, state } = start();
  actor.send(over);
  end();
  actor.send(over);
  expect([followed, state()]).toEqual([["c1@1000"], "ended"]);
});

test("output that broke off while the container runs is followed again", () => {
  const { actor, followed, end } = start();
  actor.send(up);
  end();
  actor.send(up);
  expect(followed).toEqual(["c1@1000", "c1@1000"]);
});

test("a defect in the effect ends the following, not the actor", () => {
  const actor = createActor(logsMachine, { input: { app: { stage: "PROD", key: 42 } } }).start();
  actor.send(up);
  expect(actor.getSnapshot()).toMatchObject({ status: "active", value: "ended" });
});
