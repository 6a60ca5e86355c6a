import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchClock } from "../../src/services/clockWatch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start() {
  let [wall, steady] = [1_000_000, 0];
  const steps: number[] = [];
  const end = watchClock({ now: () => wall, monotonic: () => steady, onStep: (ms) => steps.push(ms) });
  /** Both clocks go on, the wall clock by so much more. */
  const pass = (ms: number, more = 0) => {
    wall += ms + more;
    steady += ms;
    vi.advanceTimersByTime(ms);
  };
  return { steps, end, pass };
}

test("a machine that slept an hour is noticed, once", () => {
  const { steps, pass } = start();
  pass(5_000, 3_600_000);
  pass(5_000);
  pass(5_000);
  expect(steps).toEqual([3_600_000]);
});

test("a clock that is set back a year is noticed; what a time server corrects is not", () => {
  const { steps, pass } = start();
  pass(5_000, -31_536_000_000);
  for (let i = 0; i < 100; i++) pass(5_000, 50);
  expect(steps).toEqual([-31_536_000_000]);
});

test("nothing is said after its end", () => {
  const { steps, end, pass } = start();
  end();
  pass(60_000, 3_600_000);
  expect(steps).toEqual([]);
});
