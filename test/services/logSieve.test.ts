/** Which lines are new, however a log is read again. */
import { expect, test } from "vitest";
import { type LogLine, type Marks, stampOf } from "../../src/model/logLine.ts";
import { LogSieve } from "../../src/services/logSieve.ts";

const NOW = Date.UTC(2026, 5, 1);
/** `a1`: text and the second of its stamp; `e1` is of standard error. */
const line = (name: string): LogLine => ({
  stream: name.startsWith("e") ? 2 : 1,
  stamp: stampOf(NOW - 100_000 + Number(name.slice(1)) * 1_000),
  text: name,
});

function read(sieve: LogSieve, names: string, seeks = false) {
  sieve.begin(seeks);
  return names.split(" ").flatMap((name) => {
    return sieve.admit(line(name)) > 0 ? [`${name}${sieve.gap > 0 ? " after a gap" : ""}`] : [];
  });
}
const sieve = (marks: Marks = {}, now = NOW) => new LogSieve(marks, () => now);

test("all of a first reading is new, and nothing of the next one but what came since", () => {
  const one = sieve();
  expect(read(one, "a1 a2 e3 a4")).toEqual(["a1", "a2", "e3", "a4"]);
  expect(read(one, "a1 a2 e3 a4 a5 e6")).toEqual(["a5", "e6"]);
  expect(read(sieve(one.marks), "a4 a5 e6 a7")).toEqual(["a7"]);
});

test("lines with one stamp are told apart by their number, as on a clock of coarse grain", () => {
  const one = sieve();
  expect(read(one, "a1 b2 c2")).toEqual(["a1", "b2", "c2"]);
  expect(read(one, "a1 b2 c2 d2 f2 g3")).toEqual(["d2", "f2", "g3"]);
});

test("on a clock of nanoseconds a stamp that comes again at once is the same line, repeated", () => {
  const one = sieve();
  const fine = (n: number): LogLine => ({ stream: 0, stamp: `2026-05-01T00:00:00.00000000${n}Z`, text: `${n}` });
  one.begin();
  expect([1, 2, 2, 3, 3].map((n) => one.admit(fine(n)))).toEqual([1, 1, 0, 1, 0]);
});

test("and so it is where the nanoseconds of its stamp are a thousand of them by chance", () => {
  const stamped = (nanoseconds: string): LogLine => ({
    stream: 0,
    stamp: `2026-05-01T00:00:00.${nanoseconds}Z`,
    text: "x",
  });
  const one = sieve();
  one.begin();
  const round = stamped("000002000");
  expect([stamped("000001234"), round, round].map((each) => one.admit(each))).toEqual([1, 1, 0]);
  const another = sieve({ 0: { stamp: "2026-05-01T00:00:00.000001234Z", nth: 1 } });
  another.begin();
  expect([round, round].map((each) => another.admit(each))).toEqual([1, 0]);
});

test("what the engine repeats in the middle of a reading is dropped", () => {
  expect(read(sieve(), "a1 a2 a3 a2 a3 a4")).toEqual(["a1", "a2", "a3", "a4"]);
});

test("two streams that are a little out of order lose nothing", () => {
  const one = sieve();
  expect(read(one, "a1 e3 a2")).toEqual(["a1", "e3", "a2"]);
  expect(read(one, "a2 e3 a4")).toEqual(["a4"]);
});

test("where the last line is not met again, lines are missing before the next one; said once", () => {
  const one = sieve();
  read(one, "a1 a2");
  expect(read(one, "a5 a6")).toEqual(["a5 after a gap", "a6"]);
  expect(read(one, "a6 a7")).toEqual(["a7"]);
});

test("how many are missing is told by what was printed in such a time before", () => {
  const one = sieve();
  read(one, "a1 a2 a3 a4 a5");
  one.begin();
  one.admit(line("a25"));
  expect(one.gap).toBe(19);
});

test("a place without a line is no line that could be missing", () => {
  const from = { stamp: line("a3").stamp, nth: 0 };
  expect(read(sieve({ 1: from, 2: from }), "a2 a3 a4")).toEqual(["a3", "a4"]);
});

test("the clock is set back while it is read: what comes is new all the same", () => {
  const one = sieve({}, NOW - 99_000);
  expect(read(one, "a90 a1 a2")).toEqual(["a90", "a1", "a2"]);
});

test("the clock was set back between two readings: all up to the last line is old, whatever its stamp", () => {
  const before = sieve();
  read(before, "a80 a90");
  const after = sieve(before.marks, NOW - 99_000);
  expect(after.isAhead).toBe(true);
  expect(after.begin(true)).toBeUndefined();
  expect(read(after, "a80 a90 a1 a2", true)).toEqual(["a1", "a2"]);
});

test("how many lines a gap has is told by what was printed before it, not by the last burst of that", () => {
  const one = sieve();
  const at = (n: number, ms: number): LogLine => ({ stream: 0, stamp: stampOf(NOW - 100_000 + ms), text: `${n}` });
  one.begin();
  for (let n = 0; n < 10_050; n++) one.admit(at(n, n < 10_000 ? Math.floor(n / 10) : 1_000));
  one.begin();
  one.admit(at(0, 2_000));
  expect(one.gap).toBeGreaterThan(9_000);
  expect(one.gap).toBeLessThan(12_000);
});

test.each([
  ["once", 1],
  ["again and again", 5],
])("… nor by a lull before it, %s", (_, times) => {
  const one = sieve();
  const at = (n: number, ms: number): LogLine => ({ stream: 0, stamp: stampOf(NOW - 100_000 + ms), text: `${n}` });
  for (let begun = 0; begun < times * 4_000; begun += 4_000) {
    one.begin();
    for (let n = 0; n < 20_000; n++) one.admit(at(n, begun + Math.floor(n / 10)));
    for (let n = 0; n < 200; n++) one.admit(at(n, begun + 2_001 + n));
  }
  one.begin();
  one.admit(at(0, times * 4_000 - 800));
  expect(one.gap).toBeGreaterThan(6_000);
  expect(one.gap).toBeLessThan(11_000);
});

test("it is told that lines are being lost, and how fast they are printed, until a reading loses none", () => {
  const one = sieve();
  const at = (n: number, ms: number): LogLine => ({ stream: 0, stamp: stampOf(NOW - 100_000 + ms), text: `${n}` });
  one.begin();
  expect([one.isLosing, one.pace]).toEqual([false, 0]);
  for (let n = 0; n < 30_000; n++) one.admit(at(n, Math.floor(n / 30)));
  one.begin();
  one.admit(at(0, 2_000));
  one.begin();
  expect(one.isLosing).toBe(true);
  expect(one.pace).toBeGreaterThan(29_000);
  expect(one.pace).toBeLessThan(31_000);
  one.admit(at(0, 2_000));
  one.admit(at(1, 2_001));
  one.begin();
  expect(one.isLosing).toBe(false);
});

test("… and by the burst alone where it came after long silence", () => {
  const one = sieve();
  const at = (n: number, ms: number): LogLine => ({ stream: 0, stamp: stampOf(NOW - 100_000 + ms), text: `${n}` });
  one.begin();
  one.admit(at(0, 0));
  for (let n = 0; n < 5_000; n++) one.admit(at(n, 60_000 + Math.floor(n / 10)));
  one.begin();
  one.admit(at(0, 61_500));
  expect(one.gap).toBeGreaterThan(9_000);
  expect(one.gap).toBeLessThan(12_000);
});

test("… and where that line is gone, all is new, after a gap", () => {
  const before = sieve();
  read(before, "a80 a90");
  expect(read(sieve(before.marks, NOW - 99_000), "a1 a2")).toEqual(["a1 after a gap", "a2"]);
});
