/** Calls, procedures, topics: each settles, none can hurt the link. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { autobahn } from "../../src/services/autobahnQuiet.ts";
import { payload, Refusal } from "../../src/services/wampEndpoint.ts";
import type { Session } from "../../src/services/wampSession.ts";
import type { SessionOptions } from "../../src/services/wampSessionOptions.ts";
import type { MiniRouter } from "../../src/studio/router/minirouter.ts";
import { dial, type Line, startRouter } from "../support/link.ts";

let router: MiniRouter;
let lines: Line[] = [];
beforeEach(async () => {
  router = await startRouter();
});
afterEach(async () => {
  for (const { session } of lines) session.close();
  await Promise.all(lines.map(({ session }) => session.closed));
  lines = [];
  await router.close({ goodbye: false });
});

async function join(authid: "dev1" | "dev2" = "dev1", options: Partial<SessionOptions> = {}): Promise<Session> {
  const line = dial(router.url, { authid, readSecret: () => (authid === "dev1" ? "s3cret" : "s3cret2"), ...options });
  lines.push(line);
  return line.joined;
}

test("one value, several values, nothing, an error, a refusal", async () => {
  const [callee, caller] = [await join(), await join("dev2")];
  await callee.register("a.one", (args) => args[0]);
  await callee.register("a.many", (args, kwargs) => payload(args, kwargs));
  await callee.register("a.none", () => undefined);
  await callee.register("a.broken", () => {
    throw new TypeError("the disk is full");
  });
  await callee.register("a.refused", async () => {
    throw new Refusal("reagent.not_now", ["later"], { after: 5 });
  });
  expect(await caller.call("a.one", [[1, 2]])).toEqual({ args: [[1, 2]], kwargs: {} });
  expect(await caller.call("a.many", [1, 2], { x: 3 })).toEqual({ args: [1, 2], kwargs: { x: 3 } });
  expect(await caller.call("a.none")).toEqual({ args: [null], kwargs: {} });
  await expect(caller.call("a.broken")).rejects.toMatchObject({
    code: "refused",
    uri: "wamp.error.runtime_error",
    args: ["the disk is full"],
  });
  await expect(caller.call("a.refused")).rejects.toMatchObject({
    uri: "reagent.not_now",
    args: ["later"],
    kwargs: { after: 5 },
  });
  await expect(caller.call("a.nobody")).rejects.toMatchObject({ code: "refused", uri: "wamp.error.no_such_procedure" });
  expect(lines[0]?.problems.map(([what]) => what)).toEqual(["procedure a.broken"]);
});

test.each([
  ["a BigInt", () => [1n]],
  [
    "a circle",
    () => {
      const circle: unknown[] = [];
      circle.push(circle);
      return [circle];
    },
  ],
])("%s fails its call and its answer, not the link", async (_, make) => {
  const [callee, caller] = [await join(), await join("dev2")];
  await callee.register("a.bad", () => make()[0]);
  await expect(caller.call("a.bad")).rejects.toMatchObject({ uri: "wamp.error.invalid_argument" });
  await expect(caller.call("a.bad", make())).rejects.toMatchObject({ code: "unserializable" });
  await expect(caller.publishAcknowledged("t.x", make())).rejects.toMatchObject({ code: "unserializable" });
  expect(() => caller.publish("t.x", make())).toThrow(expect.objectContaining({ code: "unserializable" }));
  expect(await caller.call("wamp.session.count")).toMatchObject({ args: [2] });
});

test("too big to send: that call, that answer, not the link", async () => {
  const [callee, caller] = [await join(), await join("dev2")];
  const big = "x".repeat(4 << 20);
  await callee.register("a.big", () => big);
  await expect(caller.call("a.big")).rejects.toMatchObject({ uri: "wamp.error.invalid_argument" });
  await expect(caller.call("a.big", [big])).rejects.toMatchObject({ code: "message_too_big" });
  expect(() => caller.publish("t.x", [big])).toThrow(expect.objectContaining({ code: "message_too_big" }));
  expect(callee.isJoined && caller.isJoined).toBe(true);
});

test("too large to take: the call that asked for it, the invocation that brought it, an event; not the link", async () => {
  const callee = await join("dev1", { maxIncoming: 64 << 10 });
  const caller = await join("dev2");
  const big = "x".repeat(100 << 10);
  await caller.register("a.big", () => big);
  await caller.register("a.bad", () => {
    throw new Refusal("a.refusal", [big]);
  });
  await callee.register("a.took", () => 1);
  let heard = 0;
  await callee.subscribe("t.x", () => heard++);
  await expect(callee.call("a.big")).rejects.toMatchObject({ code: "message_too_big" });
  await expect(callee.call("a.bad")).rejects.toMatchObject({ code: "message_too_big" });
  await expect(caller.call("a.took", [big])).rejects.toMatchObject({ uri: "wamp.error.invalid_argument" });
  await caller.publishAcknowledged("t.x", [big]);
  await caller.publishAcknowledged("t.x", ["small"]);
  expect(await caller.call("a.took")).toMatchObject({ args: [1] });
  expect([heard, callee.isJoined]).toEqual([1, true]);
});

test("16 MiB come in", async () => {
  const callee = await join("dev1", { maxOutgoing: 16 << 20 });
  const caller = await join("dev2");
  await callee.register("a.big", () => "x".repeat(15 << 20));
  expect(String((await caller.call("a.big")).args[0])).toHaveLength(15 << 20);
});

test("malformed URIs never leave", async () => {
  router.switches.closesOnBadUri = true;
  const session = await join();
  for (const uri of ["", "a..b", "a b", "dev.", ".dev", "a#b", "a\u0000b", "\ud800", "toString:x", "x".repeat(1_001)]) {
    await expect(session.call(uri)).rejects.toMatchObject({ code: "bad_uri" });
    await expect(session.register(uri, () => 1)).rejects.toMatchObject({ code: "bad_uri" });
    await expect(session.subscribe(uri, () => 1)).rejects.toMatchObject({ code: "bad_uri" });
    expect(() => session.publish(uri)).toThrow(expect.objectContaining({ code: "bad_uri" }));
  }
  await session.register("dev.", (_, __, { procedure }) => procedure, { match: "prefix" });
  expect(await session.call("dev.x-1.Über:2")).toMatchObject({ args: ["dev.x-1.Über:2"] });
});

test("strings that routers lose are mended: values, keys, depths", async () => {
  const session = await join();
  await session.register("a.echo", (args, kwargs) => payload(args, kwargs));
  const answer = await session.call("a.echo", ["cut \ud83d", { "\udc00": ["\0\0ab", "b\0"] }, "\\ud800", "😀"], {
    k: "\0",
  });
  expect(answer).toEqual({
    args: ["cut \uFFFD", { "\uFFFD": ["\uFFFD\0ab", "b\0"] }, "\\ud800", "😀"],
    kwargs: { k: "\uFFFD" },
  });
});

test("progress, in order, and the last answer after it", async () => {
  const [callee, caller] = [await join(), await join("dev2")];
  let late: (() => void) | undefined;
  await callee.register("logs.tail", (_, __, { progress }) => {
    for (let n = 0; n < 500; n++) progress?.([n]);
    late = () => progress?.(["late"]);
    return "done";
  });
  const parts: unknown[] = [];
  const answer = await caller.call("logs.tail", [], {}, { onProgress: ({ args }) => parts.push(args[0]) });
  expect(answer.args).toEqual(["done"]);
  expect(parts).toEqual(Array.from({ length: 500 }, (_, n) => n));
  late?.();
  expect(await caller.call("logs.tail")).toMatchObject({ args: ["done"] });
});

test("a deadline cancels the callee, which sees its signal", async () => {
  const [callee, caller] = [await join(), await join("dev2")];
  const seen = Promise.withResolvers<void>();
  await callee.register("a.slow", (_, __, { signal }) => {
    signal.addEventListener("abort", () => seen.resolve());
    return new Promise(() => {});
  });
  await expect(caller.call("a.slow", [], {}, { within: 50 })).rejects.toMatchObject({ code: "deadline" });
  await seen.promise;
  const stop = new AbortController();
  const call = caller.call("a.slow", [], {}, { signal: stop.signal });
  setTimeout(() => stop.abort(), 20);
  await expect(call).rejects.toMatchObject({ code: "cancelled" });
  await expect(caller.call("a.slow", [], {}, { signal: stop.signal })).rejects.toMatchObject({ code: "cancelled" });
});

test("a cancel that the router never answers settles after the grace, and a late answer is dropped", async () => {
  const caller = await join("dev2", { cancelGrace: 50 });
  router.switches.mute = (_, [type, request]) => type === 8 && request === 48;
  const callee = await join();
  const answer = Promise.withResolvers<string>();
  await callee.register("a.slow", () => answer.promise);
  await expect(caller.call("a.slow", [], {}, { within: 50 })).rejects.toMatchObject({ code: "deadline" });
  answer.resolve("late");
  router.inject(router.peer("dev2"), JSON.stringify([50, 1, {}, ["late"]]));
  await expect.poll(() => lines[0]?.dropped).toEqual([50]);
  delete router.switches.mute;
  expect(await caller.call("wamp.session.count")).toMatchObject({ args: [2] });
  expect(lines[0]?.dropped).toEqual([50]);
});

test("the end of the link settles everything: calls, registrations, waits, procedures", async () => {
  const callee = await join();
  const caller = await join("dev2");
  const [aborted, invoked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await callee.register("a.slow", (_, __, { signal }) => {
    invoked.resolve();
    signal.addEventListener("abort", () => aborted.resolve());
    return new Promise(() => {});
  });
  const waiting = [
    caller.call("a.slow"),
    caller.register("a.slow", () => 1, { force: false }),
    caller.publishAcknowledged("a.b"),
  ].map((promise) => expect(promise).rejects.toMatchObject({ code: "link_lost" }));
  router.switches.mute = ({ authid }) => authid === "dev2";
  await invoked.promise;
  router.cutAll();
  await Promise.all([...waiting, aborted.promise]);
  await expect(caller.call("a.slow")).rejects.toMatchObject({ code: "link_down" });
  await expect(caller.subscribe("a.b", () => {})).rejects.toMatchObject({ code: "link_down" });
  expect(() => caller.publish("a.b")).toThrow(expect.objectContaining({ code: "link_down" }));
  await caller.room("logs");
});

test("a name that a ghost holds is waited for; with patience 0 it is said at once; by force it is taken", async () => {
  const [ghost, heir] = [await join(), await join("dev2")];
  await ghost.register("dev.claim", () => "ghost");
  await expect(heir.register("dev.claim", () => 1, { force: false, patience: 0 })).rejects.toMatchObject({
    uri: "wamp.error.procedure_already_exists",
  });
  const waiting = heir.register("dev.claim", () => "heir", { force: false });
  expect(await heir.call("wamp.session.count")).toMatchObject({ args: [2] });
  router.peer("dev1").ws.terminate();
  await waiting;
  expect(await heir.call("dev.claim")).toMatchObject({ args: ["heir"] });
  const third = await join();
  await third.register("dev.claim", () => "third");
  expect(await lines[1]?.end).toMatchObject({ because: "registration_revoked" });
});

test("a registration that is undone is gone, and undoing it twice is an error, not a throw from nowhere", async () => {
  const session = await join();
  const unregister = await session.register("a.b", () => 1);
  await unregister();
  await expect(session.call("a.b")).rejects.toMatchObject({ uri: "wamp.error.no_such_procedure" });
  await expect(unregister()).rejects.toMatchObject({ code: "link_down" });
});

test("handlers that throw or reject are reported, others get their event", async () => {
  const session = await join();
  const speaker = await join("dev2");
  const got: unknown[] = [];
  await session.subscribe("t.x", () => {
    throw new Error("one");
  });
  await session.subscribe(
    "t.",
    async (args, _, { topic }) => {
      got.push([topic, args]);
      throw new Error("two");
    },
    { match: "prefix" },
  );
  const off = await session.subscribe("t.x", (args) => got.push(args));
  await speaker.publishAcknowledged("t.x", [1]);
  await expect.poll(() => got).toHaveLength(2);
  expect(lines[0]?.problems.map(([what]) => what).sort()).toEqual(["event t.x", "event t.x"]);
  await off();
  await speaker.publishAcknowledged("t.x", [2]);
  await expect.poll(() => got).toHaveLength(3);
});

test("autobahn's trace is off, and its globals stay clean", async () => {
  await join();
  expect(process.env["AUTOBAHN_TRACE"]).toBeUndefined();
  expect(Object.keys(globalThis)).not.toContain("kwargs");
  expect(autobahn.log.warn).toHaveLength(0);
});
