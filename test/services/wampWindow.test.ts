/** The window in front of simulated lines, in virtual time: is the line filled, and how long does a control message wait? */
import { describe, expect, test } from "vitest";
import { Lanes } from "../../src/services/wampLanes.ts";

interface Line {
  /** Bytes per second, by the time in ms. */
  readonly rate: (at: number) => number;
  /** There and back on an empty line, ms. */
  readonly trip: (at: number) => number;
}

/** Floods a line with log messages for `seconds`; a control message goes out each 100 ms. */
function flood({ rate, trip }: Line, seconds: number, message = 8_000) {
  let now = 0;
  let free = 0;
  let bytes = 0;
  const waits: number[] = [];
  const due: { readonly at: number; readonly run: () => void }[] = [];
  const later = (at: number, run: () => void) => {
    due.push({ at, run });
    due.sort((a, b) => a.at - b.at);
  };
  /** The line carries one after the other. Answers when it is through. */
  const carry = (size: number): number => {
    free = Math.max(free, now) + (size / rate(now)) * 1_000;
    return free;
  };
  const lanes = new Lanes({
    isOpen: () => true,
    buffered: () => 0,
    write: (text) => {
      const at = carry(text.length);
      if (text.startsWith("c")) waits.push(at + trip(now) / 2 - now);
      else bytes += text.length;
    },
    mark: (position) => later(carry(10) + trip(now), () => lanes.proven(position)),
    now: () => now,
  });
  const fill = () => {
    while (lanes.hasRoom("logs")) lanes.offer("logs", "l".repeat(message));
    later(now + 5, fill);
  };
  const control = () => {
    lanes.offer("control", "c".repeat(200));
    later(now + 100, control);
  };
  fill();
  control();
  const middle = { bytes: 0, waits: 0 };
  while (now < seconds * 1_000) {
    const [next] = due.splice(0, 1);
    if (!next) break;
    if (now < seconds * 500 && next.at >= seconds * 500) Object.assign(middle, { bytes, waits: waits.length });
    now = Math.max(now, next.at);
    next.run();
  }
  const settled = waits.slice(middle.waits).sort((a, b) => a - b);
  return {
    /** Of what the line could have carried in the second middle. */
    filled: (bytes - middle.bytes) / (rate(now) * seconds * 0.5),
    p50: settled[Math.floor(settled.length * 0.5)] ?? 0,
    p99: settled[Math.floor(settled.length * 0.99)] ?? 0,
  };
}

const always = (value: number) => () => value;
const KIB = 1_024;

describe("a flood of logs", () => {
  test.each<[string, number, number, number, number]>([
    ["a thin line", 128 * KIB, 40, 0.7, 300],
    ["a very thin line", 32 * KIB, 60, 0.8, 1_000],
    ["LTE", 2_000 * KIB, 50, 0.85, 170],
    ["a line around the world", 12_000 * KIB, 250, 0.9, 300],
    ["a wire in the house", 12_000 * KIB, 1, 0.9, 30],
  ])("%s of %i bytes/s and %i ms is filled to %f, and control waits at most %i ms", (_, rate, trip, filled, wait) => {
    const seen = flood({ rate: always(rate), trip: always(trip) }, 40);
    expect(seen.filled).toBeGreaterThan(filled);
    expect(seen.p99).toBeLessThan(wait);
  });

  test("a line that jitters by 60 ms is still used", () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const seen = flood({ rate: always(2_000 * KIB), trip: () => 40 + 60 * random() }, 40);
    expect(seen.filled).toBeGreaterThan(0.6);
    expect(seen.p99).toBeLessThan(300);
  });

  test("a line that gets ten times thinner, or ten times fatter, or longer, is followed", () => {
    const turn = (before: number, after: number) => (at: number) => (at < 20_000 ? before : after);
    const thinner = flood({ rate: turn(2_000 * KIB, 200 * KIB), trip: always(50) }, 60);
    expect(thinner.filled).toBeGreaterThan(0.7);
    expect(thinner.p99).toBeLessThan(250);
    const fatter = flood({ rate: turn(200 * KIB, 2_000 * KIB), trip: always(50) }, 60);
    expect(fatter.filled).toBeGreaterThan(0.85);
    const longer = flood({ rate: always(2_000 * KIB), trip: turn(20, 300) }, 60);
    expect(longer.filled).toBeGreaterThan(0.7);
  });
});

test("what is held back by a window that shrank asks for its proof", () => {
  const marks: number[] = [];
  let now = 0;
  const lanes: Lanes = new Lanes({
    isOpen: () => true,
    buffered: () => 0,
    write: () => {},
    mark: (position) => marks.push(position),
    now: () => now,
  });
  for (let n = 0; n < 40; n++) lanes.offer("logs", "l".repeat(4_000));
  let answered = 0;
  for (let n = 0; n < 400 && lanes.queued("logs") > 0; n++) {
    now += 1_000 * (n + 1);
    const next = marks[answered++];
    expect(next).toBeDefined();
    lanes.proven(next ?? 0);
  }
  expect(lanes.queued("logs")).toBe(0);
});
