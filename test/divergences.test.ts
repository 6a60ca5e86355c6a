/** The list of conformance cases is true, and docs/divergences.md names only what is in it. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LATER, CASES as OF_AGENT } from "./conformance/cases.ts";
import { EDGES } from "./conformance/edges.ts";

const CASES = [...OF_AGENT, ...EDGES];

const ids = CASES.map(({ id }) => id);
const tables = readFileSync("docs/divergences.md", "utf8")
  .split("\n## ")
  .map((part) =>
    part
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .slice(1)
      .filter((line) => !line.startsWith("| ---"))
      .map((line) => line.split(" | ").map((cell) => cell.replaceAll(/^\| | \|$/g, "").trim())),
  );
const [rows = [], later = []] = tables;

test("every case has an id of its own, one sentence, and a test", () => {
  expect(new Set(ids).size).toBe(ids.length);
  for (const { id, says } of CASES) {
    expect(id).toMatch(/^[TRPFUCDOBHKWALE]\d+$/);
    expect(says).toMatch(/^[A-Z0-9].{10,120}\.$/);
  }
});

test.each(CASES.map(({ id, where }) => [id, ...where] as const))("%s is shown in %s by: %s", (_, file, name) => {
  expect(existsSync(file)).toBe(true);
  expect(readFileSync(file, "utf8")).toContain(`"${name}"`);
});

test("each divergence is about a case that is there, and says four things", () => {
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    expect(row, row.join()).toHaveLength(4);
    expect(ids).toContain(row[0]);
    for (const cell of row) expect(cell).not.toBe("");
  }
});

test("divergences stand in the order of the cases", () => {
  const order = rows.map(([id = ""]) => ids.indexOf(id));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test("what is not there yet stands there by its cases, none of which has a test", () => {
  expect(later).toEqual(LATER.map(({ id, says, now }) => [id, says, now]));
  expect(ids.filter((id) => LATER.some((each) => each.id === id))).toEqual([]);
});
