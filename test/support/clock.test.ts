import fc from "fast-check";
import { expect, test } from "vitest";
import { VirtualClock } from "./clock.ts";

test("each timer runs once its delay is over, at its own time, whatever fraction that is", async () => {
  const delay = fc.oneof(fc.nat(50), fc.double({ min: 0, max: 50, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(delay, fc.boolean()), { maxLength: 20 }), async (timers) => {
      const clock = new VirtualClock();
      const ran: number[] = [];
      for (const [after, isAgain] of timers)
        clock.setTimeout(() => {
          ran.push(clock.now() - Math.ceil(after));
          if (isAgain) clock.setTimeout(() => ran.push(clock.now() - Math.ceil(after) - Math.ceil(after)), after);
        }, after);
      await clock.pass(100);
      expect(ran).toEqual(Array(timers.length + timers.filter(([, isAgain]) => isAgain).length).fill(0));
      expect(clock.now()).toBe(100);
    }),
  );
});

test("time passes until a condition holds, and no further", async () => {
  const clock = new VirtualClock();
  let is = false;
  clock.setTimeout(() => {
    is = true;
  }, 40);
  expect(await clock.passUntil(() => is, 39)).toBe(false);
  expect(await clock.passUntil(() => is, 100)).toBe(true);
  expect(clock.now()).toBe(40);
});

test("a timer that was taken back is not gone to", async () => {
  const clock = new VirtualClock();
  clock.clearTimeout(clock.setTimeout(() => {}, 5));
  expect(clock.step(10)).toBe(10);
});
