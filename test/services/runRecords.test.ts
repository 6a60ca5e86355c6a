/** Records of runs, from what is known of an app's container. */
import { expect, test } from "vitest";
import type { AppId, Container } from "../../src/model/app.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { RunRecord } from "../../src/model/runRecord.ts";
import { RunWatcher } from "../../src/services/runRecords.ts";
import { wanting } from "../support/app.ts";

const app: AppId = { stage: "PROD", key: 42 };
const up: Container = { id: "c".repeat(64), version: "1", spec: "s", image: "sha256:1", is: "up", startedAt: 5_000 };

function start(known: RunRecord[] = []) {
  const disk = new Map(known.map((record) => [record.run, record]));
  let asked = 0;
  const ended: string[] = [];
  const watcher = new RunWatcher({
    onEnd: (_, { id, startedAt }) => ended.push(`${id.slice(0, 1)}@${startedAt}`),
    now: () => 99_000,
    keep: (_, record) => disk.set(record.run, record),
    known: () => {
      asked++;
      return [...disk.values()].toReversed();
    },
  });
  const see = (container: Container | undefined, more: object = {}) =>
    watcher.see({
      ...{ app, state: "active.running.settling", desired: wanting("RUNNING"), error: undefined },
      ...{ facts: { images: ["1"], container } },
      ...more,
    });
  return { watcher, see, ended, records: () => [...disk.values()], asked: () => asked };
}
const RUN = { run: `${"c".repeat(12)}-5`, version: "1", image: "sha256:1", begin: 5_000, lastLines: [] };

test("a run begins when its container is up, once; without facts nothing is said", () => {
  const { see, records, asked } = start();
  see(undefined, { facts: undefined });
  see({ ...up, is: "made", startedAt: 0 });
  see(up);
  for (let n = 0; n < 100; n++) see(up);
  expect(records()).toEqual([RUN]);
  expect(asked(), "questions to the disk").toBe(1);
});

test("its end: exit code, signal, memory, time and reason", () => {
  const { see, records } = start();
  see(up);
  const error = new AgentError("container_exited", "exit code 137 (SIGKILL), out of memory");
  see({ ...up, is: "down", exitCode: 137, isOutOfMemory: true, endedAt: 8_000 }, { state: "crashed.waiting", error });
  see({ ...up, is: "down", exitCode: 137, isOutOfMemory: true, endedAt: 8_000 }, { state: "crashed.waiting", error });
  expect(records()).toEqual([
    { ...RUN, end: 8_000, exitCode: 137, signal: "SIGKILL", outOfMemory: true, reason: error.message },
  ]);
});

test("the end of a run whose container is still there is told once, also of one that was over when it was first seen", () => {
  const { see, ended } = start();
  see(up);
  see({ ...up, is: "down", exitCode: 1 });
  see({ ...up, is: "down", exitCode: 1 });
  see({ ...up, id: "d".repeat(64), is: "down", exitCode: 1 });
  see(undefined);
  expect(ended).toEqual(["c@5000", "d@5000"]);
});

test("one that is gone, or that runs anew, ended without anybody seeing how", () => {
  const { see, records } = start();
  see(up);
  see(undefined, { desired: wanting("PRESENT"), state: "present" });
  see({ ...up, startedAt: 20_000 });
  see({ ...up, startedAt: 30_000 });
  expect(records()).toMatchObject([
    { begin: 5_000, end: 99_000, reason: "PRESENT was asked for" },
    { begin: 20_000, end: 99_000 },
    { begin: 30_000 },
  ]);
  expect(records()[1]).not.toHaveProperty("exitCode");
});

test("in an update: the old version was exchanged, a new one that is no good says why", () => {
  const { see, records } = start();
  const update = { desired: wanting("RUNNING", "2"), state: "active.updating.swapping" };
  see(up);
  see({ ...up, id: "d".repeat(64), version: "2", startedAt: 9_000 }, update);
  const error = new AgentError("container_exited", "exit code 3");
  see({ ...up, startedAt: 12_000 }, { ...update, state: "active.updating.rollingBack", error });
  expect(records().map(({ reason }) => reason)).toEqual(["exchanged for version 2", error.message, undefined]);
});

test("what ended while no agent was there is closed by the next one, and not begun again", () => {
  const { see, records } = start([RUN]);
  see({ ...up, is: "down", exitCode: 7, endedAt: 6_000 }, { state: "present" });
  expect(records()).toEqual([{ ...RUN, end: 6_000, exitCode: 7 }]);
});

test("the last lines come after the end, bounded, without what moves a cursor", () => {
  const { watcher, see, records } = start();
  see(up);
  see({ ...up, is: "down", exitCode: 1, endedAt: 6_000 });
  see({ ...up, id: "d".repeat(64), startedAt: 9_000 });
  const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);
  watcher.printed(app, up, [...lines, "\u001b[2Jred"]);
  const [first] = records();
  expect(first?.lastLines).toHaveLength(20);
  expect(first?.lastLines.slice(-2)).toEqual(["line 29", "\uFFFD[2Jred"]);
  expect(first).toMatchObject({ end: 6_000, exitCode: 1 });
  watcher.printed(app, { id: "unknown", startedAt: 1 }, ["x"]);
  expect(records()).toHaveLength(2);
});
