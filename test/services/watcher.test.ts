/** What is done outside about what the machines do. */
import { expect, test } from "vitest";
import type { AppId, AppReport, Memory } from "../../src/model/app.ts";
import { AgentError } from "../../src/model/errors.ts";
import { Watcher } from "../../src/services/watcher.ts";
import { wanting } from "../support/app.ts";

const app: AppId = { stage: "PROD", key: 42 };
const CALM: Memory = { failures: 0 };
const order = { app, name: "weather", target: "RUNNING", version: "1", releaseKey: 1, requestor: 5, owner: 0 } as const;

function start() {
  let time = 1_000;
  const lines: string[] = [];
  const kept: Memory[] = [];
  const said: string[] = [];
  const runs: (string | undefined)[] = [];
  const untold: number[] = [];
  const log = (level: string) => (_: object, words: string) => lines.push(`${level} ${words}`);
  const watcher = new Watcher({
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    now: () => time,
    orderOf: () => order,
    keepMemory: (_, memory) => kept.push(memory),
    seeRun: () => {},
    keepUntold: (reports) => untold.push(reports.length),
    say: (_, text, run) => {
      said.push(text);
      runs.push(run?.id);
    },
  });
  const see = (state: string, memory: Memory = CALM, more: object = {}) =>
    watcher.see({
      id: "app:PROD:42",
      state,
      event: "x.y",
      app: { app, desired: wanting("RUNNING"), facts: undefined, memory, error: undefined, ...more },
    });
  const pass = (ms: number) => {
    time += ms;
  };
  return { watcher, see, lines, kept, said, runs, untold, pass };
}

test("a line for each change of state, and none for what leaves it as it is", () => {
  const { see, lines } = start();
  for (const state of ["present", "present", "active.creating", "active.creating"]) see(state);
  expect(lines).toHaveLength(2);
});

test("since tells when a machine came into its state, not when it was seen last", () => {
  const { watcher, see, pass } = start();
  see("present");
  pass(500);
  see("present");
  expect(watcher.since("app:PROD:42")).toBe(1_000);
  see("pulling");
  expect(watcher.since("app:PROD:42")).toBe(1_500);
});

test("what is remembered is kept when it is another, and not when it was read from disk", () => {
  const { see, kept } = start();
  const failed: Memory = { failures: 1, wait: { because: "container_exited", until: 6_000 } };
  see("unsure.reconciling", CALM);
  see("present", CALM);
  see("crashed.waiting", failed);
  see("crashed.waiting", failed);
  expect(kept).toEqual([failed]);
});

test("a crash is told once in the app's log, with its exit code and after the output of its run", () => {
  const { see, said, runs } = start();
  const failed: Memory = { failures: 1, wait: { because: "container_exited", until: 6_000 } };
  const facts = {
    images: ["1"],
    container: { id: "c", version: "1", spec: "s", is: "down", startedAt: 1, exitCode: 7 },
  };
  const crash = { facts, error: new AgentError("container_exited", "exit code 7") };
  see("active.running.settling");
  see("crashed.waiting", failed, crash);
  see("crashed.held", failed, crash);
  expect(said).toEqual([
    "weather (PROD) exited with status code: 7",
    "Entered a crashloop (1st attempt), retrying in 5.000s",
  ]);
  expect(runs).toEqual(["c", "c"]);
});

test("an agent that begins in a crash that is known already does not tell it again", () => {
  const { see, said } = start();
  see("crashed.waiting", { failures: 1, wait: { because: "container_exited", until: 6_000 } });
  expect(said).toEqual([]);
});

test("the ends of updates that nobody heard are kept when they are others, and not when they were read from disk", () => {
  const { watcher, untold } = start();
  const see = (reports: readonly AppReport[]) =>
    watcher.see({ id: "reporter", state: "offline", event: "x", untold: reports });
  const read: readonly AppReport[] = [];
  see(read);
  see(read);
  see([{ type: "app.changed", app, state: "RUNNING", version: "2", updateStatus: "completed" }]);
  expect(untold).toEqual([1]);
});
