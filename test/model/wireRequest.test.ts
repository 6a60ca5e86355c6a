/** What comes in over the wire: the original's sentences where it says no, an order or a refusal for everything else. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TARGETS } from "../../src/model/app.ts";
import { parseDesiredStates } from "../../src/model/desiredList.ts";
import { APP_NAME } from "../../src/model/names.ts";
import type { AppOrder } from "../../src/model/order.ts";
import { type Asked, parseAppRequest, WireError } from "../../src/model/wireRequest.ts";

/** As a studio sends it. */
const REQUEST = {
  app_key: 42,
  app_name: "weather",
  stage: "PROD",
  target_state: "RUNNING",
  current_state: "REMOVED",
  requestor_account_key: 5,
  device_owner_account_key: 6,
  release_key: 11,
  new_release_key: 11,
  version: "1.0.0",
  present_version: "1.0.0",
  newest_version: "1.0.0",
  request_update: false,
  environment: {},
  environment_template: {},
  ports: [],
};
const ORDER = {
  app: { stage: "PROD", key: 42 },
  name: "weather",
  target: "RUNNING",
  version: "1.0.0",
  releaseKey: 11,
  requestor: 5,
  owner: 6,
};
const ask = (changes: object = {}): Asked => parseAppRequest({ ...REQUEST, ...changes });
const taken = (changes: object) => {
  const asked = ask(changes);
  return asked.is === "order" ? asked.order : asked.why;
};
const without = (key: keyof typeof REQUEST) => {
  const { [key]: _, ...rest } = REQUEST;
  return rest;
};

test("a whole request is an order", () => {
  expect(ask()).toEqual({ is: "order", order: ORDER, cancels: false, isVersionOpen: false });
});

const WORDS =
  "'PRESENT', 'REMOVED', 'UNINSTALLED', 'FAILED', 'BUILDING', 'BUILT', 'TRANSFERED', 'TRANSFERING', 'PUBLISHING', 'PUBLISHED', 'DOWNLOADING', 'STARTING', 'STOPPING', 'UPDATING', 'DELETING', 'RUNNING', 'INHERIT'";
const constraint = (column: string, words: string) =>
  `constraint failed: CHECK constraint failed: ${column} IN (${words}) (275)`;

describe("the original's sentences, letter for letter", () => {
  test.each<[object, string]>([
    [{ app_key: 0 }, "missing from payload app_key"],
    [{ app_key: "x" }, "failed to parse app_key"],
    [{ app_name: "" }, "failed to parse appName"],
    [{ app_name: 7 }, "failed to parse appName"],
    [{ stage: "" }, "missing from payload stage"],
    [{ stage: "TEST" }, constraint("stage", "'DEV', 'PROD'")],
    [{ target_state: 7 }, "failed to parse requestedState"],
    [{ target_state: "FLYING" }, constraint("manually_requested_state", WORDS)],
    [{ current_state: "" }, constraint("current_state", WORDS)],
    [{ requestor_account_key: "abc" }, 'strconv.Atoi: parsing "abc": invalid syntax'],
    [{ request_update: "yes" }, "failed to parse requestUpdate"],
    [{ environment: "x" }, "failed to parse environment"],
    [{ ports: "x" }, "failed to parse ports"],
    [{ docker_compose: "x" }, "failed to parse docker compose"],
    [{ version: 7 }, "failed to parse version"],
  ])("%j", (changes, sentence) => {
    expect(() => ask(changes)).toThrow(new WireError(sentence));
  });

  test("what cannot be read is said before a word that nobody knows", () => {
    expect(() => ask({ stage: "TEST", version: 7 })).toThrow("failed to parse version");
    expect(() => ask({ target_state: "FLYING", ports: 1 })).toThrow("failed to parse ports");
  });
});

describe("app_key", () => {
  test.each([42, "42", "9007199254740991"])("%j is one", (app_key) => {
    expect(taken({ app_key })).toMatchObject({ app: { key: Number(app_key) } });
  });
  test.each([-1, 1.5, 2 ** 53, "9007199254740993", "042", "1e3", " 42", "NaN", "", [], {}, true, Number("1e400")])(
    "%j is none",
    (app_key) => {
      expect(() => ask({ app_key })).toThrow(new WireError("failed to parse app_key"));
    },
  );
  test("absent and null are missing, as 0 is", () => {
    for (const kwargs of [without("app_key"), { ...REQUEST, app_key: null }])
      expect(() => parseAppRequest(kwargs)).toThrow("missing from payload app_key");
  });
});

describe("app_name", () => {
  test("is lower-cased, since it becomes a part of names and paths", () => {
    expect(taken({ app_name: "Weather_1" })).toMatchObject({ name: "weather_1" });
  });
  test.each(["../x", "a/b", "a b", "-x", "x".repeat(64), "ä", "x\n", null, undefined, [], {}])("%j is none", (name) => {
    expect(() => ask({ app_name: name })).toThrow(new WireError("failed to parse appName"));
  });
});

describe("states", () => {
  test.each([
    ["RUNNING", "RUNNING"],
    ["STARTING", "RUNNING"],
    ["PRESENT", "PRESENT"],
    ["BUILDING", "PRESENT"],
    ["TRANSFERED", "PRESENT"],
    ["TRANSFERING", "PRESENT"],
    ["DOWNLOADING", "PRESENT"],
    ["PUBLISHING", "PRESENT"],
    ["UPDATING", "PRESENT"],
    ["STOPPING", "PRESENT"],
    ["REMOVED", "REMOVED"],
    ["DELETING", "REMOVED"],
  ])("%s means %s", (target_state, target) => {
    expect(taken({ target_state })).toMatchObject({ target });
  });

  test.each([undefined, null, ""])("without a target_state (%j) it is manually_requested_state", (target_state) => {
    expect(taken({ target_state, manually_requested_state: "PRESENT" })).toMatchObject({ target: "PRESENT" });
    expect(() => ask({ target_state })).toThrow(constraint("manually_requested_state", WORDS));
    expect(() => ask({ target_state, manually_requested_state: 7 })).toThrow("failed to parse requestedState");
  });

  test.each([undefined, null, ""])("without a current_state (%j) it is state", (current_state) => {
    expect(taken({ current_state, state: "PRESENT" })).toMatchObject({ target: "RUNNING" });
    expect(() => ask({ current_state, state: "FLYING" })).toThrow(constraint("current_state", WORDS));
  });

  test("a stage of another type cannot be read, an absent one is missing", () => {
    expect(() => ask({ stage: 7 })).toThrow("failed to parse stage");
    expect(() => ask({ stage: "prod" })).toThrow(constraint("stage", "'DEV', 'PROD'"));
    expect(() => parseAppRequest(without("stage"))).toThrow("missing from payload stage");
  });
});

describe("account keys", () => {
  test.each<[object, object]>([
    [{ requestor_account_key: "7" }, { requestor: 7 }],
    [{ requestor_account_key: null, account_id: "8" }, { requestor: 8 }],
    [{ requestor_account_key: null }, { requestor: 0 }],
    [{ device_owner_account_key: "9" }, { owner: 9 }],
    [{ device_owner_account_key: null }, { owner: 0 }],
  ])("%j", (changes, order) => {
    expect(taken(changes)).toMatchObject(order);
  });
  test.each([
    ["", '""'],
    ["NaN", '"NaN"'],
    [-5, '"-5"'],
    [1.5, '"1.5"'],
    [true, '"true"'],
    [{}, '"object"'],
    ["x".repeat(1_000), `"${"x".repeat(40)}"`],
  ])("%j is none", (value, shown) => {
    for (const key of ["requestor_account_key", "device_owner_account_key"])
      expect(() => ask({ [key]: value })).toThrow(new WireError(`strconv.Atoi: parsing ${shown}: invalid syntax`));
  });
});

describe("versions", () => {
  test.each<[object, string]>([
    [{ present_version: "1", newest_version: "2" }, "1"],
    [{ present_version: "", newest_version: "2" }, "2"],
    [{ present_version: null, newest_version: "2" }, "2"],
    [{ present_version: "1", newest_version: null }, "1"],
  ])("%j takes %s", (changes, version) => {
    expect(taken(changes)).toMatchObject({ version });
  });
  test.each([7, "a b", "../1", "-1", "x".repeat(129), "1.0\n", {}])("%j is no tag", (version) => {
    expect(() => ask({ present_version: version })).toThrow(new WireError("failed to parse present_version"));
    expect(() => ask({ newest_version: version })).toThrow(new WireError("failed to parse newest_version"));
  });
  test("none at all is refused, unless it is to be removed", () => {
    const none = { present_version: "", newest_version: "" };
    expect(ask(none)).toEqual({
      is: "refused",
      why: "neither present_version nor newest_version says which version",
    });
    expect(taken({ ...none, target_state: "REMOVED" })).toMatchObject({ target: "REMOVED", version: "" });
  });
});

test.each<[object, number]>([
  [{ release_key: "12" }, 12],
  [{ release_key: 0 }, 0],
  [{ release_key: null }, 0],
])("the release key of %j is %i", (changes, releaseKey) => {
  expect(taken({ new_release_key: 0, ...changes })).toMatchObject({ releaseKey });
});

test.each<[object, string]>([
  [{ release_key: "x" }, "release_key"],
  [{ new_release_key: {} }, "new_release_key"],
  [{ request_update: 1 }, "requestUpdate"],
  [{ cancel_transition: "true" }, "cancelTransition"],
  [{ environment: [] }, "environment"],
  [{ environment_template: 7 }, "environment_template"],
  [{ ports: {} }, "ports"],
  [{ docker_compose: [] }, "docker compose"],
  [{ new_docker_compose: "x" }, "new docker compose"],
  [{ docker_credentials: "x" }, "docker_credentials"],
])("%j is of the wrong kind", (changes, words) => {
  expect(() => ask(changes)).toThrow(new WireError(`failed to parse ${words}`));
});

describe("what this agent does not do is refused in one sentence, and is no error", () => {
  test.each<[object, string]>([
    [{ target_state: "BUILT" }, "this agent cannot bring an app to BUILT yet"],
    [{ target_state: "PUBLISHED" }, "this agent cannot bring an app to PUBLISHED yet"],
    [{ target_state: "FAILED" }, "this agent cannot bring an app to FAILED yet"],
    [{ target_state: "INHERIT" }, "this agent cannot bring an app to INHERIT yet"],
    [{ docker_compose: { services: {} } }, "this agent does not run compose apps yet"],
  ])("%j", (changes, why) => {
    expect(ask(changes)).toEqual({ is: "refused", why });
  });

  test("an update to the version that is here, or to none, or of what goes away, is no update", () => {
    expect(taken({ request_update: true })).toEqual(ORDER);
    expect(taken({ request_update: true, newest_version: "" })).toEqual(ORDER);
    expect(taken({ newest_version: "2", new_release_key: 12 })).toEqual({ ...ORDER, releases: { 2: 12 } });
    expect(taken({ request_update: true, newest_version: "2", target_state: "REMOVED" })).toMatchObject({
      target: "REMOVED",
    });
  });

  test("an update is the newest version with its release key; the one that is here keeps its own", () => {
    expect(taken({ request_update: true, newest_version: "2.0.0", new_release_key: 12 })).toEqual({
      ...ORDER,
      version: "2.0.0",
      releaseKey: 12,
      releases: { "1.0.0": 11 },
    });
  });

  test("who names no version that is here leaves it open", () => {
    expect(ask({ present_version: "" })).toMatchObject({ isVersionOpen: true, order: { version: "1.0.0" } });
    expect(ask({ present_version: "", request_update: true })).toMatchObject({ isVersionOpen: false });
  });

  test("a development app has one version, and of its variables the template's alone", () => {
    const asked = taken({
      stage: "DEV",
      environment: { A: { value: "1" } },
      environment_template: { B: { defaultValue: "2" } },
    });
    expect(asked).toMatchObject({ app: { stage: "DEV", key: 42 }, version: "latest" });
    expect(JSON.parse((asked as AppOrder).environment?.reveal() ?? "")).toEqual({ B: "2" });
  });

  test("credentials of an app and of registries", () => {
    const login = { username: "u", password: "p" };
    const asked = taken({
      instance_key: "7",
      app_cred_epoch: 2,
      docker_credentials: { "registry:5000": login, bad: { username: 1 } },
    }) as AppOrder;
    expect(asked).toMatchObject({ instanceKey: 7, credentialEpoch: 2 });
    expect(JSON.parse(asked.registries?.reveal() ?? "")).toEqual({ "registry:5000": login });
    expect(JSON.stringify(asked)).not.toContain('"p"');
  });

  test("an empty compose document is none", () => {
    expect(taken({ docker_compose: {} })).toEqual(ORDER);
  });
});

test("an instance key and an epoch that cannot be read are ignored, as are keys that nobody knows", () => {
  const strange = { instance_key: {}, app_cred_epoch: "x", zzz: 1, constructor: 7, toString: 8 };
  expect(taken(JSON.parse(`{"__proto__": {"stage": 7}, "x": ${"[".repeat(10_000)}${"]".repeat(10_000)}}`))).toEqual(
    ORDER,
  );
  expect(taken(strange)).toEqual(ORDER);
});

const FIELDS = [
  ...Object.keys(REQUEST),
  "manually_requested_state",
  "state",
  "account_id",
  "cancel_transition",
  "docker_compose",
  "new_docker_compose",
  "docker_credentials",
];
const strange = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(0, -0, 1e308, Number("1e400"), "NaN", "1e400", "", "x".repeat(1e5), null, [[[]]], { a: { b: {} } }),
  fc.constantFrom("RUNNING", "REMOVED", "PRESENT", "DEV", "7", "2.0.0", true),
  fc.integer(),
);

function expectOnlyWireErrors(kwargs: Record<string, unknown>): void {
  let asked: Asked;
  try {
    asked = parseAppRequest(kwargs);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    expect((error as WireError).message).toMatch(/^.{1,600}$/);
    return;
  }
  if (asked.is === "refused") return void expect(asked.why).toMatch(/^.{10,200}$/);
  const { app, name, target, version, releaseKey, requestor, owner } = asked.order;
  expect([["DEV", "PROD"].includes(app.stage), TARGETS.includes(target), APP_NAME.test(name)]).toEqual([
    true,
    true,
    true,
  ]);
  expect(app.key).toBeGreaterThan(0);
  for (const key of [app.key, releaseKey, requestor, owner]) expect(Number.isSafeInteger(key) && key >= 0).toBe(true);
  if (target === "RUNNING" || target === "PRESENT" || version !== "") expect(version).toMatch(/^\w[\w.-]{0,127}$/);
}

test("whatever stands in the fields: an order that is one, a refusal, or one sentence", () => {
  const changes = fc.dictionary(fc.constantFrom(...FIELDS), strange, { maxKeys: 5 });
  fc.assert(
    fc.property(changes, (some) => expectOnlyWireErrors({ ...REQUEST, ...some })),
    { numRuns: 2_000 },
  );
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), expectOnlyWireErrors));
});

describe("the list of desired states", () => {
  const row = (changes: object = {}) => ({ ...REQUEST, device_key: 31, account_key: 5, ...changes });

  test.each([[[]], [[null]], [["x"]], [[{}]], [[7]], [[true]]])("%j is no list, and says nothing at all", (args) => {
    expect(parseDesiredStates(args)).toBeUndefined();
  });

  test("an empty list is one", () => {
    expect(parseDesiredStates([[]])).toEqual({ orders: [], named: new Set(), unsupported: [], bad: [] });
  });

  test("one bad element among good ones is told and left out", () => {
    const list = [row(), null, "x", {}, [], row({ app_key: 7, app_name: "oven" }), row({ app_key: -1 })];
    const { orders, bad } = parseDesiredStates([list]) ?? { orders: [], bad: [] };
    expect(orders.map(({ order: { app } }) => app.key)).toEqual([42, 7]);
    expect(bad).toEqual([
      "element 1: is no row",
      "element 2: is no row",
      "element 3: missing from payload app_key",
      "element 4: is no row",
      "element 6: failed to parse app_key",
    ]);
  });

  test("rows of kinds that this agent does not handle are named", () => {
    const list = [
      row({ app_key: 7, docker_compose: { services: {} } }),
      row({ app_key: "8", stage: "DEV", target_state: "BUILT" }),
      row({ app_key: 9, app_name: 7 }),
    ];
    expect(parseDesiredStates([list])).toEqual({
      orders: [],
      named: new Set(["PROD:7", "DEV:8", "PROD:9"]),
      bad: ["element 2: failed to parse appName"],
      unsupported: [
        "element 0: this agent does not run compose apps yet",
        "element 1: this agent cannot bring an app to BUILT yet",
      ],
    });
  });

  test("rows of development apps change nothing, and say that they are there", () => {
    expect(parseDesiredStates([[row({ stage: "DEV" })]])).toEqual({
      orders: [],
      named: new Set(["DEV:42"]),
      unsupported: [],
      bad: [],
    });
  });

  test("a row says what shall be, a pending update too: a cancel and a current state change nothing", () => {
    const pending = { request_update: true, newest_version: "2", cancel_transition: true, current_state: null };
    const [asked] = parseDesiredStates([[row(pending)]])?.orders ?? [];
    expect(asked).toMatchObject({ cancels: false, order: { version: "2", releases: { "1.0.0": 11 } } });
  });

  test("of two rows about one app the later one counts, and it is told", () => {
    const { orders, bad } = parseDesiredStates([[row(), row({ target_state: "REMOVED" })]]) ?? {};
    expect(orders).toMatchObject([{ order: { target: "REMOVED" } }]);
    expect(bad).toEqual(["element 0: PROD:42 stands in element 1 too, which counts"]);
    expect(parseDesiredStates([[row(), row({ app_name: "" })]])?.orders.map(({ order }) => order)).toEqual([ORDER]);
  });

  test("an absurdly long list says nothing at all", () => {
    const rows = (length: number) => Array.from({ length }, (_, at) => row({ app_key: at + 1 }));
    expect(parseDesiredStates([rows(10_000)])?.orders).toHaveLength(10_000);
    expect(parseDesiredStates([rows(10_001)])).toBeUndefined();
  });

  test("whatever comes, nothing is thrown", () => {
    fc.assert(fc.property(fc.array(fc.jsonValue()), (args) => void parseDesiredStates(args)));
    const rows = fc.array(fc.dictionary(fc.constantFrom(...FIELDS), strange));
    fc.assert(fc.property(rows, (list) => void expect(parseDesiredStates([list])).toBeDefined()));
  });
});
