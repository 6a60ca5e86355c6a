/** Which run's output is followed, when it is followed again, and that nobody reads what nobody hears. */
import { expect, test } from "vitest";
import { type AnyEventObject, createActor } from "xstate";
import { type FollowInput, type HearingFact, type LogsFact, logsMachine } from "../../src/machines/logs.ts";
import { watch } from "../../src/machines/slot.ts";
import type { AppId } from "../../src/model/app.ts";

const RUN = { id: "c1", startedAt: 1_000 } as const;
const up = { type: "logs.follow", isOver: false, ...RUN } as const;
const over = { ...up, isOver: true } as const;
const app: AppId = { stage: "PROD", key: 42 };

function start(isHeard = true) {
  const followed: string[] = [];
  let open = 0;
  let end = () => {};
  let hear = (_: boolean) => {};
  const followLogs = watch<LogsFact, FollowInput, AnyEventObject>(({ input, sendBack }) => {
    followed.push(`${input.id}@${input.startedAt}`);
    open++;
    end = () => sendBack({ type: "logs.ended" });
    return () => {
      open--;
    };
  });
  const watchListeners = watch<HearingFact, { readonly app: AppId }, AnyEventObject>(({ sendBack }) => {
    hear = (is) => sendBack({ type: is ? "logs.heard" : "logs.unheard" });
    hear(isHeard);
  });
  const actor = createActor(logsMachine.provide({ actors: { followLogs, watchListeners } }), {
    input: { app },
  }).start();
  const [state, openNow] = [() => actor.getSnapshot().value, () => open];
  return { actor, followed, end: () => end(), hear: (is: boolean) => hear(is), open: openNow, state };
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

test("what nobody hears is not read; when somebody listens it is, the newest run of it", () => {
  const { actor, followed, hear, open, state } = start(false);
  actor.send(up);
  actor.send({ ...up, id: "c2" });
  expect([followed, state()]).toEqual([[], "paused"]);
  hear(true);
  expect([followed, open()]).toEqual([["c2@1000"], 1]);
  hear(false);
  expect([open(), state()]).toEqual([0, "paused"]);
  hear(true);
  expect([followed, open()]).toEqual([["c2@1000", "c2@1000"], 1]);
});

test("a run that ended while nobody listened is read to its end by who comes back", () => {
  const { actor, followed, hear, end, state } = start();
  actor.send(up);
  hear(false);
  actor.send(over);
  hear(true);
  end();
  expect([followed, state()]).toEqual([["c1@1000", "c1@1000"], "ended"]);
});

test("a defect in an effect ends the following, not the actor", () => {
  const watchListeners = watch<HearingFact, { readonly app: AppId }, AnyEventObject>(({ sendBack }) =>
    sendBack({ type: "logs.heard" }),
  );
  const actor = createActor(logsMachine.provide({ actors: { watchListeners } }), { input: { app } }).start();
  actor.send(up);
  expect(actor.getSnapshot()).toMatchObject({ status: "active", value: "ended" });
  const deaf = createActor(logsMachine, { input: { app } }).start();
  deaf.send(up);
  expect(deaf.getSnapshot()).toMatchObject({ status: "active", value: "paused" });
});
