/** The embedded router: what agents and back ends rely on, and what the guards of the client hide otherwise. */
import { afterEach, beforeEach, expect, test } from "vitest";
import WebSocket from "ws";
import type { Session } from "../../../src/services/wampSession.ts";
import type { SessionOptions } from "../../../src/services/wampSessionOptions.ts";
import type { MiniRouter, Roles } from "../../../src/studio/router/minirouter.ts";
import { dial, startRouter, USERS } from "../../support/link.ts";

const ROLES: Roles = {
  device: [
    { uri: "dev.{authid}.", match: "prefix", allow: ["register", "publish", "subscribe"] },
    { uri: "dev.", match: "prefix", allow: ["call"], disclose: true },
    { uri: "wamp.", match: "prefix", allow: ["call", "subscribe"] },
  ],
  operator: [{ uri: "", match: "prefix", allow: ["call", "subscribe", "publish"] }],
};

let router: MiniRouter;
let sessions: Session[] = [];
const undo: (() => unknown)[] = [];
beforeEach(async () => {
  const users = { ...USERS, op: { method: "wampcra", secret: "op", role: "operator" } } as const;
  router = await startRouter({ users, roles: ROLES, joinWithin: 150 });
});
afterEach(async () => {
  for (const session of sessions) session.close();
  sessions = [];
  for (const step of undo.splice(0)) step();
  await router.close({ goodbye: false });
});
async function join(authid: string, secret: string, options: Partial<SessionOptions> = {}): Promise<Session> {
  const session = await dial(router.url, { authid, readSecret: () => secret, ...options }).joined;
  sessions.push(session);
  return session;
}
const dev1 = () => join("dev1", "s3cret");
const dev2 = () => join("dev2", "s3cret2");
const listen = async (session: Session, topic: string) => {
  const heard: unknown[][] = [];
  await session.subscribe(topic, (args) => heard.push(args));
  return heard;
};

test("a salted user", async () => {
  expect((await join("salted", "pw")).isJoined).toBe(true);
});

test("rules: own URIs only, {authid} put in, no wildcard around them", async () => {
  const session = await dev1();
  await session.register("dev.dev1.state.get", () => 1);
  const denied = { code: "refused", uri: "wamp.error.not_authorized" };
  await expect(session.register("dev.dev10.state.get", () => 1)).rejects.toMatchObject(denied);
  await expect(session.subscribe("dev..logs", () => 1, { match: "wildcard" })).rejects.toMatchObject(denied);
  await expect(session.subscribe("dev.", () => 1, { match: "prefix" })).rejects.toMatchObject(denied);
  await expect(session.publishAcknowledged("dev.dev2.status")).rejects.toMatchObject(denied);
  await expect(session.call("other.thing")).rejects.toMatchObject(denied);
});

test("the caller is disclosed where the rule says so", async () => {
  const session = await dev1();
  await session.register("dev.dev1.who", (_, __, { caller }) => caller);
  expect((await (await dev2()).call("dev.dev1.who")).args[0]).toMatchObject({ authid: "dev2", authrole: "device" });
  expect((await (await join("op", "op")).call("dev.dev1.who")).args[0]).toEqual({});
});

test("exact, prefix and wildcard subscriptions each get their event, with the topic", async () => {
  const [operator, session] = [await join("op", "op"), await dev1()];
  const heard: string[] = [];
  await operator.subscribe("dev.dev1.a", (_, __, { topic }) => heard.push(`exact ${topic}`));
  await operator.subscribe("dev.", (_, __, { topic }) => heard.push(`prefix ${topic}`), { match: "prefix" });
  await operator.subscribe("dev..a", (_, __, { topic }) => heard.push(`wildcard ${topic}`), { match: "wildcard" });
  await session.publishAcknowledged("dev.dev1.a");
  await expect.poll(() => heard.sort()).toEqual(["exact dev.dev1.a", "prefix dev.dev1.a", "wildcard dev.dev1.a"]);
});

test("who listens: wamp.subscription.match, on_create, on_delete", async () => {
  const [session, operator] = [await dev1(), await join("op", "op")];
  const [created, deleted] = [
    await listen(session, "wamp.subscription.on_create"),
    await listen(session, "wamp.subscription.on_delete"),
  ];
  expect((await session.call("wamp.subscription.match", ["dev.dev1.logs"])).args).toEqual([null]);
  const off = await operator.subscribe("dev.dev1.logs", () => {});
  expect((await session.call("wamp.subscription.match", ["dev.dev1.logs"])).args).toEqual([[expect.any(Number)]]);
  await off();
  await expect.poll(() => deleted).toHaveLength(1);
  const mine = created.filter(([, about]) => (about as { uri: string }).uri === "dev.dev1.logs");
  expect(mine).toMatchObject([[expect.any(Number), { uri: "dev.dev1.logs", match: "exact" }]]);
});

test("a subscriber that is cut off deletes its subscription too", async () => {
  const [session, operator] = [await dev1(), await join("op", "op")];
  const deleted = await listen(session, "wamp.subscription.on_delete");
  await operator.subscribe("dev.dev1.logs", () => {});
  router.peer("op").ws.terminate();
  await expect.poll(() => deleted).toHaveLength(1);
});

test("registration events, also when the callee is cut off", async () => {
  const [watcher, session] = [await join("op", "op"), await dev1()];
  const names = ["on_create", "on_register", "on_unregister", "on_delete"];
  const heard: string[] = [];
  for (const name of names) await watcher.subscribe(`wamp.registration.${name}`, () => heard.push(name));
  const off = await session.register("dev.dev1.a", () => 1);
  await off();
  await session.register("dev.dev1.b", () => 1);
  router.peer("dev1").ws.terminate();
  await expect.poll(() => heard).toEqual([...names, ...names]);
});

test("the testament speaks after a cut and after a clean leave, not after a flush", async () => {
  const operator = await join("op", "op");
  const heard = await listen(operator, "dev.dev1.status");
  const will = (session: Session) => session.call("wamp.session.add_testament", ["dev.dev1.status", ["gone"], {}]);
  const [cut, polite, flushed] = [await dev1(), await dev1(), await dev1()];
  for (const session of [cut, polite, flushed]) await will(session);
  await flushed.call("wamp.session.flush_testaments");
  await flushed.leave();
  await polite.leave();
  cut.close();
  await expect.poll(() => heard).toEqual([["gone"], ["gone"]]);
});

test("kill by authid", async () => {
  const [operator, device] = [await join("op", "op"), await dev1()];
  expect((await operator.call("wamp.session.kill_by_authid", ["dev1"])).args).toEqual([1]);
  await device.closed;
});

test("who never says HELLO, or never proves it, is sent away", async () => {
  const raw = new WebSocket(router.url, ["wamp.2.json"]);
  undo.push(() => raw.terminate());
  const first = await new Promise((resolve) => raw.on("message", (data) => resolve(JSON.parse(String(data)))));
  expect(first).toMatchObject([3, {}, "wamp.error.authentication_failed"]);
});

test("a message before WELCOME, and after it one of no known type, is a violation", async () => {
  const raw = new WebSocket(router.url, ["wamp.2.json"]);
  undo.push(() => raw.terminate());
  raw.on("open", () => raw.send('[48,1,{},"a.b"]'));
  const first = await new Promise((resolve) => raw.on("message", (data) => resolve(JSON.parse(String(data)))));
  expect(first).toMatchObject([3, {}, "wamp.error.protocol_violation"]);
});
