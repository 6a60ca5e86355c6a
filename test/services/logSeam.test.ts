import { expect, test } from "vitest";
import { type LogLine, stampOf } from "../../src/model/logLine.ts";
import { LogSeam } from "../../src/services/logSeam.ts";
import { LogSieve } from "../../src/services/logSieve.ts";

const line = (n: number, stream: 0 | 1 | 2 = 0): LogLine => ({ stream, stamp: stampOf(n), text: `line ${n}` });

function seamAfter(...read: LogLine[]) {
  const sieve = new LogSieve({}, Date.now);
  for (const each of read) sieve.admit(each);
  const seam = new LogSeam(read.at(-1), sieve);
  return (...lines: LogLine[]) => seam.after(lines)?.map(({ text }) => text);
}

test("goes on after the line that was read last, however its lines are cut", () => {
  const after = seamAfter(line(1), line(2), line(3));
  expect(after(line(1))).toEqual([]);
  expect(after(line(2), line(3), line(4))).toEqual(["line 4"]);
  expect(after(line(5))).toEqual(["line 5"]);
});

test("where that line does not come before a new one, lines are missing", () => {
  const after = seamAfter(line(1), line(2));
  expect(after(line(1))).toEqual([]);
  expect(after(line(4))).toBeUndefined();
});

test("a stream that was silent until then is missing lines too, an older line of another one is not", () => {
  expect(seamAfter(line(1, 1))(line(2, 2))).toBeUndefined();
  const after = seamAfter(line(3, 1), line(1, 2), line(4, 1));
  expect(after(line(1, 2))).toEqual([]);
  expect(after(line(4, 1), line(2, 2))).toEqual(["line 2"]);
});

test("where nothing was read, all of it is after it", () => {
  expect(seamAfter()(line(1), line(2))).toEqual(["line 1", "line 2"]);
});
