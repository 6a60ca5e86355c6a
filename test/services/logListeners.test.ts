/** Who listens: what the router answers and tells, in every order, and links that break. On the embedded router where it matters. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Hearing, LogListeners } from "../../src/services/logListeners.ts";
import { RequestError } from "../../src/services/wampCauses.ts";
import type { EventHandler } from "../../src/services/wampEndpoint.ts";
import type { Session } from "../../src/services/wampSession.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TOPIC = "reswarm.logs.abc.prod_42_weather";

class Router {
  readonly over = new AbortController();
  readonly handlers = new Map<string, EventHandler>();
  answer: unknown = [];
  fails: RequestError | undefined;
  /** Answers to matches wait for it. */
  gate: Promise<void> = Promise.resolve();

  get session(): Pick<Session, "call" | "subscribe" | "over"> {
    return {
      over: this.over.signal,
      call: async () => {
        const { answer } = this;
        await this.gate;
        if (this.fails) throw this.fails;
        return { args: [answer], kwargs: {} };
      },
      subscribe: async (topic, handler) => {
        if (this.fails) throw this.fails;
        this.handlers.set(topic, handler);
        return async () => {};
      },
    };
  }

  created(id: number, uri: string, match = "exact"): void {
    void this.handlers.get("wamp.subscription.on_create")?.([1, { id, uri, match }], {}, { topic: "" });
  }

  deleted(id: number): void {
    void this.handlers.get("wamp.subscription.on_delete")?.([1, id], {}, { topic: "" });
  }
}

function start(wasHeard = false) {
  const told: unknown[] = [];
  const seen: Hearing[] = [];
  const listeners = new LogListeners({ onBlind: (error) => told.push(error) });
  listeners.watch(TOPIC, wasHeard, (hearing) => seen.push(hearing));
  const attach = async (router = new Router()) => {
    await listeners.attach(router.session);
    return router;
  };
  return { listeners, seen, told, attach };
}

test.each<[unknown, Hearing]>([
  [[7], "heard"],
  [7, "heard"],
  [[], "unheard"],
  [null, "unheard"],
])("a match that answers %j is %s", async (answer, hearing) => {
  const { seen, attach } = start();
  const router = new Router();
  router.answer = answer;
  await attach(router);
  expect(seen).toEqual([hearing]);
});

test.each([
  [TOPIC, "exact", true],
  ["reswarm.logs.", "prefix", true],
  ["reswarm.logs..prod_42_weather", "wildcard", true],
  ["reswarm.logs.abc.prod_42_weather2", "exact", false],
  ["reswarm.logs.other", "prefix", false],
  ["reswarm..prod_42_weather", "wildcard", false],
])("a subscription of %s, %s: heard is %s", async (uri, match, isHeard) => {
  const { seen, attach } = start();
  const router = await attach();
  router.created(9, uri, match);
  expect(seen.at(-1)).toBe(isHeard ? "heard" : "unheard");
});

test("a browser that is refreshed: the late end of its old subscription switches nothing off", async () => {
  const { seen, attach } = start();
  const router = await attach();
  router.created(1, TOPIC);
  router.created(2, TOPIC);
  router.deleted(1);
  expect(seen).toEqual(["unheard", "heard"]);
  router.deleted(2);
  expect(seen).toEqual(["unheard", "heard", "unheard"]);
});

test("the exact listener goes, the bridge with its prefix stays", async () => {
  const { seen, attach } = start();
  const router = await attach();
  router.created(1, "reswarm.logs.", "prefix");
  router.created(2, TOPIC);
  router.deleted(2);
  expect(seen.at(-1)).toBe("heard");
});

test("an end that overtakes the answer about it counts", async () => {
  const { seen, attach } = start();
  const router = new Router();
  const gate = Promise.withResolvers<void>();
  router.gate = gate.promise;
  router.answer = [5];
  const attached = attach(router);
  await vi.advanceTimersByTimeAsync(0);
  router.deleted(5);
  gate.resolve();
  await attached;
  expect(seen).toEqual(["unheard"]);
});

test("a link that breaks is no farewell: who listened may come back for a minute", async () => {
  const { seen, attach } = start();
  const first = await attach();
  first.created(1, TOPIC);
  first.over.abort();
  expect(seen).toEqual(["unheard", "heard", "cut"]);
  const second = await attach();
  await vi.advanceTimersByTimeAsync(30_000);
  second.created(1, TOPIC);
  expect(seen.slice(3)).toEqual(["heard"]);
  second.over.abort();
  await attach();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.slice(4)).toEqual(["cut", "unheard"]);
});

test("who listened to the process before may come back too", async () => {
  const { seen, attach } = start(true);
  await attach();
  expect(seen).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen).toEqual(["unheard"]);
});

test("a topic that comes later is asked for then", async () => {
  const { listeners, attach } = start();
  const router = await attach();
  router.answer = [3];
  const seen: Hearing[] = [];
  listeners.watch("reswarm.logs.abc.other", false, (hearing) => seen.push(hearing));
  await vi.advanceTimersByTimeAsync(0);
  expect(seen).toEqual(["heard"]);
});

test("a router that does not say who listens: all is published, and that is told once", async () => {
  const { seen, told, attach } = start();
  const router = new Router();
  router.fails = new RequestError("refused", "not_authorized");
  await attach(router);
  expect([seen, told.length]).toEqual([["heard"], 1]);
});

test("an old session says nothing any more", async () => {
  const { seen, attach } = start();
  const first = await attach();
  first.over.abort();
  await attach();
  first.created(1, TOPIC);
  expect(seen).toEqual(["unheard"]);
});
