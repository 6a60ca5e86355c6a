/** What the agent answers over a real router: forms of results and errors, who may ask, and input of every bad kind. */
import { describe, expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { CODE } from "../../src/model/wamp.ts";
import { BACK_END } from "../../src/services/backEnd.ts";
import { type QuestionOptions, questions } from "../../src/services/questions.ts";
import { SERIAL, Wire } from "../support/wire.ts";

const REQUEST = {
  app_key: 42,
  app_name: "weather",
  stage: "PROD",
  target_state: "RUNNING",
  current_state: "REMOVED",
  requestor_account_key: 5,
  release_key: 11,
  present_version: "1.0.0",
  newest_version: "1.0.0",
};
const PROCEDURES = ["device_handshake", "get_agent_metadata", "list_containers", "request_app_state"] as const;
const canceled = (error: string, code: string) => ({ uri: "wamp.error.canceled", args: [{ error }], kwargs: { code } });

describe("results", () => {
  test("device_handshake: kwargs with the time as RFC 3339 and the serial number", async () => {
    await using w = await Wire.online();
    expect(await w.call(await w.as("system"), "device_handshake")).toEqual({
      args: [],
      kwargs: { utp: "2023-11-14T22:13:20Z", id: SERIAL },
    });
  });

  test("get_agent_metadata: one object, and it says that it cannot update itself", async () => {
    await using w = await Wire.online();
    const { args, kwargs } = await w.call(await w.as("system"), "get_agent_metadata");
    expect([args, kwargs]).toEqual([
      [
        {
          os: "linux debian 12 6.1.0",
          arch: "amd64",
          variant: "",
          version: "0.1.0",
          serialNumber: SERIAL,
          canUpdate: false,
          OSVersion: "linux debian 12 6.1.0",
        },
      ],
      {},
    ]);
  });

  test("list_containers: one list, also an empty one", async () => {
    await using w = await Wire.online();
    const system = await w.as("system");
    expect(await w.call(system, "list_containers")).toEqual({ args: [[{ Id: "c1" }]], kwargs: {} });
    w.listContainers = async () => [];
    expect(await w.call(system, "list_containers", [{}])).toEqual({ args: [[]], kwargs: {} });
  });

  test("request_app_state: no arguments, and in kwargs what becomes of it", async () => {
    await using w = await Wire.online();
    const system = await w.as("system");
    expect(await w.call(system, "request_app_state", [], REQUEST)).toEqual({
      args: [],
      kwargs: { outcome: "now", why: "because" },
    });
    expect(w.orders).toMatchObject([{ app: { stage: "PROD", key: 42 }, target: "RUNNING", version: "1.0.0" }]);
  });

  test("what this agent does not do is a result too, and nothing is kept of it", async () => {
    await using w = await Wire.online();
    const asked = { ...REQUEST, target_state: "BUILT" };
    expect(await w.call(await w.as("system"), "request_app_state", [], asked)).toEqual({
      args: [],
      kwargs: { outcome: "refused", why: "this agent cannot bring an app to BUILT yet" },
    });
    expect(w.orders).toEqual([]);
  });

  test("a name that the agent does not have is the router's own error", async () => {
    await using w = await Wire.online();
    expect(await w.call(await w.as("system"), "query_app_logs")).toMatchObject({ uri: "wamp.error.no_such_procedure" });
  });
});

describe("who may", () => {
  test("the sentences of the original, and a code in the keyword arguments", async () => {
    await using w = await Wire.online();
    const nobody = await w.as("77");
    expect(await w.call(nobody, "list_containers", [{}])).toEqual(
      canceled("insufficient privileges to list containers", "not_permitted"),
    );
    expect(w.asked.get(BACK_END.privilege)?.map(({ args }) => args)).toEqual([
      [{ privilege: "READ", entity: "DEVICE", entity_key: 31, requestor_account_key: 77, swarm_key: 2 }],
    ]);
    expect(w.refused).toEqual(["77: list containers"]);
  });

  test("a request that is denied changes nothing, whoever else it names", async () => {
    await using w = await Wire.online();
    for (const authid of ["77", "app-33-prod-e1@x", "3-31"]) {
      const answer = await w.call(await w.as(authid), "request_app_state", [], REQUEST);
      expect(answer).toEqual(canceled("insufficient privileges to request app state", "not_permitted"));
    }
    expect(w.orders).toEqual([]);
    expect(await w.call(await w.as("5"), "request_app_state", [], REQUEST)).toMatchObject({
      kwargs: { outcome: "now" },
    });
  });

  test.each([
    ["an error", () => Promise.reject(new Error("no"))],
    ["null", () => null],
    ["nonsense", () => "yes"],
    ["never", () => new Promise(() => {})],
  ])(
    "a back end that answers %s cannot tell: that is another sentence than a denial, and nothing is done",
    async (_, answer) => {
      await using w = await Wire.online({ within: 100 });
      w.answers[BACK_END.privilege] = answer;
      const { uri, args, kwargs } = (await w.call(await w.as("5"), "request_app_state", [], REQUEST)) as {
        uri?: string;
        args: [{ error: string }];
        kwargs: object;
      };
      expect([uri, kwargs]).toEqual(["wamp.error.canceled", { code: "not_verified" }]);
      expect(args[0].error).toMatch(/^could not verify privileges: .*reswarm\.devices\.check_privilege/);
      expect(w.orders).toEqual([]);
    },
  );

  test("each question asks for its level before anything is done; on behalf of an account, in both forms, for that account", async () => {
    await using w = await Wire.make();
    const done: string[] = [];
    const levels = Object.entries(questions({} as QuestionOptions)).map(([name, { privilege }]) => [name, privilege]);
    w.questions = Object.fromEntries(
      Object.entries(questions({} as QuestionOptions)).map(([name, question]) => [
        name,
        { ...question, run: () => void done.push(name) },
      ]),
    );
    w.actor.send({ type: "connection.start" });
    await w.until("linked.authenticated.online");
    const guarded = levels.filter(([, privilege]) => privilege !== undefined);
    const [nobody, platform] = [await w.as("77"), await w.as("system")];
    for (const [name = ""] of guarded) {
      const denied = { kwargs: { code: "not_permitted" } };
      expect(await w.call(nobody, name, [{}]), name).toMatchObject(denied);
      expect(await w.call(platform, name, [{ requestor_account_key: 77 }]), name).toMatchObject(denied);
      expect(await w.call(platform, name, [{}], { requestor_account_key: "77" }), name).toMatchObject(denied);
    }
    expect(done).toEqual([]);
    for (const [name = ""] of levels) await w.call(platform, name, [{}]);
    expect(done).toEqual(levels.map(([name]) => name));
    expect(Object.fromEntries(levels)).toMatchObject({ prune_images: "MAINTAIN", query_app_logs: "READ" });
  });

  test("a device with a log-only rule lets through what it would refuse, and tells it", async () => {
    await using w = await Wire.online({ enforce: "log" });
    expect(await w.call(await w.as("77"), "list_containers")).toMatchObject({ args: [[{ Id: "c1" }]] });
    expect(w.refused).toEqual(["77: list containers"]);
  });

  test("the handshake is for everybody", async () => {
    await using w = await Wire.online();
    expect(await w.call(await w.as("app-33-prod-e1@x"), "device_handshake")).toMatchObject({ kwargs: { id: SERIAL } });
  });
});

describe("errors", () => {
  test.each<[string, Error, string, string]>([
    [
      "storage",
      new AgentError("storage_failed", "disk full"),
      "the agent cannot write to its disk: disk full",
      "storage_failed",
    ],
    ["a defect", new TypeError("x is not a function"), "a defect in the agent: x is not a function", "internal"],
  ])("%s: the original's URI and form, the code beside it, and it is told here too", async (_, error, text, code) => {
    await using w = await Wire.online();
    w.order = () => {
      throw error;
    };
    w.listContainers = () => Promise.reject(error);
    const system = await w.as("system");
    expect(await w.call(system, "request_app_state", [], REQUEST)).toEqual(canceled(text, code));
    expect(await w.call(system, "list_containers")).toEqual(canceled(text, code));
    expect(w.problems.ever).toEqual(["procedure request_app_state", "procedure list_containers"]);
  });

  test.each<[object, string]>([
    [{ app_key: 0 }, "missing from payload app_key"],
    [{ app_key: "x" }, "failed to parse app_key"],
    [{ app_name: "" }, "failed to parse appName"],
    [{ stage: "TEST" }, "constraint failed: CHECK constraint failed: stage IN ('DEV', 'PROD') (275)"],
    [{ requestor_account_key: "abc" }, 'strconv.Atoi: parsing "abc": invalid syntax'],
  ])("bad input %j of the platform: the original's words", async (changes, text) => {
    await using w = await Wire.online();
    const answer = await w.call(await w.as("system"), "request_app_state", [], { ...REQUEST, ...changes });
    expect(answer).toEqual(canceled(text, "bad_request"));
    expect([w.orders, w.problems.ever]).toEqual([[], []]);
  });

  test("an answer that is too long for the link is an error, and the link stays", async () => {
    await using w = await Wire.online();
    w.listContainers = async () => ["x".repeat(5 << 20)];
    const { session } = w;
    const answer = await w.call(await w.as("system"), "list_containers");
    expect(answer).toMatchObject({ uri: expect.stringMatching(/^wamp\.error\./) });
    expect(w.session).toBe(session);
  });
});

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const deepObject = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const whole = (changes: string) => `[],${JSON.stringify(REQUEST).slice(0, -1)},${changes}}`;

/** Positional and keyword arguments as text, since no encoder would let some of them pass. */
const BAD_INPUT: Record<string, string> = {
  nothing: "[]",
  null: "[null]",
  "a string": '["x"]',
  "an empty object": "[{}]",
  "null for arguments": "null,null",
  "no keyword argument that it knows": '[],{"zzz":1,"__proto__":{"a":1},"constructor":2}',
  "too large a number": whole('"app_key":1e400'),
  "a negative zero": whole('"app_key":-0'),
  "the word NaN": whole('"app_key":"NaN"'),
  "half a number": whole('"app_key":1.5'),
  "null for a name": whole('"app_name":null'),
  "a list for a name": whole('"app_name":[]'),
  "a path for a name": whole('"app_name":"../../etc"'),
  "a megabyte of a name": whole(`"app_name":"${"x".repeat(1 << 20)}"`),
  "8 megabytes that nobody needs": whole(`"zzz":"${"x".repeat(8 << 20)}"`),
  "100,000 keys": `[],{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":0`).join()}}`,
  "a list 10,000 deep": `[${deep(10_000)}]`,
  "an object 10,000 deep": whole(`"environment":${deepObject(10_000)}`),
  "an object 200 deep": whole(`"environment":${deepObject(200)}`),
  "lone surrogates": whole('"app_name":"\\ud800"'),
};

describe.each(PROCEDURES)("%s", (name) => {
  test("lives through input of every bad kind, with one sentence at most", async () => {
    await using w = await Wire.online();
    const { session } = w;
    for (const [kind, payload] of Object.entries(BAD_INPUT)) {
      const [type, , , , uri, args, kwargs] = await w.invoke(name, payload);
      if (type === CODE.yield) continue;
      expect([kind, uri, args, kwargs]).toEqual([
        kind,
        "wamp.error.canceled",
        [{ error: expect.stringMatching(/^.{10,600}$/) }],
        { code: "bad_request" },
      ]);
    }
    expect([w.orders, w.problems.ever, w.session]).toEqual([[], [], session]);
  });
});

test("absurd arguments are told as what they are", async () => {
  await using w = await Wire.online();
  const sentence = async (payload: string) => JSON.stringify((await w.invoke("device_handshake", payload))[5]);
  expect(await sentence(`[${deep(10_000)}]`)).toBe('[{"error":"the arguments are nested too deeply"}]');
  expect(await sentence(`["${"x".repeat(2 << 20)}"]`)).toBe('[{"error":"the arguments are too long"}]');
  expect((await w.invoke("device_handshake", `[${deep(100)}]`))[0]).toBe(CODE.yield);
  expect((await w.invoke("device_handshake", `[${deep(101)}]`))[0]).toBe(CODE.error);
});

test("callers who are nobody, or hostile, get the sentence and not the list", async () => {
  await using w = await Wire.online();
  for (const caller of ["", "2-31", "system ", "5\u0000", "x".repeat(10_000)]) {
    const [type, , , , uri] = await w.invoke("list_containers", "[]", caller);
    expect([type, uri]).toEqual([CODE.error, "wamp.error.canceled"]);
  }
});

test("calls run beside each other: one that hangs holds nobody up", async () => {
  await using w = await Wire.online();
  const held = Promise.withResolvers<unknown[]>();
  w.listContainers = () => held.promise;
  const system = await w.as("system");
  const first = w.call(system, "list_containers");
  expect(await w.call(system, "device_handshake")).toMatchObject({ kwargs: { id: SERIAL } });
  held.resolve([1]);
  expect(await first).toMatchObject({ args: [[1]] });
});
