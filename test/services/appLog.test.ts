/** One app's log: what is handed on of which container, from where on, and in which order with the agent's words. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppId } from "../../src/model/app.ts";
import { secondsOf, stampOf } from "../../src/model/logLine.ts";
import { AppLog } from "../../src/services/appLog.ts";
import type { Engine, LogOptions } from "../../src/services/docker.ts";
import type { Word } from "../../src/services/logItems.ts";
import type { Fate } from "../../src/services/logPublisher.ts";
import { LogShelf } from "../../src/services/logShelf.ts";
import { LogTurns } from "../../src/services/logTurns.ts";

const app: AppId = { stage: "PROD", key: 42 };
const [ONE, TWO] = ["1".repeat(64), "2".repeat(64)];
const [first, second] = [
  { id: ONE, startedAt: 1 },
  { id: TWO, startedAt: 1 },
];
const NOW = Date.UTC(2026, 0, 2);
const never = new AbortController().signal;

let folder: string;
let shelf: LogShelf;
let problems: unknown[];
const openShelf = () => new LogShelf({ folder, onProblem: (error) => problems.push(error) });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rga-"));
  problems = [];
  shelf = openShelf();
});
afterEach(() => {
  shelf.close();
  rmSync(folder, { recursive: true, force: true });
  expect(problems).toEqual([]);
});

/** Containers that have ended, by id: their lines, each a second after the one before. */
function start(containers: Record<string, readonly string[]>, fate: Fate | "open" = "confirmed") {
  const sent: string[] = [];
  const engine = {
    container: async (id: string) => id in containers && { Id: id, Config: { Tty: true }, State: { Running: false } },
    logs: async (id: string, { since = "0" }: LogOptions) => {
      const lines = (containers[id] ?? []).map((text, n) => ({ text, stamp: stampOf(NOW + (n + 1) * 1_000) }));
      const asked = lines.filter(({ stamp }) => Number(secondsOf(stamp)) >= Number(since));
      return Readable.from([asked.map(({ text, stamp }) => `${stamp} ${text}\r\n`).join("")], { objectMode: false });
    },
  } as unknown as Engine;
  const log = new AppLog({
    ...{ app, engine, shelf, now: () => NOW },
    turns: new LogTurns({ hasRoom: () => true, room: async () => {} }),
    send: (message: string | Word) => {
      sent.push(...(typeof message === "string" ? message.split("\n") : [`* ${message.chunk}`]));
      return fate === "open" ? new Promise<Fate>(() => {}) : Promise.resolve(fate);
    },
    onProblem: (error) => problems.push(error),
  });
  return { log, sent, until: (words: string) => expect.poll(() => sent).toContain(words) };
}

test("the output of one container after the other, from when somebody listens", async () => {
  const { log, sent, until } = start({ [ONE]: ["a", "b"], [TWO]: ["x", "y", "c"] });
  log.hear("heard");
  await log.follow(first, never);
  await log.follow(second, never);
  await until("c");
  expect(sent).toEqual(["a", "b", "c"]);
});

test("nobody listens: nothing is handed on, words are; who comes later hears nothing older", async () => {
  const { log, sent, until } = start({ [ONE]: ["a", "b"] });
  log.hear("unheard");
  await log.follow(first, never);
  log.progress('{"status":"Downloading"}');
  log.say("Starting weather...");
  await until("* Starting weather...");
  expect(sent).toEqual(["* Starting weather..."]);
});

test("the next process goes on where the last one was; what was under way is told as unconfirmed", async () => {
  const before = start({ [ONE]: ["a", "b"] }, "open");
  before.log.hear("heard");
  await before.log.follow(first, never);
  await before.until("b");
  shelf.close();
  shelf = openShelf();
  const { log, sent, until } = start({ [ONE]: ["a", "b", "c"] });
  expect(log.wasHeard).toBe(true);
  log.hear("heard");
  await log.follow(first, never);
  await until("c");
  expect(sent).toEqual(["… 2 log line(s) dropped (unconfirmed when the agent ended)", "c"]);
});

test("where everybody has left, the next process knows of nobody", async () => {
  const before = start({ [ONE]: ["a"] });
  before.log.hear("heard");
  await before.log.follow(first, never);
  before.log.hear("unheard");
  expect(start({}).log.wasHeard).toBe(false);
});

test("of a container that is gone, the last that was kept comes, and only what was not handed on", async () => {
  const containers: Record<string, readonly string[]> = { [ONE]: ["a"] };
  const { log, sent, until } = start(containers);
  log.hear("heard");
  const over = new AbortController();
  const following = log.follow(first, over.signal);
  await until("a");
  over.abort();
  await following;
  const line = (text: string, n: number) => ({ stream: 0 as const, stamp: stampOf(NOW + n * 1_000), text });
  shelf.keepLast(app, ONE, [line("a", 1), line("b", 2)]);
  delete containers[ONE];
  await log.follow(first, never);
  await until("b");
  expect(sent).toEqual(["a", "b"]);
});

test("a word about an end comes after the output, and later words after it", async () => {
  const { log, sent, until } = start({ [ONE]: ["a", "b"] });
  log.hear("heard");
  const following = log.follow(first, never);
  log.sayLast("exited with status code: 7");
  log.say("Entered a crashloop");
  await following;
  await until("* Entered a crashloop");
  expect(sent).toEqual(["a", "b", "* exited with status code: 7", "* Entered a crashloop"]);
  expect(log.words.map(({ text }) => text)).toEqual(["exited with status code: 7", "Entered a crashloop"]);
});

test("what is kept of a container's output is its end, at most 256 KiB", () => {
  const lines = Array.from({ length: 5_000 }, (_, n) => ({
    stream: 0 as const,
    stamp: stampOf(n),
    text: `${n}`.padStart(99),
  }));
  shelf.keepLast(app, ONE, lines);
  const kept = shelf.last(app);
  expect([kept?.container, kept?.lines.at(-1)?.text.trim()]).toEqual([ONE, "4999"]);
  expect(kept?.lines.length).toBe(Math.floor((256 * 1024) / (99 + 34)));
});

test("a word about the end of a run whose reading has not begun waits for its output", async () => {
  const containers: Record<string, readonly string[]> = { [ONE]: ["a"] };
  const { log, sent, until } = start(containers);
  log.hear("heard");
  await log.follow(first, never);
  log.sayLast("exited", first);
  containers[ONE] = ["a", "b"];
  const again = { ...first, startedAt: 2 };
  log.sayLast("failed to start", again);
  await log.follow(again, never);
  await until("* failed to start");
  expect(sent).toEqual(["a", "* exited", "b", "* failed to start"]);
});

test("… and not only for that of the run before, whose reading it ends", async () => {
  const containers: Record<string, readonly string[]> = { [ONE]: ["a"], [TWO]: ["b"] };
  const { log, sent, until } = start(containers);
  log.hear("heard");
  const over = new AbortController();
  const before = log.follow(first, over.signal);
  log.sayLast("failed to start", second);
  over.abort();
  await before;
  await log.follow(second, never);
  await until("* failed to start");
  expect(sent.slice(-2)).toEqual(["b", "* failed to start"]);
});
