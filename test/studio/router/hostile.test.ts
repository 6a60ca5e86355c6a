/** What a client says that means harm: it may lose its own link, and hurts neither the process nor anybody else. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Session } from "../../../src/services/wampSession.ts";
import { LIMITS } from "../../../src/studio/router/limits.ts";
import { EVERYTHING, type MiniRouter, type Roles } from "../../../src/studio/router/minirouter.ts";
import { dial, startRouter, USERS } from "../../support/link.ts";
import { RawClient } from "../rawClient.ts";

const ROLES: Roles = {
  device: [
    { uri: "dev.{serial}.", match: "prefix", allow: ["register", "publish", "subscribe", "call"] },
    { uri: "wamp.", match: "prefix", allow: ["call", "subscribe"] },
  ],
  operator: EVERYTHING,
};

let router: MiniRouter;
const undo: (() => unknown)[] = [];
beforeEach(async () => {
  const users = {
    ...USERS,
    evil: { method: "wampcra", secret: "evil", role: "device", serial: "s-1" },
    op: { method: "wampcra", secret: "op", role: "operator" },
  } as const;
  router = await startRouter({ users, roles: ROLES, origins: ["http://studio.local"] });
});
afterEach(async () => {
  for (const step of undo.splice(0)) step();
  await router.close({ goodbye: false });
});
async function join(authid: string, secret: string): Promise<Session> {
  const session = await dial(router.url, { authid, readSecret: () => secret }).joined;
  undo.push(() => session.close());
  return session;
}
function raw(headers?: Record<string, string>): RawClient {
  const client = new RawClient(router.url, headers);
  undo.push(() => client.ws.terminate());
  return client;
}
const evil = () => raw().join("evil", "evil");
const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const NO_TEXT = { toString: 1, valueOf: 1 };

test.each([
  ["no JSON", "{"],
  ["no message", "null"],
  ["a dict", "{}"],
  ["an empty list", "[]"],
  ["a realm that is no text", [1, NO_TEXT, {}]],
  ["methods that are no texts", [1, "realm1", { authid: "evil", authmethods: [NO_TEXT, [NO_TEXT]] }]],
  ["details that are none", [1, "realm1", 7]],
  ["very deep lists", deep(200_000)],
  ["more than a stranger may say", [1, "realm1", { pad: "x".repeat(LIMITS.stranger) }]],
])("%s instead of HELLO costs the speaker its link, and nobody else", async (_, frame) => {
  const bystander = await join("op", "op");
  const client = raw();
  await client.say(frame);
  await client.closed;
  expect((await bystander.call("wamp.session.count")).args).toEqual([1]);
});

test.each(["__proto__", "constructor", "toString", "nobody"])("%s is a user like any unknown one", async (authid) => {
  const client = raw();
  await client.say([1, "realm1", { authid, authmethods: ["wampcra"] }]);
  await client.hears(([type]) => type === 4);
  await client.say([5, "", {}]);
  await client.closed;
  expect(client.heard.at(-1)).toMatchObject([3, {}, "wamp.error.authentication_failed"]);
});

test("an answer to the challenge that is no text is a wrong one", async () => {
  const client = raw();
  await client.say([1, "realm1", { authid: "evil", authmethods: ["wampcra"] }]);
  await client.hears(([type]) => type === 4);
  await client.say([5, NO_TEXT, {}]);
  await client.closed;
  expect(client.heard.at(-1)).toMatchObject([3, {}, "wamp.error.authentication_failed"]);
});

test.each([
  ["a call of what is no text", [48, 7, {}, NO_TEXT]],
  ["a call by the name of what every object has", [48, 7, {}, "constructor"]],
  ["a call by a name without end", [48, 7, {}, "a".repeat(100_000)]],
  ["a subscription to what is no text", [32, 7, NO_TEXT, NO_TEXT]],
  ["a subscription that matches in an unheard-of way", [32, 7, { match: NO_TEXT }, NO_TEXT]],
  ["a registration of null", [64, 7, null, null]],
  ["an unsubscription of what is no number", [34, 7, NO_TEXT]],
  ["an unregistration of what is no number", [66, 7, NO_TEXT]],
  ["a publication to what is no text", [16, 7, { acknowledge: true }, NO_TEXT]],
  ["a meta call with arguments of no kind", [48, 7, {}, "wamp.session.get", [NO_TEXT]]],
  ["a testament without a topic", [48, 7, {}, "wamp.session.add_testament", [NO_TEXT]]],
])("%s is answered with an ERROR, and the link goes on", async (_, frame) => {
  const client = await evil();
  await client.say(frame);
  const answer = await client.hears(([type]) => type === 8);
  expect(answer.slice(0, 5)).toEqual([8, (frame as number[])[0], 7, {}, expect.stringMatching(/^wamp\.error\./)]);
  await client.say([48, 8, {}, "wamp.session.count"]);
  expect(await client.hears(([type, request]) => type === 50 && request === 8)).toEqual([50, 8, {}, [1]]);
});

test("a testament reaches no topic that its author may not publish to, and cannot speak for the router", async () => {
  const session = await join("evil", "evil");
  const will = (topic: string) => session.call("wamp.session.add_testament", [topic, [], {}]);
  await will("dev.s-1.gone");
  await expect(will("dev.s-2.gone")).rejects.toMatchObject({ uri: "wamp.error.not_authorized" });
  await expect(will("wamp.session.on_leave")).rejects.toMatchObject({ uri: "wamp.error.invalid_uri" });
});

test("a testament that is too deep to be told again costs its author the link, and nobody the process", async () => {
  const [client, bystander] = [await evil(), await join("op", "op")];
  await bystander.subscribe("dev.s-1.gone", () => {});
  await client.say(`[48,1,{},"wamp.session.add_testament",["dev.s-1.gone",[${deep(200_000)}],{}]]`);
  await client.say([6, {}, "wamp.close.normal"]);
  await client.closed;
  await expect.poll(() => router.peers.length).toBe(1);
  expect((await bystander.call("wamp.session.count")).args).toEqual([1]);
});

test("nobody can leave a pile of testaments, or a very large one", async () => {
  const session = await join("evil", "evil");
  const will = (text: string) => session.call("wamp.session.add_testament", ["dev.s-1.gone", [text], {}]);
  await expect(will("x".repeat(LIMITS.testament))).rejects.toMatchObject({ code: "refused" });
  for (let count = 0; count < LIMITS.testaments; count++) await will("x");
  await expect(will("x")).rejects.toMatchObject({ uri: "router.error.too_many" });
});

test("subscriptions, registrations and open calls of one client have an end; those of another are its own", async () => {
  const [greedy, other] = [await join("op", "op"), await join("op", "op")];
  const many = (count: number, one: (n: number) => Promise<unknown>) => Promise.all([...Array(count).keys()].map(one));
  const tooMany = { uri: "router.error.too_many" };
  await many(LIMITS.subscriptions, (n) => greedy.subscribe(`t.${n}`, () => {}));
  await expect(greedy.subscribe("t.more", () => {})).rejects.toMatchObject(tooMany);
  await many(LIMITS.registrations, (n) => greedy.register(`p.${n}`, () => 1));
  await expect(greedy.register("p.more", () => 1)).rejects.toMatchObject(tooMany);
  await other.subscribe("t.more", () => {});
  await other.register("p.more", () => 1);
});

test("calls that nobody answers have an end, and what the callee answers makes room again", async () => {
  const silent = await evil();
  await silent.say([64, 1, {}, "dev.s-1.black.hole"]);
  await silent.hears(([type]) => type === 65);
  const caller = await raw().join("op", "op");
  for (let n = 1; n <= LIMITS.calls + 1; n++) await caller.say([48, n, {}, "dev.s-1.black.hole"]);
  const refused = await caller.hears(([type]) => type === 8);
  expect(refused.slice(0, 5)).toEqual([8, 48, LIMITS.calls + 1, {}, "router.error.too_many"]);
  const [, invocation] = await silent.hears(([type]) => type === 68);
  await silent.say([70, invocation, {}]);
  await caller.hears(([type]) => type === 50);
  await caller.say([48, 99_999, {}, "wamp.session.count"]);
  await caller.hears(([type, request]) => type === 50 && request === 99_999);
  await caller.say([48, 99_998, {}, "dev.s-1.black.hole"]);
  await silent.hears(([type, id]) => type === 68 && id === Number(invocation) + LIMITS.calls);
});

test.each([
  ["an ERROR whose name is no text", (id: unknown) => [8, 68, id, {}, NO_TEXT, 7, 8], "wamp.error.runtime_error"],
  ["an ERROR without a name", (id: unknown) => [8, 68, id], "wamp.error.runtime_error"],
])("%s reaches the caller as one that it can read", async (_, answer, uri) => {
  const [callee, caller] = [await evil(), await join("op", "op")];
  await callee.say([64, 1, {}, "dev.s-1.a"]);
  await callee.hears(([type]) => type === 65);
  const asked = caller.call("dev.s-1.a");
  const [, invocation] = await callee.hears(([type]) => type === 68);
  await callee.say(answer(invocation));
  await expect(asked).rejects.toMatchObject({ code: "refused", uri });
  expect(caller.isJoined).toBe(true);
});

test("a YIELD of no known form reaches the caller as an empty result", async () => {
  const [callee, caller] = [await evil(), await join("op", "op")];
  await callee.say([64, 1, {}, "dev.s-1.a"]);
  await callee.hears(([type]) => type === 65);
  const asked = caller.call("dev.s-1.a");
  const [, invocation] = await callee.hears(([type]) => type === 68);
  await callee.say([70, invocation, 7, "no list", "no dict"]);
  expect((await asked).args).toEqual([null]);
});

test("who does not read is cut off before what waits for it fills the memory", async () => {
  const client = await evil();
  client.ws.pause();
  const peer = router.peer("evil");
  const event = [36, 1, 1, {}, ["x".repeat(8 << 20)]];
  for (let sent = 0; sent < 2 * LIMITS.backlog; sent += 8 << 20) peer.send(event);
  await expect.poll(() => router.peers.length).toBe(0);
});

test("a rule with {serial} is for the device of that serial, and for nobody without one", async () => {
  const [device, nobody] = [await join("evil", "evil"), await join("dev1", "s3cret")];
  await device.register("dev.s-1.a", () => 1);
  const denied = { uri: "wamp.error.not_authorized" };
  await expect(device.register("dev.s-10.a", () => 1)).rejects.toMatchObject(denied);
  await expect(nobody.register("dev.{serial}.a", () => 1)).rejects.toMatchObject(denied);
});

test("a page of another origin gets no connection; the studio's own and a program do", async () => {
  const foreign = raw({ origin: "http://evil.example" });
  await foreign.closed;
  expect(router.peers).toEqual([]);
  await raw({ origin: "http://studio.local" }).join("evil", "evil");
  await evil();
});
