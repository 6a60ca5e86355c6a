import { format, inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "../../src/model/secret.ts";

const PLANTED = "tr0ub4dor-planted";
const secret = new Secret(PLANTED);

const WAYS: Readonly<Record<string, () => unknown>> = {
  String: () => String(secret),
  "a template": () => `${secret}`,
  "a sum": () => `${"" as unknown}${secret as unknown}`,
  "JSON.stringify": () => JSON.stringify({ secret, list: [secret] }),
  inspect: () => inspect({ secret }, { depth: 9, showHidden: true }),
  "inspect without custom functions": () => inspect(secret, { customInspect: false, showHidden: true, getters: true }),
  "console's format": () => format("%s %o %O %j", secret, secret, secret, secret),
  spreading: () => JSON.stringify({ ...secret }),
  structuredClone: () => inspect(structuredClone({ secret }), { showHidden: true }),
  "own keys": () => Reflect.ownKeys(secret).map(String).join(),
  "an error with it": () => inspect(new Error("no", { cause: secret })),
};

test.each(Object.entries(WAYS))("%s does not show the value", (_, way) => {
  expect(way()).not.toContain(PLANTED);
});

test("what is shown instead says that there is a secret", () => {
  expect([String(secret), JSON.stringify(secret), inspect(secret)]).toEqual(["[secret]", '"[secret]"', "[secret]"]);
});

test("reveal gives the value back, whatever it is", () => {
  fc.assert(fc.property(fc.string(), (value) => new Secret(value).reveal() === value));
});
