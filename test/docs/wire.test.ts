/** docs/wire.md says what the code does: its lists of procedures, calls, topics, keys, states and words. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { WireState } from "../../src/model/app.ts";
import { logTopic, procedureName } from "../../src/model/names.ts";
import type { Outcome } from "../../src/model/outcomes.ts";
import { appReport } from "../../src/model/wireReport.ts";
import type { WireErrorCode } from "../../src/model/wireRequest.ts";
import { ADD_TESTAMENT, BACK_END, TESTAMENT_TOPIC } from "../../src/services/backEnd.ts";
import { PRESENCE, type ProcedureOptions, procedures } from "../../src/services/procedures.ts";
import { type QuestionOptions, questions } from "../../src/services/questions.ts";
import { STATS } from "../support/wire.ts";

const page = readFileSync("docs/wire.md", "utf8");
const sections = new Map(page.split(/^## /m).map((text) => [text.split("\n", 1).join(), text] as const));
const section = (name: string) => sections.get(name) ?? expect.fail(`no section ${name}`);
const headings = (name: string) => [...section(name).matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
/** The first cell of each row of the table that begins so. */
const column = (name: string, head: string) => {
  const [, table = ""] = section(name).split(`| ${head} |`);
  const [body = ""] = table.split("\n\n", 1);
  return [...body.matchAll(/^\| `([^`]+)`/gm)].map(([, word]) => word);
};

test("a heading for each procedure, and for no other", () => {
  const options = { serial: "s", privileges: {}, questions: questions({} as QuestionOptions) } as ProcedureOptions;
  const registered = [procedureName("s", PRESENCE), ...procedures(options).keys()];
  expect(headings("Procedures").map((name) => procedureName("s", String(name)))).toEqual(registered);
});

test("each procedure says its level, its result and, where it has some, its errors", () => {
  for (const text of section("Procedures").split(/^### /m).slice(1)) {
    expect(text).toMatch(/^Level: (none|READ|DEVELOP|MAINTAIN)\./m);
    expect(text).toMatch(/Result: /);
  }
});

test("a heading for each call of the back end, and for no other", () => {
  expect(headings("Calls of the back end")).toEqual(Object.values(BACK_END));
});

test("the topics", () => {
  expect(column("Topics", "topic")).toEqual([logTopic("<serial>", "<container>"), TESTAMENT_TOPIC]);
  expect(section("Connection")).toContain(ADD_TESTAMENT);
});

test("the keys of a report and of the figures", () => {
  const order = { app: { stage: "PROD", key: 1 } } as never;
  const keys = Object.keys(appReport({} as never, order, { state: "RUNNING", version: "1" }));
  expect(section("Reports")).toContain(`\`{${keys.join(", ")}}\``);
  for (const key of Object.keys(STATS)) expect(section("Calls of the back end")).toContain(`\`${key}\``);
});

test("states, outcomes and error codes", () => {
  const states: Record<WireState, true> = {
    DOWNLOADING: true,
    PRESENT: true,
    STARTING: true,
    RUNNING: true,
    STOPPING: true,
    FAILED: true,
    UPDATING: true,
    DELETING: true,
    REMOVED: true,
    UNINSTALLED: true,
  };
  expect(section("Reports")).toContain(
    `States: ${Object.keys(states)
      .map((state) => `\`${state}\``)
      .join(", ")}.`,
  );
  const outcomes: Record<Outcome, true> = { done: true, now: true, after: true, cancels: true, refused: true };
  expect(column("Procedures", "outcome")).toEqual(Object.keys(outcomes));
  const codes: Record<WireErrorCode, true> = { bad_request: true, not_permitted: true, not_verified: true };
  expect(column("Errors", "code")).toEqual(Object.keys(codes));
});
