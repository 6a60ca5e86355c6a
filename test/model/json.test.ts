import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { faultIn, parseJson } from "../../src/model/json.ts";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test("the place of a fault is told by line and column", () => {
  expect(() => parseJson('{\n  "a": 1,\n  "b": x\n}', "bad_flock")).toThrow(/broken JSON at line 3, column 8$/);
  expect(() => parseJson("", "bad_flock")).toThrow(/line 1, column 1$/);
  expect(() => parseJson('{"a": 1} b', "bad_flock")).toThrow(/line 1, column 10$/);
  expect(() => parseJson('["a', "bad_settings", "here: ")).toThrow(/here: broken JSON at line 1, column 2$/);
});

test("JSON has no fault, and text with letters changed has one exactly when the runtime finds one", () => {
  const letters = fc.constantFrom(...'{}[],:"\\ \nn0-.e1u\u0001é');
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.option(letters), (text, at, letter) => {
      const place = at % (text.length + 1);
      const changed = letter === null ? text : text.slice(0, place) + letter + text.slice(place + 1);
      expect(faultIn(changed) === undefined).toBe(isJson(changed));
    }),
    { numRuns: 2_000 },
  );
});

test("up to the fault nothing is wrong: with the same beginning, something can follow that is JSON", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, at) => {
      const place = at % (text.length + 1);
      const fault = faultIn(`${text.slice(0, place)}\u0001`);
      expect(fault).toBeLessThanOrEqual(place);
    }),
  );
});

test("a broken text that is nested without end is an error like others", () => {
  for (const text of ["[".repeat(60_000), '{"a":'.repeat(60_000)])
    expect(() => parseJson(text, "bad_flock")).toThrow(AgentError);
});
