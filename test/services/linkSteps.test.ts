/** The way from WELCOME to online on a real router: order, payloads, and a back end that does not behave. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { LinkFact, LinkOrder } from "../../src/model/link.ts";
import { ADD_TESTAMENT, BACK_END, TESTAMENT_TOPIC } from "../../src/services/backEnd.ts";
import { MACHINE, METADATA, SERIAL, STATS, Wire } from "../support/wire.ts";

const NAME = (name: string) => `re.mgmt.${SERIAL}.${name}`;
const ONLINE = "linked.authenticated.online";

test("what is said from REGISTER to CONNECTED, in the original's order and with its payloads", async () => {
  await using w = await Wire.online();
  const { session } = w;
  const all = w.said.slice(2).map(({ type, uri, options, args }) => ({ type, uri, options, args }));
  const registrations = all.splice(5, 5);
  const status = (status: string) => ({
    type: "CALL",
    uri: BACK_END.status,
    options: {},
    args: [{ swarm_key: 2, device_key: 31, status, wamp_session_id: session, stats: STATS }],
  });
  const will = { swarm_key: 2, device_key: 31, serial_number: SERIAL, wamp_session_id: session };
  const call = (uri: string, ...args: unknown[]) => ({ type: "CALL", uri, options: {}, args });
  expect(all).toEqual([
    { type: "REGISTER", uri: NAME("wamp_connection_established"), options: {}, args: undefined },
    call(ADD_TESTAMENT, TESTAMENT_TOPIC, [will], {}),
    call(BACK_END.metadata, { device_key: 31 }),
    call(BACK_END.credentialKey),
    status("CONFIGURING"),
    call(BACK_END.architecture, {
      swarm_key: 2,
      device_key: 31,
      architecture: "amd64",
      os: MACHINE.os,
      arch: "amd64",
      variant: "",
      agent_version: "0.1.0",
    }),
    call(BACK_END.desiredStates, { device_key: 31 }),
    status("CONNECTED"),
  ]);
  expect(registrations.map(({ uri }) => uri).toSorted()).toEqual(
    ["device_handshake", "get_agent_metadata", "get_app_runs", "list_containers", "request_app_state"].map(NAME),
  );
  for (const { type, options } of registrations)
    expect([type, options]).toEqual(["REGISTER", { force_reregister: true }]);
  expect(Object.keys(STATS)).toHaveLength(12);
  expect(w.reports).toEqual(["link.closed", "link.up"]);
  expect(w.problems.ever).toEqual([]);
});

test("HELLO says realm and authid, and offers nothing but wampcra; the URL is dialled as it is", async () => {
  await using w = await Wire.make();
  const server = createServer();
  const urls: (string | undefined)[] = [];
  server.on("upgrade", ({ url }) => urls.push(url));
  await w.router.close();
  await w.router.listen({ server });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  Object.defineProperty(w.router, "url", { value: `ws://127.0.0.1:${port}/ws-re-dev` });
  w.actor.send({ type: "connection.start" });
  await expect.poll(() => w.raw.length).toBeGreaterThan(1);
  const [, realm, details] = w.raw[0] ?? [];
  expect([realm, details]).toMatchObject(["realm1", { authid: "2-31", authmethods: ["wampcra"] }]);
  expect(urls[0]).toBe("/ws-re-dev");
  w.actor.stop();
  server.close();
});

test("CONNECTED waits until every app's state was told, the list comes first", async () => {
  await using w = await Wire.make();
  const { promise, resolve } = Promise.withResolvers<void>();
  w.reported = () => promise;
  w.actor.send({ type: "connection.start" });
  await expect.poll(() => w.desired.length).toBe(1);
  expect(w.times(BACK_END.status)).toBe(1);
  resolve();
  await w.until(ONLINE);
  expect(w.times(BACK_END.status)).toBe(2);
});

const never = () => new Promise(() => {});
const fails = () => {
  throw new Error("no");
};
/** Name of the problem, procedure, and whether null and the like are good answers. */
const CALLS = [
  ["back_end.metadata", BACK_END.metadata, false],
  ["back_end.credential_key", BACK_END.credentialKey, false],
  ["back_end.status", BACK_END.status, true],
  ["back_end.architecture", BACK_END.architecture, true],
  ["back_end.desired_states", BACK_END.desiredStates, false],
] as const;
const ANSWERS = {
  null: () => null,
  garbage: () => ({ zzz: [[[]]], swarm_key: "x" }),
  "a number": () => 7,
  "nothing at all": () => undefined,
  "an error": fails,
  never,
} as const;

describe.each(CALLS)("%s", (about, procedure, takesAnything) => {
  test.each(Object.entries(ANSWERS))("answered with %s costs nothing but a problem", async (name, answer) => {
    await using w = await Wire.make({ within: 60 });
    w.answers[procedure] = answer;
    w.actor.send({ type: "connection.start" });
    await w.until(ONLINE);
    const { session } = w;
    const isBad = !takesAnything || name === "an error" || name === "never";
    expect([...w.problems.now.keys()]).toEqual(isBad ? [about] : []);
    if (!isBad) return;
    expect(w.problems.now.get(about)).toMatchObject({ code: "back_end_failed" });
    expect(w.problems.now.get(about)?.says).toContain(procedure);
    const before = w.times(procedure);
    await expect.poll(() => w.times(procedure), { interval: 5 }).toBeGreaterThan(before);
    delete w.answers[procedure];
    await expect.poll(() => [...w.problems.now.keys()], { timeout: 4_000, interval: 5 }).toEqual([]);
    expect(w.session).toBe(session);
    expect(w.state).toBe(ONLINE);
  });
});

test.each([["x"], [null], [{}]])(
  "a list of desired states with the element %j alone is told and removes nothing",
  async (row) => {
    await using w = await Wire.make();
    w.answers[BACK_END.desiredStates] = () => [row];
    w.actor.send({ type: "connection.start" });
    await w.until(ONLINE);
    expect(w.desired).toMatchObject([{ orders: [], bad: [expect.stringContaining("element 0: ")] }]);
  },
);

test("what fails is asked again, later each time", async () => {
  await using w = await Wire.make({ firstRetry: 30 });
  w.answers[BACK_END.architecture] = fails;
  w.actor.send({ type: "connection.start" });
  await expect.poll(() => w.times(BACK_END.architecture), { timeout: 4_000 }).toBeGreaterThan(4);
  const at = w.asked.get(BACK_END.architecture)?.map((each) => each.at) ?? [];
  const gaps = at.slice(1).map((time, n) => time - (at[n] ?? 0));
  for (const [n, gap] of gaps.entries()) expect(gap).toBeGreaterThan(30 * 2 ** n - 2);
});

test("a back end that lets one call time out is not waited for again on this link", async () => {
  await using w = await Wire.make({ within: 600 });
  for (const [, procedure] of CALLS) w.answers[procedure] = never;
  const begun = performance.now();
  w.actor.send({ type: "connection.start" });
  await w.until(ONLINE);
  expect(performance.now() - begun).toBeLessThan(5 * 600);
  await expect
    .poll(() => [...w.problems.now.keys()].toSorted(), { timeout: 4_000 })
    .toEqual(CALLS.map(([about]) => about).toSorted());
});

test("a status that is told again is never an older one", async () => {
  await using w = await Wire.make({ firstRetry: 150 });
  w.answers[BACK_END.status] = fails;
  w.actor.send({ type: "connection.start" });
  await w.until(ONLINE);
  await expect.poll(() => w.times(BACK_END.status), { timeout: 4_000 }).toBeGreaterThan(4);
  const told = w.asked.get(BACK_END.status)?.map(({ args }) => (args[0] as { status: string }).status) ?? [];
  expect(told[0]).toBe("CONFIGURING");
  expect(told.slice(1)).toEqual(told.slice(1).map(() => "CONNECTED"));
});

test("problems of a link are gone with it", async () => {
  await using w = await Wire.make({ firstRetry: 500 });
  w.answers[BACK_END.architecture] = fails;
  w.actor.send({ type: "connection.start" });
  await w.until(ONLINE);
  expect(w.problems.now.size).toBe(1);
  w.actor.send({ type: "connection.stop" });
  await w.until("offline");
  expect([...w.problems.now.keys()]).toEqual([]);
});

describe("another swarm", () => {
  const moved = () => ({ ...METADATA, swarm_key: "3" });

  test("is heard before anything is told with the old key, and dialled with the new one", async () => {
    await using w = await Wire.make();
    w.answers[BACK_END.metadata] = moved;
    w.actor.send({ type: "connection.start" });
    await w.until(ONLINE);
    expect(w.authid).toBe("3-31");
    expect(w.router.peers.some(({ authid }) => authid === "2-31")).toBe(false);
    const keys = w.asked.get(BACK_END.status)?.map(({ args }) => (args[0] as { swarm_key: number }).swarm_key);
    expect(keys).toEqual([3, 3]);
    expect(w.actor.getSnapshot().context.outage?.because).toBe("identity_changed");
  });

  test("that is heard late ends the link too", async () => {
    await using w = await Wire.make({ firstRetry: 200 });
    w.answers[BACK_END.metadata] = fails;
    w.actor.send({ type: "connection.start" });
    await w.until(ONLINE);
    w.answers[BACK_END.metadata] = moved;
    await expect.poll(() => w.authid, { timeout: 4_000 }).toBe("3-31");
    await w.until(ONLINE);
    expect(w.session).toBeGreaterThan(0);
  });
});

describe("heartbeat", () => {
  test("says CONNECTED for as long as the link is online, and no longer", async () => {
    await using w = await Wire.online({ heartbeatEvery: 40 });
    await expect.poll(() => w.times(BACK_END.status)).toBeGreaterThan(4);
    expect(w.asked.get(BACK_END.status)?.at(-1)?.args).toMatchObject([
      { status: "CONNECTED", wamp_session_id: w.session },
    ]);
    w.actor.send({ type: "connection.stop" });
    await w.until("offline");
    const [before, read] = [w.said.length, w.statsRead];
    w.actor.send({ type: "connection.start" });
    await w.until(ONLINE);
    const beats = () => w.said.slice(before).filter(({ uri }) => uri === BACK_END.status);
    await expect.poll(() => beats().length).toBeGreaterThan(6);
    expect(w.statsRead - read - beats().length).toBeLessThan(2);
    for (const { args } of beats()) expect(args).toMatchObject([{ wamp_session_id: w.session }]);
  });

  test("that is answered with an error is a problem, and the link stays", async () => {
    await using w = await Wire.online({ heartbeatEvery: 30, within: 500 });
    const { session } = w;
    w.answers[BACK_END.status] = () => {
      throw new Error("out of order");
    };
    await expect
      .poll(() => w.problems.ever.filter((about) => about === "back_end.heartbeat").length)
      .toBeGreaterThan(3);
    expect([w.session, w.state]).toEqual([session, ONLINE]);
    w.answers = {};
    await expect.poll(() => w.problems.now.size).toBe(0);
  });

  test("that is missed once is followed by a second at once, and an answer to that is fine", async () => {
    await using w = await Wire.online({ heartbeatEvery: 60, within: 60 });
    const { session } = w;
    let calls = 0;
    w.answers[BACK_END.status] = () => (++calls === 1 ? never() : null);
    await expect.poll(() => w.problems.ever.includes("back_end.heartbeat")).toBe(true);
    await expect.poll(() => w.problems.now.size).toBe(0);
    const [first, second] = (w.asked.get(BACK_END.status) ?? []).slice(-calls).map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeLessThan(60 + 1_000 + 60);
    expect([w.session, w.state]).toEqual([session, ONLINE]);
  });

  test("two that are missed: one new session, and no more of them for a while", async () => {
    await using w = await Wire.online({ heartbeatEvery: 30, within: 30 });
    const { session } = w;
    w.answers[BACK_END.status] = never;
    await expect.poll(() => w.lost.at(-1)).toBe("back_end_silent");
    await w.until(ONLINE);
    const renewed = w.session;
    expect(renewed).not.toBe(session);
    const noted = () => w.problems.ever.filter((about) => about === "back_end.heartbeat").length;
    const before = noted();
    await expect.poll(() => noted() - before, { timeout: 10_000 }).toBeGreaterThan(4);
    expect([w.session, w.state, w.lost]).toEqual([renewed, ONLINE, ["back_end_silent"]]);
  });

  test("once the while is over, two that are missed are a new session again", async () => {
    await using w = await Wire.online({ heartbeatEvery: 30, within: 30, renewEvery: 0 });
    w.answers[BACK_END.status] = never;
    await expect.poll(() => w.lost.length, { timeout: 10_000 }).toBeGreaterThan(1);
  });
});

describe("the presence procedure", () => {
  test("is there first, and is not taken by force: a second device is told so", async () => {
    await using w = await Wire.online();
    const facts: LinkFact[] = [];
    const second = w.hold(9, (fact) => facts.push(fact));
    const order = (type: LinkOrder["type"]) => second.receive({ type });
    await expect.poll(() => facts.at(-1)?.type).toBe("link.welcomed");
    order("link.claim");
    await expect.poll(() => facts.at(-1)?.type).toBe("link.conflicted");
    w.actor.send({ type: "connection.stop" });
    await w.until("offline");
    order("link.claim");
    await expect.poll(() => facts.at(-1)?.type).toBe("link.claimed");
    second.release();
  });

  test("says hello", async () => {
    await using w = await Wire.online();
    expect(await w.call(await w.as("system"), "wamp_connection_established")).toEqual({
      args: ["Hello :-)"],
      kwargs: {},
    });
  });
});

describe("DISCONNECTED is said by the testament", () => {
  test.each(["a cut", "a goodbye"])("after %s", async (end) => {
    await using w = await Wire.online();
    const { session } = w;
    if (end === "a cut") w.cut();
    else w.actor.send({ type: "connection.stop" });
    await expect
      .poll(() => w.wills)
      .toEqual([[{ swarm_key: 2, device_key: 31, serial_number: SERIAL, wamp_session_id: session }]]);
  });
});

test("a testament that cannot be left ends the link, with the router's own word", async () => {
  await using w = await Wire.make();
  const realm = w.router.realm();
  const meta = realm.meta.bind(realm);
  realm.meta = (procedure) => (procedure === ADD_TESTAMENT ? undefined : meta(procedure));
  w.actor.send({ type: "connection.start" });
  await expect
    .poll(() => w.actor.getSnapshot().context.outage, { interval: 1 })
    .toMatchObject({ ending: "lost", because: "wamp.error.no_such_procedure" });
  expect(w.times(BACK_END.metadata)).toBe(0);
  realm.meta = meta;
  await w.until(ONLINE);
});

describe("links come and go", () => {
  test("after a drop every registration is made again, and the testament, and calls are answered", async () => {
    await using w = await Wire.online();
    const before = w.session;
    const registered = () => w.said.filter(({ type }) => type === "REGISTER").map(({ uri }) => uri);
    expect(registered()).toHaveLength(6);
    w.cut();
    await expect.poll(() => w.reports).toEqual(["link.closed", "link.up", "link.down", "link.up"]);
    await w.until(ONLINE);
    expect(w.session).not.toBe(before);
    expect(registered().slice(6).toSorted()).toEqual(registered().slice(0, 6).toSorted());
    expect(w.said.filter(({ uri }) => uri === ADD_TESTAMENT)).toHaveLength(2);
    expect(await w.call(await w.as("system"), "device_handshake")).toMatchObject({ kwargs: { id: SERIAL } });
  });

  test("five drops in a row", async () => {
    await using w = await Wire.online();
    for (let drop = 1; drop <= 5; drop++) {
      w.cut();
      await expect.poll(() => w.reports.filter((type) => type === "link.up").length, { timeout: 8_000 }).toBe(drop + 1);
      await w.until(ONLINE);
    }
    expect(w.router.peers.filter(({ authid }) => authid === "2-31")).toHaveLength(1);
    expect(w.wills).toHaveLength(5);
  });

  test("a router that refuses twice is dialled a third time", async () => {
    await using w = await Wire.make();
    w.router.switches.upgrade = 503;
    w.actor.send({ type: "connection.start" });
    await expect.poll(() => w.actor.getSnapshot().context.outage?.failures, { interval: 1 }).toBeGreaterThan(1);
    delete w.router.switches.upgrade;
    await w.until(ONLINE);
    expect(w.actor.getSnapshot().context.attempt).toBeGreaterThan(2);
  });

  test("a stop during the dial is over at once, and nothing is left of it", async () => {
    await using w = await Wire.make();
    w.router.switches.upgrade = "hang";
    w.actor.send({ type: "connection.start" });
    await w.until("linked.connecting");
    w.actor.send({ type: "connection.stop" });
    w.actor.send({ type: "connection.stop" });
    const begun = performance.now();
    await w.until("offline");
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(w.reports.at(-1)).toBe("link.closed");
  });

  test("a wrong secret is said and waited out, and ends nothing", async () => {
    await using w = await Wire.make({ secret: "wrong" });
    w.actor.send({ type: "connection.start" });
    await w.until("waiting.rejected");
    expect(w.actor.getSnapshot().context.outage).toMatchObject({
      ending: "refused",
      because: "wamp.error.authentication_failed",
    });
  });

  test("the end of an older session takes nothing away from a newer one", async () => {
    await using w = await Wire.make();
    const steps = w.steps();
    const [first, second] = [await w.as("5"), await w.as("77")];
    await steps.identify(first);
    await steps.identify(second);
    first.close();
    await first.closed;
    expect(w.uplink.hasRoom()).toBe(true);
    second.close();
    await second.closed;
    expect(w.uplink.hasRoom()).toBe(false);
    await steps.identify(second);
    expect(w.uplink.hasRoom()).toBe(false);
  });
});
