/** What may be lost without harm: written together, bounded, and begun anew when it is damaged. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppId } from "../../src/model/app.ts";
import { ms } from "../../src/model/duration.ts";
import { Journal } from "../../src/services/journal.ts";

const app: AppId = { stage: "PROD", key: 42 };
const record = (n: number, more: object = {}) => ({ run: `c-${n}`, version: "1", begin: n, lastLines: [], ...more });
let folder: string;
const problems: unknown[] = [];
const open = () => new Journal({ folder, now: () => 7, onProblem: (error) => problems.push(error), every: ms(60_000) });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rgj-"));
  problems.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("runs are kept over a restart, newest first, each once with its last words", () => {
  const journal = open();
  journal.keep(app, record(1));
  journal.keep(app, record(2));
  journal.keep(app, record(1, { end: 5, exitCode: 3 }));
  journal.close();
  const again = open();
  expect(again.runs(app)).toEqual([record(2), record(1, { end: 5, exitCode: 3 })]);
  expect(again.runs({ stage: "DEV", key: 42 })).toEqual([]);
  again.close();
});

test("twenty of each app, the last ones", () => {
  const journal = open();
  for (let n = 1; n <= 50; n++) journal.keep(app, record(n));
  for (let n = 1; n <= 3; n++) journal.keep({ stage: "PROD", key: 7 }, record(n));
  expect(journal.runs(app).map(({ begin }) => begin)).toEqual(Array.from({ length: 20 }, (_, at) => 50 - at));
  expect(journal.runs({ stage: "PROD", key: 7 })).toHaveLength(3);
  journal.forget(app);
  expect(journal.runs(app)).toEqual([]);
  journal.close();
});

test("what comes in between is written in one go", () => {
  const journal = open();
  journal.keep(app, record(0));
  journal.flush();
  const size = () => statSync(join(folder, "journal.db-wal")).size;
  const before = size();
  for (let n = 1; n <= 500; n++) journal.keep(app, record(n));
  expect(size()).toBe(before);
  journal.flush();
  expect(size()).toBeGreaterThan(before);
  journal.close();
});

test("a damaged file is set aside, for its owner alone, and begun anew", () => {
  writeFileSync(join(folder, "journal.db"), "no database".repeat(1_000));
  const journal = open();
  expect(journal.setAside).toBe(join(folder, "journal.db.corrupt-7"));
  journal.keep(app, record(1));
  journal.close();
  expect(readdirSync(folder).toSorted()).toEqual(["journal.db", "journal.db.corrupt-7"]);
  expect(statSync(join(folder, "journal.db")).mode & 0o077).toBe(0);
});
