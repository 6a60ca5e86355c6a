/** What can be said over the link right now: with one, without one, and while it is full. */
import { expect, test } from "vitest";
import { minutes, ms } from "../../src/model/duration.ts";
import type { AppOrder } from "../../src/model/order.ts";
import type { BackEnd } from "../../src/services/backEnd.ts";
import { Uplink } from "../../src/services/uplink.ts";
import { RequestError, type RequestErrorCode } from "../../src/services/wampCauses.ts";

const order = {} as AppOrder;
const report = { state: "RUNNING", version: "1" } as const;

function backEnd(changes: { hasRoomForLogs?: boolean; fails?: RequestErrorCode } = {}) {
  const said: unknown[] = [];
  const { hasRoomForLogs = true, fails } = changes;
  const end = {
    hasRoomForLogs,
    tell: async (...told: unknown[]) => void said.push(told),
    roomForLogs: async () => {},
    publishLog: async (...message: unknown[]) => {
      if (fails) throw new RequestError(fails, "");
      said.push(message);
    },
  };
  return { said, end: end as unknown as BackEnd };
}

test("without a link a report fails, and a log message has nowhere to go", async () => {
  const uplink = new Uplink();
  await expect(uplink.tell(order, report)).rejects.toMatchObject({ code: "request_failed" });
  expect(uplink.hasRoom()).toBe(false);
  expect(await uplink.sendLog("t", "x")).toBe("lost");
});

test("everything goes to the link that was attached last", async () => {
  const uplink = new Uplink();
  const [first, second] = [backEnd(), backEnd()];
  uplink.attach(first.end);
  expect(await uplink.sendLog("t", "x")).toBe("confirmed");
  uplink.attach(second.end);
  await uplink.tell(order, report);
  expect([first.said, second.said]).toEqual([[["t", "x"]], [[order, report]]]);
  uplink.attach(undefined);
  expect(await uplink.sendLog("t", "x")).toBe("lost");
});

test.each<[RequestErrorCode, string]>([
  ["refused", "refused"],
  ["lane_full", "lost"],
  ["link_lost", "lost"],
  ["deadline", "lost"],
])("a log message that fails as %s is %s", async (fails, fate) => {
  const uplink = new Uplink();
  uplink.attach(backEnd({ fails }).end);
  expect(await uplink.sendLog("t", "x")).toBe(fate);
});

test("who waits for room waits for the next link too", async () => {
  const uplink = new Uplink();
  let isThere = false;
  const room = uplink.room().then(() => {
    isThere = true;
  });
  await Promise.resolve();
  expect(isThere).toBe(false);
  uplink.attach(backEnd().end);
  await room;
  expect(uplink.hasRoom()).toBe(true);
});

test("before a download the studio may speak first: until the first link, or until it has had its time", async () => {
  const uplink = new Uplink();
  const never = new AbortController();
  const waited = uplink.met(minutes(10), never.signal);
  uplink.attach(backEnd().end);
  await waited;
  uplink.attach(undefined);
  await uplink.met(minutes(10), never.signal);
  await new Uplink().met(ms(1), never.signal);
});

test("whoever is called off while he waits for the studio hears so", async () => {
  const over = new AbortController();
  const waited = new Uplink().met(minutes(10), over.signal);
  over.abort(new Error("called off"));
  await expect(waited).rejects.toThrow();
});

test("without a link nobody has a token", async () => {
  expect(await new Uplink().registryToken(5)).toBeUndefined();
});
