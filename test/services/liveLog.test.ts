/** What somebody on the device is told of an app's output: what there is, and then only what is newer. */
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { type ShownLine, secondsOf, stampOf } from "../../src/model/logLine.ts";
import type { AppOrder } from "../../src/model/order.ts";
import type { ContainerInfo, Engine, LogOptions } from "../../src/services/docker.ts";
import { EngineError } from "../../src/services/dockerModem.ts";
import { LiveLog } from "../../src/services/liveLog.ts";

const NOW = Date.UTC(2026, 0, 2);
const order = { app: { stage: "PROD", key: 42 }, name: "weather" } as unknown as AppOrder;
const info = { Id: "c", Config: { Tty: true }, State: { Running: false } } as ContainerInfo;

/** A container that printed a, b and c, a minute apart, and has ended; the last at the beginning of now. */
async function told(params: object, { rotatesAway = 0, isGoing = false } = {}): Promise<string[]> {
  const lines = [..."abcdefgh"].map((text, n) => ({ text, stamp: stampOf(NOW - (3 - n) * 60_000) }));
  let asks = 0;
  const engine = {
    container: async () => info,
    logs: async (_: string, { since = "0", tail }: LogOptions) => {
      if (isGoing) throw new EngineError("container_failed", "being removed", { status: 409 });
      const kept = asks++ === 0 || rotatesAway === 0 ? lines.slice(0, 3) : lines.slice(rotatesAway);
      const asked = kept.filter(({ stamp }) => Number(secondsOf(stamp)) >= Number(since));
      const last = tail === undefined ? asked : asked.slice(asked.length - tail);
      return Readable.from([last.map(({ text, stamp }) => `${stamp} ${text}\r\n`).join("")], { objectMode: false });
    },
  } as unknown as Engine;
  const over = new AbortController();
  const words = { wordsOf: () => [], watchWords: () => () => {} };
  const log = new LiveLog({
    ...{ engine, orders: () => [order], containerOf: async () => info, now: () => NOW, words },
    keptOf: () => lines.slice(0, 3).map((line) => ({ ...line, stream: 0 })),
    nextRun: () =>
      new Promise((resolve) =>
        setImmediate(() => {
          over.abort();
          resolve();
        }),
      ),
  });
  const heard: string[] = [];
  const send = async (sent: readonly ShownLine[]) => void heard.push(...sent.map(({ text }) => text));
  await log.tell({ app: "weather", ...params }, send, over.signal);
  return heard;
}

test.each([
  [{}, "abc"],
  [{ tail: 2 }, "bc"],
  [{ tail: 0 }, ""],
  [{ since: "90s" }, "c"],
  [{ since: "10s" }, ""],
])("of %j only that, whether it goes on or not", async (params, expected) => {
  expect((await told(params)).join("")).toBe(expected);
  expect((await told({ ...params, follow: true })).join("")).toBe(expected);
});

test("of a container that is being removed what was kept", async () => {
  expect(await told({ tail: 2 }, { isGoing: true })).toEqual(["b", "c"]);
});

test("what the engine has rotated away before it was read is told", async () => {
  const gap = "… 2 log line(s) dropped (about, rotated away by the engine)";
  expect(await told({ follow: true }, { rotatesAway: 5 })).toEqual(["a", "b", "c", gap, "f", "g", "h"]);
});
