/** What can be said over the link right now: with one, without one, and while it is full. */
import { expect, test } from "vitest";
import { minutes, ms } from "../../src/model/duration.ts";
import type { AppOrder } from "../../src/model/order.ts";
import type { BackEnd } from "../../src/services/backEnd.ts";
import { Uplink } from "../../src/services/uplink.ts";
import { RequestError, type RequestErrorCode } from "../../src/services/wampCauses.ts";

const order = {} as AppOrder;
const report = { state: "RUNNING", version: "1" } as const;

function backEnd(changes: { hasRoomForLogs?: boolean; fails?: RequestErrorCode | Error } = {}) {
  const said: unknown[] = [];
  const { hasRoomForLogs = true, fails } = changes;
  const end = {
    hasRoomForLogs,
    tell: async (...told: unknown[]) => void said.push(told),
    publishLog: (...message: unknown[]) => {
      if (fails) throw fails instanceof Error ? fails : new RequestError(fails, "");
      said.push(message);
    },
  };
  return { said, end: end as unknown as BackEnd };
}

test("without a link a report fails, and a log message has nowhere to go", async () => {
  const uplink = new Uplink();
  await expect(uplink.tell(order, report)).rejects.toMatchObject({ code: "request_failed" });
  expect(uplink.publishLog("t", "x")).toBe("gone");
});

test("everything goes to the link that was attached last", async () => {
  const uplink = new Uplink();
  const [first, second] = [backEnd(), backEnd()];
  uplink.attach(first.end);
  expect(uplink.publishLog("t", "x")).toBe("sent");
  uplink.attach(second.end);
  await uplink.tell(order, report);
  expect([first.said, second.said]).toEqual([[["t", "x"]], [[order, report]]]);
  uplink.attach(undefined);
  expect(uplink.publishLog("t", "x")).toBe("gone");
});

test.each<[RequestErrorCode | undefined, boolean, string]>([
  [undefined, false, "busy"],
  ["lane_full", true, "busy"],
  ["link_down", true, "gone"],
  ["message_too_big", true, "gone"],
  ["bad_uri", true, "gone"],
])("a failure %s with room %j is %s", (fails, hasRoomForLogs, sent) => {
  const uplink = new Uplink();
  uplink.attach(backEnd({ hasRoomForLogs, ...(fails && { fails }) }).end);
  expect(uplink.publishLog("t", "x")).toBe(sent);
});

test("a defect is not taken for a full line", () => {
  const uplink = new Uplink();
  uplink.attach(backEnd({ fails: new TypeError("a bug") }).end);
  expect(() => uplink.publishLog("t", "x")).toThrow(TypeError);
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
