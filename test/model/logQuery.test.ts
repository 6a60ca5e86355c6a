/** Questions about logs: what is understood, what is refused in which words, and which lines a window holds. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { instantIn, LARGEST_ANSWER, pageOf, parseAppLogQuery, parseDeviceLogQuery } from "../../src/model/logQuery.ts";
import { WireError } from "../../src/model/wireRequest.ts";

const NOW = Date.UTC(2026, 0, 2);
const usual = { container: "prod_42_weather", tail: 200, offset: 0, hasStamps: true };
const asked = (more: object) => [{ containerName: "prod_42_weather", ...more }];

test.each<[object, object]>([
  [{}, {}],
  [
    { tail: 3, offset: 2 },
    { tail: 3, offset: 2 },
  ],
  [{ tail: 1e6 }, { tail: 5_000 }],
  [{ tail: null, since: null, until: "" }, {}],
  [{ timestamps: false }, { hasStamps: false }],
  [{ since: "30m" }, { since: NOW - 1_800_000 }],
  [
    { since: "-2h", until: "1h30m" },
    { since: NOW - 7_200_000, until: NOW - 5_400_000 },
  ],
  [{ since: "1700000000" }, { since: 1_700_000_000_000 }],
  [{ until: "2026-01-01T23:00:00+01:00" }, { until: Date.UTC(2026, 0, 1, 22) }],
])("%j is understood", (given, expected) => {
  expect(parseAppLogQuery(asked(given), NOW)).toEqual({ ...usual, ...expected });
});

test.each<[unknown[], string]>([
  [[], "arguments are missing"],
  [[null], "arguments are missing"],
  [["x"], "first param should be a dict"],
  [[[]], "first param should be a dict"],
  [[{}], "invalid value for containerName"],
  [[{ containerName: "../etc" }], "invalid value for containerName"],
  [asked({ tail: -1 }), "the tail param should be a non-negative whole number"],
  [asked({ tail: "5" }), "the tail param should be a non-negative whole number"],
  [asked({ offset: 1.5 }), "the offset param should be a non-negative whole number"],
  [asked({ since: 1_700_000_000 }), "the since param should be a string"],
  [asked({ until: "tomorrow" }), 'invalid until: "tomorrow"'],
])("%j is refused: %s", (args, words) => {
  expect(() => parseAppLogQuery(args, NOW)).toThrow(new WireError(words));
});

test("of the device's log nothing need be said, and a level is one of five", () => {
  expect(parseDeviceLogQuery([], NOW)).toMatchObject({ tail: 300, offset: 0, level: "info" });
  expect(parseDeviceLogQuery([{ level: "WARNING", tail: 5 }], NOW)).toMatchObject({ tail: 5, level: "warn" });
  expect(() => parseDeviceLogQuery([{ level: "loud" }], NOW)).toThrow(/level param should be one of/);
});

const ten = Array.from({ length: 10 }, (_, n) => `${n}`);
test.each([
  [{ tail: 3, offset: 0 }, "7 8 9", true],
  [{ tail: 3, offset: 2 }, "5 6 7", true],
  [{ tail: 20, offset: 0 }, "0 1 2 3 4 5 6 7 8 9", false],
  [{ tail: 3, offset: 10 }, "", false],
  [{ tail: 0, offset: 0 }, "", true],
])("of ten lines %j holds %j; older ones left out: %s", (window, lines, isCut) => {
  expect(pageOf(ten, window)).toEqual({ lines: lines.split(" ").filter(Boolean), isCut });
});

test("an answer has at most 4 MiB, however its signs are written; the oldest lines go", () => {
  const lines = Array.from({ length: 100 }, (_, n) => `${n} ${"\u0001".repeat(50_000)}`);
  const page = pageOf(lines, { tail: 100, offset: 0 });
  expect(JSON.stringify(page.lines).length).toBeLessThanOrEqual(LARGEST_ANSWER);
  expect([page.lines.at(-1)?.slice(0, 3), page.isCut, page.lines.length]).toEqual(["99 ", true, 13]);
});

test("any value is a question or one of the original's sentences, never anything else", () => {
  const value = fc.oneof(
    fc.anything(),
    fc.record({ containerName: fc.anything(), tail: fc.anything(), since: fc.anything(), level: fc.anything() }),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 3 }), (args) => {
      for (const parse of [parseAppLogQuery, parseDeviceLogQuery]) {
        try {
          parse(args, NOW);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
        }
      }
    }),
    { numRuns: 2_000 },
  );
});

test("whatever text a time is, it is an instant that a date can hold, or none", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+]?(\d{1,12}(\.\d{1,9})?(ms|s|m|h)){1,4}$/)), (words) => {
      const at = instantIn(words, NOW);
      if (at !== undefined) expect(Number.isNaN(new Date(at).getTime())).toBe(false);
    }),
  );
});
