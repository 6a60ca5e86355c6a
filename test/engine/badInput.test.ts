/** The whole daemon under nonsense: from callers of its procedures, and from a back end that is not itself. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Status } from "../../src/model/status.ts";
import { BACK_END } from "../../src/services/backEnd.ts";
import { ask } from "../../src/services/controlClient.ts";
import type { Session } from "../../src/services/wampSession.ts";
import type { AgentProcess } from "../../src/studio/agentProcess.ts";
import { MiniRouter } from "../../src/studio/router/minirouter.ts";
import { dial } from "../support/link.ts";
import { goes, hears, isDevice, type Stage, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; while true; do sleep 1; done";

let s: Stage;
let agent: AgentProcess;
let operator: Session;
beforeAll(async () => {
  s = await startStage({ env: { REAGENT_CONTAINERS_STOP_GRACE: "1" } });
  await s.publish("1.0.0", FOREVER);
  agent = s.startAgent();
  await s.see("connected", isDevice("CONNECTED"));
  await s.see("running", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  const { authid, secret } = s.operator();
  operator = await dial(s.routerUrl(), { authid, readSecret: () => secret }).joined;
});
afterAll(async () => {
  operator.close();
  await s[Symbol.asyncDispose]();
});

const status = async () => Status.parse(await ask(join(s.home, "reagent.sock"), "status"));
const containers = async () =>
  (await s.engine.containers([`io.reagent.app-key=${s.key}`])).map(({ Id, State }) => ({ Id, State }));

/** Every row, read from a copy, so that the agent's own file is not touched. */
function rows() {
  for (const ending of ["", "-wal", "-shm"])
    copyFileSync(join(s.home, `agent.db${ending}`), join(s.folder, `copy.db${ending}`));
  const database = new DatabaseSync(join(s.folder, "copy.db"));
  const found = database.prepare("SELECT * FROM apps ORDER BY app_key").all();
  database.close();
  return found;
}

const deep = (levels: number): unknown => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
const GOOD = () => ({
  app_key: s.key,
  app_name: "weather",
  stage: "PROD",
  target_state: "REMOVED",
  current_state: "RUNNING",
  requestor_account_key: 5,
  present_version: "1.0.0",
});

const BAD: readonly [
  string,
  (good: ReturnType<typeof GOOD>) => { args?: unknown[]; kwargs: Record<string, unknown> },
][] = [
  ["nothing at all", () => ({ kwargs: {} })],
  ["null for each key", (good) => ({ kwargs: Object.fromEntries(Object.keys(good).map((key) => [key, null])) })],
  ["the keys as one argument", (good) => ({ args: [good], kwargs: {} })],
  ["no app_key", ({ app_key: _, ...rest }) => ({ kwargs: rest })],
  ["app_key 0", (good) => ({ kwargs: { ...good, app_key: 0 } })],
  ["app_key as NaN's name", (good) => ({ kwargs: { ...good, app_key: "NaN" } })],
  ["app_key beyond all numbers", (good) => ({ kwargs: { ...good, app_key: 1e300 } })],
  ["app_key as a list", (good) => ({ kwargs: { ...good, app_key: [s.key] } })],
  ["app_name that leaves its folder", (good) => ({ kwargs: { ...good, app_name: "../../etc" } })],
  ["app_name of 100,000 letters", (good) => ({ kwargs: { ...good, app_name: "x".repeat(100_000) } })],
  ["stage nobody knows", (good) => ({ kwargs: { ...good, stage: "TEST" } })],
  ["target nobody knows", (good) => ({ kwargs: { ...good, target_state: "FLYING" } })],
  ["target as an object", (good) => ({ kwargs: { ...good, target_state: { is: "REMOVED" } } })],
  ["state nobody knows", (good) => ({ kwargs: { ...good, current_state: "" } })],
  ["version that is no tag", (good) => ({ kwargs: { ...good, present_version: "1.0.0; rm -rf /" } })],
  ["ports as a word", (good) => ({ kwargs: { ...good, ports: "x" } })],
  ["lists in lists in the place of an environment", (good) => ({ kwargs: { ...good, environment: deep(50) } })],
  ["two megabytes", (good) => ({ kwargs: { ...good, environment: { A: { value: "x".repeat(2 << 20) } } } })],
  ["an account that is no number", (good) => ({ kwargs: { ...good, device_owner_account_key: "abc" } })],
];

test.each(BAD)(
  "request_app_state with %s: the original's error, nothing kept, link and process up",
  async (_, make) => {
    const before = rows();
    const { args = [], kwargs } = make(GOOD());
    const error = await operator.call(`re.mgmt.${s.identity.serial_number}.request_app_state`, args, kwargs).then(
      () => expect.fail("it was accepted"),
      (thrown: unknown) => thrown as { uri: string; args: unknown[] },
    );
    expect(error).toMatchObject({ uri: "wamp.error.canceled", args: [{ error: expect.stringMatching(/^.{5,400}$/) }] });
    expect(rows()).toEqual(before);
    expect((await status()).pid).toBe(agent.pid);
  },
);

test.each(["device_handshake", "get_agent_metadata", "list_containers", "wamp_connection_established"])(
  "%s does not mind what it is given",
  async (name) => {
    for (const args of [[], [null], ["x"], [{}], [deep(50)], Array(1_000).fill(7)])
      await operator.call(`re.mgmt.${s.identity.serial_number}.${name}`, args, { unknown: true });
    expect((await status()).link.state).toBe("linked.authenticated.online");
  },
);

test("unknown keys are let be, and what this agent does not do is a result that says so", async () => {
  const asked = { ...GOOD(), target_state: "BUILT", more: [1, 2, 3] };
  const before = rows();
  const { kwargs } = await operator.call(`re.mgmt.${s.identity.serial_number}.request_app_state`, [], asked);
  expect(kwargs).toMatchObject({ outcome: "refused", why: expect.any(String) });
  expect(rows()).toEqual(before);
});

describe("a back end that is not itself", () => {
  let router: MiniRouter;
  let answer: () => unknown = () => null;
  beforeAll(async () => {
    const { swarm_key, device_key, secret } = s.identity;
    router = await new MiniRouter({
      users: {
        [`${swarm_key}-${device_key}`]: { method: "wampcra", secret, role: "device" },
        system: { method: "wampcra", secret: "x", role: "operator" },
      },
    }).listen();
    const session = await dial(router.url, { authid: "system", readSecret: () => "x" }).joined;
    for (const uri of Object.values(BACK_END)) await session.register(uri, () => answer());
  });
  afterAll(() => router.close({ goodbye: false }));

  test.each<[string, () => unknown]>([
    ["null", () => null],
    ["garbage", () => ({ very: ["odd", -1, { a: null }] })],
    ["an empty result", () => undefined],
    ["a list with nonsense in it", () => [null, "x", {}, { app_key: -1 }]],
    [
      "an error",
      () => {
        throw new Error("out of order");
      },
    ],
    ["nothing, ever", () => new Promise(() => {})],
  ])("answers %s: nothing local stops, nothing is deleted, and the status shows it", async (_, says) => {
    const before = { rows: rows(), containers: await containers() };
    answer = says;
    const port = Number(new URL(router.url).port);
    await s.see("online all the same", goes("connection", /online$/), () => s.line.lead(port), 45_000);
    const { problems, apps } = await status();
    expect(
      problems.filter(({ about }) => about.startsWith("back_end.") || about.startsWith("desired_states.")).length,
    ).toBeGreaterThan(0);
    expect(apps).toMatchObject([{ key: s.key, state: expect.stringMatching(/^active\.running/) }]);
    expect({ rows: rows(), containers: await containers() }).toEqual(before);
  });

  test("with a good back end again every problem goes away", async () => {
    const port = Number(new URL(s.routerUrl()).port);
    await s.see("online", goes("connection", /online$/), () => s.line.lead(port), 45_000);
    await s.see("told", hears(s.key, "RUNNING"));
    expect((await status()).problems).toEqual([]);
  });
});
