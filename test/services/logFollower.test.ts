/** How following an output ends where its container goes away meanwhile. */
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { stampOf } from "../../src/model/logLine.ts";
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
