import fc from "fast-check";
import { expect, test } from "vitest";
import { environmentOf, markOf } from "../../src/model/appEnvironment.ts";
import { revisionOf, variablesOf } from "../../src/model/order.ts";
import { parseAppRequest } from "../../src/model/wireRequest.ts";

const of = (names: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(names).map(([name, value]) => [name, { value }]));

test("the user's values, and the template's defaults for what he did not set", () => {
  const template = { CITY: { defaultValue: "Berlin" }, COUNT: { defaultValue: 3 }, NONE: {} };
  expect(environmentOf(of({ CITY: "Köln", LOUD: true, EMPTY: "" }), template)).toEqual({
    values: { CITY: "Köln", COUNT: "3", EMPTY: "", LOUD: "true" },
    left: [],
  });
});

test.each([
  ["APP_AUTH_SECRET", "x", '"APP_AUTH_SECRET" belongs to the agent'],
  ["INSTANCE_KEY", "x", '"INSTANCE_KEY" belongs to the agent'],
  ["", "x", '"" is no name of a variable'],
  ["../../etc", "x", '"../../etc" is no name of a variable'],
  ["A=B", "x", '"A=B" is no name of a variable'],
  ["#A", "x", '"#A" is no name of a variable'],
  ["A B", "x", '"A B" is no name of a variable'],
  ["A", "a\0b", '"A" has a value with a NUL, which no container takes'],
  ["A", "x".repeat(300_000), '"A" has a value of more than 256 KiB'],
])("%j=%j is left out, told without its value, and spoils nothing else", (name, value, says) => {
  expect(environmentOf(of({ [name]: value, GOOD: "1" }), {})).toEqual({ values: { GOOD: "1" }, left: [says] });
});

test.each([[[1]], [{ A: "bare" }], [{ A: { value: {} } }], ["text"]])("%j is no environment", (given) => {
  expect(environmentOf(given, {})).toBeUndefined();
});

const REQUEST = { app_key: 42, app_name: "weather", stage: "PROD", target_state: "RUNNING", current_state: "PRESENT" };
const orderOf = (more: object) => {
  const asked = parseAppRequest({ ...REQUEST, present_version: "1.0.0", ...more });
  if (asked.is !== "order") throw new Error(asked.why);
  return asked.order;
};

test("a request brings them; its revision changes with them alone, and nothing shows them", () => {
  const plain = orderOf({});
  const set = orderOf({ environment: of({ CITY: "planted" }) });
  const other = orderOf({ environment: of({ CITY: "planted too" }) });
  expect(variablesOf(set)).toEqual({ CITY: "planted" });
  expect(variablesOf(plain)).toEqual({});
  expect(new Set([plain, set, other].map(revisionOf)).size).toBe(3);
  expect(revisionOf(orderOf({ environment: of({ CITY: "planted" }), release_key: 9 }))).toBe(revisionOf(set));
  expect(revisionOf(plain)).toBe(revisionOf(orderOf({ environment: {} })));
  expect(JSON.stringify(set) + revisionOf(set)).not.toContain("planted");
});

test("the order of the names does not matter, the text does", () => {
  expect(revisionOf(orderOf({ environment: of({ A: 1, B: 2 }) }))).toBe(
    revisionOf(orderOf({ environment: of({ B: "2", A: "1" }) })),
  );
  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      expect(markOf(one) === markOf(other)).toBe(one === other);
    }),
    { numRuns: 2_000 },
  );
});
