/** An app's log on its way out: batches, limits, gaps, words between lines, and what is known of what was sent. Time is vitest's. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Marks } from "../../src/model/logLine.ts";
import type { Word } from "../../src/services/logItems.ts";
import { type Fate, LogPublisher } from "../../src/services/logPublisher.ts";
import { LogTurns } from "../../src/services/logTurns.ts";
import { freshLines } from "../support/logLines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start() {
  const sent: (string | Word)[] = [];
  const moved: (readonly [Marks, number])[] = [];
  const line = { hasRoom: true, fate: "confirmed" as Fate | "open" };
  const open: ((fate: Fate) => void)[] = [];
  let onRoom = Promise.withResolvers<void>();
  const turns = new LogTurns({ hasRoom: () => line.hasRoom, room: () => onRoom.promise });
  const publisher = new LogPublisher({
    turns,
    send: (message) => {
      sent.push(message);
      return line.fate === "open" ? new Promise((resolve) => open.push(resolve)) : Promise.resolve(line.fate);
    },
    onMoved: (marks, unconfirmed) => moved.push([marks, unconfirmed]),
  });
  const pass = (time: number) => vi.advanceTimersByTimeAsync(time);
  const makeRoom = async () => {
    line.hasRoom = true;
    onRoom.resolve();
    onRoom = Promise.withResolvers();
    await pass(0);
  };
  const settle = async (fate: Fate) => {
    open.shift()?.(fate);
    await pass(0);
  };
  return { sent, moved, line, publisher, pass, makeRoom, settle };
}
const word = (chunk: string): Word => ({ type: "build", chunk });
const gap = (lines: number, reason: string) => `… ${lines} log line(s) dropped (${reason})`;
const sizes = (sent: readonly (string | Word)[]) =>
  sent.map((message) => (typeof message === "string" ? Buffer.byteLength(message) : 0));
const linesIn = (sent: readonly (string | Word)[]) =>
  sent.flatMap((message) => (typeof message === "string" ? message.split("\n") : [message.chunk]));

test("lines are collected for 200 ms and go out as one message", async () => {
  const { sent, publisher, pass } = start();
  void publisher.take(freshLines("a", "b"));
  void publisher.take(freshLines("c"));
  await pass(199);
  expect(sent).toEqual([]);
  await pass(1);
  expect(sent).toEqual(["a\nb\nc"]);
});

test("a flush of nothing is silent, and no timer is left", async () => {
  const { sent, publisher, pass } = start();
  publisher.flush();
  void publisher.take([]);
  await pass(1_000);
  expect(sent).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("4 lines of 100 KB go out in messages of at most 256 KiB, as fast as they are taken", async () => {
  const { sent, publisher, pass } = start();
  void publisher.take(freshLines(...[..."abcd"].map((sign) => sign.repeat(100_000))));
  await pass(200);
  expect(sizes(sent)).toEqual([100_000, 100_000, 100_000, 100_000]);
  expect(linesIn(sent).map((line) => line[0])).toEqual(["a", "b", "c", "d"]);
});

test("a writer is held up when 96 KiB wait, and goes on when there is room; nothing is dropped", async () => {
  const { sent, line, publisher, pass, makeRoom } = start();
  line.hasRoom = false;
  const lines = freshLines(...Array.from({ length: 15 }, (_, n) => String(n).padEnd(50_000, "x")));
  let written = 0;
  const writing = (async () => {
    for (const each of lines) {
      await publisher.take([each]);
      written++;
    }
  })();
  await pass(5_000);
  expect([written, sent.length]).toEqual([1, 0]);
  await makeRoom();
  await pass(1_000);
  await writing;
  await pass(200);
  expect(linesIn(sent).map((text) => text.replaceAll("x", ""))).toEqual(
    Array.from({ length: 15 }, (_, n) => String(n)),
  );
  expect(Math.max(...sizes(sent))).toBeLessThanOrEqual(256 * 1024);
});

test("progress is held up by nobody: what is too much is counted where it was", async () => {
  const { sent, line, publisher, pass, makeRoom } = start();
  line.hasRoom = false;
  for (let n = 0; n < 20_000; n++) publisher.progress(String(n).padStart(99, "."));
  publisher.say(word("late"));
  await makeRoom();
  await pass(1_000);
  const lines = linesIn(sent);
  const kept = lines.filter((text) => text.startsWith("."));
  expect(lines.slice(-2)).toEqual([gap(20_000 - kept.length, "rate limit"), "late"]);
  expect(kept.length * 100).toBeGreaterThan(95_000);
});

test("a line that fits no message becomes several, and no character is taken apart", async () => {
  const { sent, moved, publisher, pass } = start();
  const long = `x${"😀".repeat(100_000)}`;
  void publisher.take(freshLines(long));
  await pass(200);
  expect(sent.join("").replaceAll("\n", "") === long).toBe(true);
  expect(sent.every((message) => String(message).isWellFormed())).toBe(true);
  expect(Math.max(...sizes(sent))).toBeLessThanOrEqual(256 * 1024);
  expect(moved.at(-1)?.[1]).toBe(0);
});

test("a word goes out at once, alone, and after the lines before it", async () => {
  const { sent, publisher, pass } = start();
  void publisher.take(freshLines("a", "b"));
  publisher.say(word("LOGGER_CLEAR"));
  publisher.say(word("Starting weather..."));
  void publisher.take(freshLines("c"));
  await pass(200);
  expect(sent).toEqual(["a\nb", word("LOGGER_CLEAR"), word("Starting weather..."), "c"]);
});

test("without room all waits in its order; of words at most a hundred", async () => {
  const { sent, line, publisher, pass, makeRoom } = start();
  line.hasRoom = false;
  void publisher.take(freshLines("a"));
  for (let n = 0; n < 150; n++) publisher.say(word(`w${n}`));
  void publisher.take(freshLines("b"));
  await pass(1_000);
  expect(sent).toEqual([]);
  await makeRoom();
  await pass(200);
  expect(linesIn(sent)).toEqual(["a", ...Array.from({ length: 100 }, (_, n) => `w${n + 50}`), "b"]);
});

test("what is sent is noted before it is confirmed, and noted again when it is", async () => {
  const { moved, line, publisher, pass, settle } = start();
  line.fate = "open";
  const [a, b] = freshLines("a", "b");
  if (!a || !b) throw new Error("two lines");
  void publisher.take([a, b]);
  await pass(200);
  expect(moved).toEqual([[{ 0: { stamp: b.stamp, nth: 1 } }, 2]]);
  await settle("confirmed");
  expect(moved.at(-1)).toEqual([{ 0: { stamp: b.stamp, nth: 1 } }, 0]);
});

test("a link that breaks: what was under way is not sent again, and told", async () => {
  const { sent, line, publisher, pass, makeRoom, settle } = start();
  line.fate = "open";
  void publisher.take(freshLines("a", "b"));
  await pass(200);
  void publisher.take(freshLines("c"));
  await pass(200);
  line.hasRoom = false;
  await settle("lost");
  await settle("lost");
  void publisher.take(freshLines("d"));
  line.fate = "confirmed";
  await makeRoom();
  await pass(1_000);
  expect(sent).toEqual(["a\nb", "c", `${gap(3, "unconfirmed when the link broke")}\nd`]);
});

test("a router that refuses: the count comes with the first line that it takes, and nothing is tried for it alone", async () => {
  const { sent, line, publisher, pass } = start();
  line.fate = "refused";
  void publisher.take(freshLines("a", "b"));
  await pass(200);
  await pass(5_000);
  expect(sent).toEqual(["a\nb"]);
  line.fate = "confirmed";
  void publisher.take(freshLines("c"));
  await pass(200);
  expect(sent.at(-1)).toBe(`${gap(2, "the router refuses them")}\nc`);
});

test("at most sixteen messages are under way", async () => {
  const { sent, line, publisher, pass, settle } = start();
  line.fate = "open";
  for (let n = 0; n < 20; n++) publisher.say(word(`w${n}`));
  await pass(0);
  expect(sent).toHaveLength(16);
  await settle("confirmed");
  await pass(1);
  expect(sent).toHaveLength(17);
});

test("where nobody listens any more, lines are forgotten and whoever waited goes on; words stay", async () => {
  const { sent, line, publisher, pass, makeRoom } = start();
  line.hasRoom = false;
  const waiting = publisher.take(freshLines("x".repeat(400_000)));
  publisher.say(word("still"));
  publisher.forget();
  await waiting;
  await makeRoom();
  await pass(1_000);
  expect(sent).toEqual([word("still")]);
  expect(vi.getTimerCount()).toBe(0);
});

test("what the engine does not have any more is told where it was", async () => {
  const { sent, publisher, pass } = start();
  const [line] = freshLines("next");
  if (line) void publisher.take([{ ...line, gap: 7 }]);
  await pass(200);
  expect(sent).toEqual([`${gap(7, "about, rotated away by the engine")}\nnext`]);
});

test("of two streams the mark is the last line of each, and a gap stands where it was", async () => {
  const { sent, moved, publisher, pass } = start();
  const [a, b, c, d] = freshLines("a", "b", "c", "d");
  if (!a || !b || !c || !d) throw new Error("four lines");
  void publisher.take([
    { ...a, stream: 1 },
    { ...b, stream: 2 },
    { ...c, stream: 1, gap: 7 },
    { ...d, stream: 1 },
  ]);
  await pass(200);
  expect(sent).toEqual([`a\nb\n${gap(7, "about, rotated away by the engine")}\nc\nd`]);
  expect(moved.at(-1)?.[0]).toEqual({ 1: { stamp: d.stamp, nth: d.nth }, 2: { stamp: b.stamp, nth: b.nth } });
});

test("many lines at once go out in messages of 48 to 64 KiB, each line once and in order", async () => {
  const { sent, publisher, pass } = start();
  const texts = Array.from({ length: 5_000 }, (_, n) => String(n).padStart(99, "0"));
  void publisher.take(freshLines(...texts));
  await pass(1_000);
  expect(linesIn(sent)).toEqual(texts);
  for (const size of sizes(sent).slice(0, -1)) {
    expect(size).toBeGreaterThan(48 * 1024);
    expect(size).toBeLessThanOrEqual(64 * 1024);
  }
});

test("floods take turns: one message each", async () => {
  const order: string[] = [];
  let onRoom = Promise.withResolvers<void>();
  let room = 0;
  const turns = new LogTurns({ hasRoom: () => room > 0, room: () => onRoom.promise });
  for (const name of "abc") {
    const send = async (message: string | Word) => {
      room--;
      order.push(`${name}${String(message)[0]}`);
      return "confirmed" as const;
    };
    void new LogPublisher({ turns, send }).take(freshLines(...[..."123"].map((sign) => sign.repeat(200_000))));
  }
  for (let n = 0; n < 9; n++) {
    room = 1;
    onRoom.resolve();
    onRoom = Promise.withResolvers();
    await vi.advanceTimersByTimeAsync(0);
  }
  expect(order.join(" ")).toBe("a1 b1 c1 a2 b2 c2 a3 b3 c3");
});
