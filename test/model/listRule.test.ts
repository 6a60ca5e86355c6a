/** What the back end's list no longer names, and when that is believed. */
import { describe, expect, test } from "vitest";
import { unlisted } from "../../src/model/listRule.ts";

const named = (...names: string[]) => new Set(names);

test("what is named stays, one that is not goes", () => {
  expect(unlisted(["a", "b", "c"], named("a", "b", "c"), undefined, 0)).toEqual({ gone: [] });
  expect(unlisted(["a", "b", "c"], named("a", "b", "z"), undefined, 0)).toEqual({ gone: ["c"] });
  expect(unlisted(["a", "b", "c", "d"], named("a", "b"), undefined, 0)).toEqual({ gone: ["c", "d"] });
});

describe.each([
  ["an empty list", ["a"], named()],
  ["one that leaves out more than one and more than half", ["a", "b", "c"], named("a")],
])("%s", (_, known, list) => {
  const missing = known.filter((name) => !list.has(name));

  test("counts only when another one says the same, a minute later or more", () => {
    const first = unlisted(known, list, undefined, 1_000);
    expect(first).toEqual({ gone: [], doubt: { since: 1_000, missing } });
    expect(unlisted(known, list, first.doubt, 60_999)).toEqual(first);
    expect(unlisted(known, list, first.doubt, 61_000)).toEqual({ gone: missing });
  });

  test("a good list in between ends the doubt", () => {
    const { doubt } = unlisted(known, list, undefined, 0);
    expect(unlisted(known, named(...known), doubt, 61_000)).toEqual({ gone: [] });
  });

  test("a clock that was set back begins anew", () => {
    const { doubt } = unlisted(known, list, undefined, 100_000);
    expect(unlisted(known, list, doubt, 0)).toEqual({ gone: [], doubt: { since: 0, missing } });
  });
});

test("only what both lists leave out goes", () => {
  const { doubt } = unlisted(["a", "b", "c"], named("c"), undefined, 0);
  expect(unlisted(["a", "b", "c"], named("a"), doubt, 70_000)).toEqual({ gone: ["b"] });
});

test("with nothing here nothing is doubted", () => {
  expect(unlisted([], named(), undefined, 0)).toEqual({ gone: [] });
});
