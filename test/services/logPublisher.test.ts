/** An app's log on its way out: batches, limits, gaps, words between lines. Time is vitest's. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LogPublisher, type Word } from "../../src/services/logPublisher.ts";
import type { Sent } from "../../src/services/uplink.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start() {
  const sent: (string | Word)[] = [];
  const line = { is: "sent" as Sent };
  const publisher = new LogPublisher({
    publish: (message) => {
      if (line.is === "sent") sent.push(message);
      return line.is;
    },
  });
  return { sent, line, publisher, pass: (time: number) => vi.advanceTimersByTime(time) };
}
const word = (chunk: string): Word => ({ type: "build", chunk });
const gap = (lines: number) => `… ${lines} log line(s) dropped (rate limit)`;
const sizes = (sent: readonly (string | Word)[]) =>
  sent.map((message) => (typeof message === "string" ? Buffer.byteLength(message) : 0));
const linesIn = (sent: readonly (string | Word)[]) =>
  sent.flatMap((message) => (typeof message === "string" ? message.split("\n") : [message.chunk]));

test("lines are collected for 200 ms and go out as one message", () => {
  const { sent, publisher, pass } = start();
  for (const text of ["a\nb", "\n", "c\n"]) publisher.write(text);
  pass(199);
  expect(sent).toEqual([]);
  pass(1);
  expect(sent).toEqual(["a\nb\nc"]);
});

test("a flush of nothing is silent, and no timer is left", () => {
  const { sent, publisher, pass } = start();
  publisher.flush();
  publisher.write("");
  publisher.end();
  pass(1_000);
  expect(sent).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("the carriage return of a terminal is taken off, also when it comes in another piece", () => {
  const { sent, publisher } = start();
  for (const text of ["a\r\nb\r", "\nc\rd\n"]) publisher.write(text);
  publisher.flush();
  expect(sent).toEqual(["a\nb\nc\rd"]);
});

test("the beginning of a line waits for its end, and the end of the output is one", () => {
  const { sent, publisher, pass } = start();
  publisher.write("abc");
  pass(1_000);
  expect(sent).toEqual([]);
  publisher.write("def");
  publisher.end();
  publisher.end();
  expect(sent).toEqual(["abcdef"]);
});

test("4 lines of 100 KB go out in messages of at most 256 KiB, one each 200 ms", () => {
  const { sent, publisher, pass } = start();
  for (const sign of "abcd") publisher.write(`${sign.repeat(100_000)}\n`);
  pass(200);
  expect(sizes(sent)).toEqual([200_001]);
  pass(200);
  expect(sizes(sent)).toEqual([200_001, 200_001]);
  expect(linesIn(sent).map((line) => line[0])).toEqual(["a", "b", "c", "d"]);
});

test("15 lines of 100 KB: at most 1 MiB waits, and sent and dropped are what was written", () => {
  const { sent, publisher, pass } = start();
  for (let line = 0; line < 15; line++) publisher.write(`${"x".repeat(100_000)}\n`);
  publisher.write("small\n");
  pass(2_000);
  expect(linesIn(sent).map((line) => line.slice(0, 40))).toEqual([
    ...Array.from({ length: 10 }, () => "x".repeat(40)),
    gap(5),
    "small",
  ]);
  expect(Math.max(...sizes(sent))).toBeLessThanOrEqual(256 * 1024);
});

test("in a flood that does not end, gaps are told where they are, and the sums are right", () => {
  const { sent, publisher, pass } = start();
  const written = 60_000;
  for (let line = 0; line < written; line++) {
    publisher.write(`${String(line).padStart(99, ".")}\n`);
    if (line % 6_000 === 0) pass(200);
  }
  const early = linesIn(sent).filter((line) => line.startsWith("…")).length;
  expect(early).toBeGreaterThan(0);
  publisher.end();
  const lines = linesIn(sent);
  const dropped = lines.map((line) => Number(/^… (\d+) /.exec(line)?.[1] ?? 0)).reduce((sum, count) => sum + count);
  const kept = lines.filter((line) => !line.startsWith("…")).map((line) => Number(line.replaceAll(".", "")));
  expect(kept.length + dropped).toBe(written);
  expect(kept).toEqual(kept.toSorted((a, b) => a - b));
  expect(Math.max(...sizes(sent))).toBeLessThanOrEqual(256 * 1024);
  let next = 0;
  for (const line of lines) {
    const gone = Number(/^… (\d+) /.exec(line)?.[1] ?? 0);
    if (gone === 0) expect(Number(line.replaceAll(".", ""))).toBe(next);
    next += gone || 1;
  }
});

test("a line that fits no message becomes several, and one without an end is cut at 1 MiB", () => {
  const { sent, publisher } = start();
  publisher.write(`${"ä".repeat(300_000)}\n`);
  publisher.flush();
  expect(linesIn(sent).join("")).toBe("ä".repeat(300_000));
  expect(Math.max(...sizes(sent))).toBeLessThanOrEqual(256 * 1024);
  sent.length = 0;
  for (let piece = 0; piece < 20_000; piece++) publisher.write("x".repeat(100));
  publisher.flush();
  expect(linesIn(sent).join("").length).toBeGreaterThan(900_000);
});

test("a word goes out at once, alone, and after the lines before it", () => {
  const { sent, publisher } = start();
  publisher.write("a\nb\n");
  publisher.say(word("LOGGER_CLEAR"));
  publisher.say(word("Starting weather..."));
  publisher.write("c\n");
  publisher.flush();
  expect(sent).toEqual(["a\nb", word("LOGGER_CLEAR"), word("Starting weather..."), "c"]);
});

test("while the line is busy everything waits in its order, words too", () => {
  const { sent, line, publisher, pass } = start();
  line.is = "busy";
  publisher.write("a\n");
  publisher.say(word("stop"));
  publisher.write("b\n");
  pass(1_000);
  line.is = "sent";
  pass(1_000);
  expect(sent).toEqual(["a", word("stop"), "b"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("a line that stays busy keeps at most 1 MiB, and counts the rest", () => {
  const { sent, line, publisher, pass } = start();
  line.is = "busy";
  for (let count = 0; count < 20_000; count++) publisher.write(`${"x".repeat(99)}\n`);
  publisher.say(word("late"));
  pass(500);
  line.is = "sent";
  publisher.end();
  const lines = linesIn(sent);
  const full = Math.floor((1 << 20) / 100);
  expect(lines.length).toBe(full + 2);
  expect(lines.slice(-2)).toEqual([gap(20_000 - full), "late"]);
});

test("without a link what waits is counted as dropped, nothing is tried by itself, and it is told later", () => {
  const { sent, line, publisher, pass } = start();
  line.is = "gone";
  publisher.write("a\nb\n");
  publisher.say(word("c"));
  expect(vi.getTimerCount()).toBe(0);
  publisher.write("d\n");
  pass(200);
  expect(vi.getTimerCount()).toBe(0);
  line.is = "sent";
  publisher.write("e\n");
  pass(200);
  expect(sent).toEqual([`${gap(4)}\ne`]);
});

test("what is closed forgets what waits", () => {
  const { sent, publisher, pass } = start();
  publisher.write("a\nb");
  publisher.close();
  publisher.end();
  pass(1_000);
  expect(sent).toEqual([]);
});
