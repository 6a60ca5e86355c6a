/** How an output is followed by an engine that answers before it has begun, and how it ends where its container goes away. */
import { PassThrough, Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Marks, marksAt, secondsOf, stampOf } from "../../src/model/logLine.ts";
import type { Engine } from "../../src/services/docker.ts";
import { EngineError } from "../../src/services/dockerModem.ts";
import { beatOf, type FreshLine, follow } from "../../src/services/logFollower.ts";
import { LogSieve } from "../../src/services/logSieve.ts";

function followed(status: number): Promise<boolean> {
  const engine = {
    container: async () => ({ Id: "c", Config: { Tty: true }, State: { Running: false } }),
    logs: () => Promise.reject(new EngineError("container_failed", "can not get logs", { status })),
  } as unknown as Engine;
  const { signal } = new AbortController();
  return follow({ engine, id: "c", sieve: new LogSieve({}, Date.now), signal, now: Date.now, take: () => {} });
}

test.each([404, 409])("one that is being removed is gone (%s)", async (status) => {
  expect(await followed(status)).toBe(false);
});

test("what else the engine says is an error", async () => {
  await expect(followed(500)).rejects.toThrow("can not get logs");
});

test.each([
  [false, 100, 12],
  [false, 90_000, 12],
  [true, 20_000, 12],
  [true, 90_000, 20],
])("losing lines: %s, at %i lines/s: read every %i ms", (isLosing, pace, expected) => {
  expect(beatOf({ isLosing, pace })).toBe(expected);
});

test.each([
  ["that runs is read with rests", true, 1],
  ["that has ended is read as fast as it comes", false, 0],
])("one %s", async (_, isRunning, rests) => {
  let count = 0;
  const socket = { pause: () => count++, resume: () => {} };
  const lines = ["a", "b"].map((text, n) => Buffer.from(`${stampOf(n + 1)} ${text}\r\n`));
  const logs = async () => Object.assign(Readable.from(lines), { socket });
  const container = async () => ({ Id: "c", Config: { Tty: true }, State: { Running: isRunning } });
  const over = new AbortController();
  const engine = { container, logs } as unknown as Engine;
  const sieve = new LogSieve({}, Date.now);
  const take = ([line]: readonly FreshLine[]) => {
    if (line?.text === "b") over.abort();
  };
  await follow({ engine, id: "c", sieve, signal: over.signal, now: Date.now, take });
  expect(count).toBe(rests);
});

/** One container, and followers that begin some turns after they were answered, as those of Docker do. */
class LateEngine {
  readonly #printed: string[] = [];
  readonly #followers: PassThrough[] = [];
  readonly asked: string[] = [];
  isUp = true;
  /** What happens when a follower has been answered, and not begun. */
  meanwhile: () => void = () => {};
  /** The engine rotates its file when a follower has begun, which then hears of nothing more before the next one. */
  missesRotation = false;

  readonly container = async () => ({ Id: "c", Config: { Tty: true }, State: { Running: this.isUp } });

  readonly logs = async (_: string, asked: { follow: boolean; tail?: number; since?: string }) => {
    this.asked.push(asked.follow ? `follow from the last ${asked.tail}` : "read");
    const socket = { pause: () => {}, resume: () => {} };
    const since = Number(asked.since ?? 0);
    const found = this.#printed.filter((line) => Number(secondsOf(line.slice(0, 30))) >= since);
    if (!asked.follow) return Object.assign(Readable.from(found.map((line) => Buffer.from(line))), { socket });
    const stream = Object.assign(new PassThrough(), { socket });
    void this.#begin(stream, asked.tail ?? this.#printed.length);
    return stream;
  };

  print(text: string, at = Date.now()): void {
    const line = `${stampOf(at).replace(/\d{6}Z$/, `${String(this.#printed.length).padStart(6, "0")}Z`)} ${text}\r\n`;
    this.#printed.push(line);
    for (const follower of this.#followers) follower.write(line);
  }

  end(): void {
    this.isUp = false;
    for (const follower of this.#followers) follower.end();
  }

  async #begin(stream: PassThrough, tail: number): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    this.meanwhile();
    this.meanwhile = () => {};
    const before = this.#printed.slice(this.#printed.length - Math.min(tail, this.#printed.length));
    for (const line of before) stream.write(line);
    if (this.missesRotation) this.print("in the file that is missed");
    this.missesRotation = false;
    if (this.isUp) this.#followers.push(stream);
    else stream.end();
  }
}

async function heardOf(engine: LateEngine, onHeard: (text: string) => void, marks: Marks = {}): Promise<string[]> {
  const heard: string[] = [];
  const take = (lines: readonly FreshLine[]) => {
    for (const { text, gap } of lines) {
      heard.push(gap > 0 ? `${gap} missing, ${text}` : text);
      onHeard(text);
    }
  };
  const { signal } = new AbortController();
  const sieve = new LogSieve(marks, Date.now);
  await follow({ engine: engine as unknown as Engine, id: "c", sieve, signal, now: Date.now, take });
  return heard;
}

test("what is printed after the engine has answered and before it follows is read", async () => {
  const engine = new LateEngine();
  engine.print("1");
  engine.meanwhile = () => engine.print("2");
  const heard = await heardOf(engine, (text) => {
    if (text === "2") setImmediate(() => engine.print("3"));
    if (text === "3") engine.end();
  });
  expect(heard).toEqual(["1", "2", "3"]);
});

test("of one that has printed nothing yet the first lines are told when they come, once", async () => {
  const engine = new LateEngine();
  engine.meanwhile = () => {
    engine.print("1");
    engine.print("2");
  };
  const heard = await heardOf(engine, (text) => {
    if (text === "2") setImmediate(() => engine.end());
  });
  expect(heard).toEqual(["1", "2"]);
  expect(engine.asked.slice(0, 3)).toEqual(["read", "follow from the last 1", "read"]);
});

test("one that has printed nothing for an hour is followed by one stream", async () => {
  const engine = new LateEngine();
  engine.print("1", Date.now() - 3_600_000);
  const heard = await heardOf(engine, (text) => {
    if (text === "1") setTimeout(() => engine.print("2"), 100);
    if (text === "2") setImmediate(() => engine.end());
  });
  expect(heard).toEqual(["1", "2"]);
  expect(engine.asked.filter((what) => what.startsWith("follow"))).toHaveLength(1);
});

test("so is one that was silent since before somebody listened", async () => {
  const engine = new LateEngine();
  engine.print("1", Date.now() - 3_600_000);
  setTimeout(() => engine.print("2"), 100);
  const heard = await heardOf(engine, () => setImmediate(() => engine.end()), marksAt(stampOf(Date.now() - 1_000)));
  expect(heard).toEqual(["2"]);
  expect(engine.asked.filter((what) => what.startsWith("follow"))).toHaveLength(1);
});

test("a follower that missed a rotation is left for the files", async () => {
  const engine = new LateEngine();
  engine.print("1");
  engine.missesRotation = true;
  const heard = await heardOf(engine, (text) => {
    if (text === "in the file that is missed") setImmediate(() => engine.print("3"));
    if (text === "3") engine.end();
  });
  expect(heard).toEqual(["1", "in the file that is missed", "3"]);
});
