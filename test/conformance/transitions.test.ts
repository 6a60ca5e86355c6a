/**
 * The original's table of transitions, cell by cell: where it does something, so does this agent, at once or after the step
 * in progress; where it does nothing because all is so already, the answer is "done"; where its table is empty, there is an answer.
 */
import { expect, test } from "vitest";
import type { Facts, Target } from "../../src/model/app.ts";
import { answerTo, type Outcome, type State } from "../../src/model/outcomes.ts";
import type { Known } from "../../src/model/plan.ts";
import { wanting } from "../support/app.ts";

const up = { id: "c", version: "1", spec: "s", is: "up", startedAt: 1 } as const;
const NOTHING: Facts = { images: [] };
const IMAGE: Facts = { images: ["1"] };
const RUNS: Facts = { images: ["1"], container: up };

/** A state of the original, the one that stands for it here, and what is wanted and there while it is in it. */
const ROWS: Readonly<Record<string, readonly [State, Target, Facts, version?: string]>> = {
  REMOVED: ["absent.removed", "REMOVED", NOTHING],
  UNINSTALLED: ["absent.uninstalled", "UNINSTALLED", NOTHING],
  PRESENT: ["present", "PRESENT", IMAGE],
  FAILED: ["crashed.waiting", "RUNNING", { images: ["1"], container: { ...up, is: "down", exitCode: 1 } }],
  RUNNING: ["active.running.steady", "RUNNING", RUNS],
  DOWNLOADING: ["pulling", "RUNNING", NOTHING],
  STARTING: ["active.starting", "RUNNING", { images: ["1"], container: { ...up, is: "made" } }],
  STOPPING: ["stopping", "PRESENT", RUNS],
  UPDATING: ["active.updating.pulling", "RUNNING", RUNS, "2"],
  DELETING: ["removing", "REMOVED", RUNS],
};

/** What the original does, and the outcome here. An empty word: its table has no such cell. */
const CELLS: Readonly<Record<string, Readonly<Record<Target, readonly [original: string, here: Outcome]>>>> = {
  REMOVED: {
    PRESENT: ["pull", "now"],
    RUNNING: ["run", "now"],
    REMOVED: ["no-op", "done"],
    UNINSTALLED: ["uninstall", "now"],
  },
  UNINSTALLED: {
    PRESENT: ["pull", "now"],
    RUNNING: ["run", "now"],
    REMOVED: ["", "done"],
    UNINSTALLED: ["no-op", "done"],
  },
  PRESENT: {
    PRESENT: ["no-op", "done"],
    RUNNING: ["run", "now"],
    REMOVED: ["remove", "now"],
    UNINSTALLED: ["uninstall", "now"],
  },
  FAILED: {
    PRESENT: ["recover to present", "now"],
    RUNNING: ["recover to running", "now"],
    REMOVED: ["remove", "now"],
    UNINSTALLED: ["uninstall", "now"],
  },
  RUNNING: {
    PRESENT: ["stop", "now"],
    RUNNING: ["no-op", "done"],
    REMOVED: ["remove", "now"],
    UNINSTALLED: ["uninstall", "now"],
  },
  DOWNLOADING: {
    PRESENT: ["pull", "after"],
    RUNNING: ["", "after"],
    REMOVED: ["cancel pull", "cancels"],
    UNINSTALLED: ["cancel pull", "cancels"],
  },
  STARTING: {
    PRESENT: ["stop", "cancels"],
    RUNNING: ["run", "after"],
    REMOVED: ["remove", "cancels"],
    UNINSTALLED: ["uninstall", "cancels"],
  },
  STOPPING: {
    PRESENT: ["stop", "after"],
    RUNNING: ["run", "after"],
    REMOVED: ["remove", "after"],
    UNINSTALLED: ["uninstall", "after"],
  },
  UPDATING: {
    PRESENT: ["cancel update", "cancels"],
    RUNNING: ["", "after"],
    REMOVED: ["cancel update and remove", "cancels"],
    UNINSTALLED: ["cancel update and uninstall", "cancels"],
  },
  DELETING: {
    PRESENT: ["", "after"],
    RUNNING: ["", "after"],
    REMOVED: ["remove", "after"],
    UNINSTALLED: ["uninstall", "after"],
  },
};

const ALL = Object.entries(CELLS).flatMap(([state, cells]) =>
  Object.entries(cells).map(
    ([target, [original, here]]) => [state, target as Target, original || "nothing", here] as const,
  ),
);

test.each(ALL)("%s, asked for %s: the original does %s, here it is %s", (from, target, _, outcome) => {
  const [state, wanted, facts, version = "1"] = ROWS[from] ?? [];
  const known: Known = {
    ...{ stage: "PROD", strategy: "download-then-swap", at: 3_600_000 },
    ...{
      desired: wanting(wanted ?? "REMOVED", version),
      facts,
      memory: { failures: 0, isUninstalled: from === "UNINSTALLED" },
    },
  };
  expect(answerTo(state as State, { desired: wanting(target, version) }, known).outcome).toBe(outcome);
});
