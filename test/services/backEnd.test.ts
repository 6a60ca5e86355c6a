/** Calls of the back end: what goes out, what is made of the answers. The calls of a fresh link are in linkSteps.test.ts. */
import { describe, expect, test } from "vitest";
import type { AppOrder } from "../../src/model/order.ts";
import { BACK_END, BackEnd } from "../../src/services/backEnd.ts";
import type { Session } from "../../src/services/wampSession.ts";
import { MACHINE, SERIAL, STATS, Wire } from "../support/wire.ts";

const ORDER: AppOrder = {
  app: { stage: "PROD", key: 42 },
  name: "weather",
  target: "RUNNING",
  version: "1.0.0",
  releaseKey: 11,
  requestor: 5,
  owner: 6,
};

test("a report has the original's 12 keys", async () => {
  await using w = await Wire.online();
  await w.uplink.tell(ORDER, { state: "STARTING", version: ORDER.version });
  expect(w.asked.get(BACK_END.report)?.map(({ args }) => args)).toEqual([
    [
      {
        app_key: 42,
        device_key: 31,
        swarm_key: 2,
        serial_number: SERIAL,
        stage: "PROD",
        state: "STARTING",
        device_to_app_key: 0,
        requestor_account_key: 5,
        release_key: 11,
        request_update: false,
        release_build: false,
        updateStatus: "",
      },
    ],
  ]);
});

test("a report that fails, or is not answered, is an error of the back end", async () => {
  await using w = await Wire.online({ within: 50 });
  w.answers[BACK_END.report] = () => Promise.reject(new Error("no such app"));
  await expect(w.uplink.tell(ORDER, { state: "RUNNING", version: ORDER.version })).rejects.toMatchObject({
    code: "back_end_failed",
    message: expect.stringContaining(BACK_END.report),
  });
  w.answers[BACK_END.report] = () => new Promise(() => {});
  await expect(w.uplink.tell(ORDER, { state: "RUNNING", version: ORDER.version })).rejects.toMatchObject({
    code: "back_end_failed",
  });
  w.answers = {};
  await w.uplink.tell(ORDER, { state: "RUNNING", version: ORDER.version });
});

/** Answers each call with the same arguments. */
function answering(...args: unknown[]) {
  const session = { id: 7, call: async () => ({ args, kwargs: {} }) } as unknown as Session;
  const device = { deviceKey: 31, swarmKey: 2, serial: SERIAL };
  return new BackEnd({
    session,
    device: () => device as never,
    agentVersion: "0.1.0",
    machine: MACHINE,
    stats: () => STATS,
  });
}

const deep = JSON.parse(`${"[".repeat(10_000)}${"]".repeat(10_000)}`);

describe("answers that are something else", () => {
  test.each([
    [],
    [null],
    ["x"],
    [7],
    [{}],
    [[]],
    [deep],
    [{ device_name: "a", swarm_name: "b", ownername: "c", swarm_key: 2 ** 53 }],
  ])("%#: no metadata", async (...args) => {
    await expect(answering(...args).metadata()).rejects.toMatchObject({ code: "back_end_failed" });
  });
  test.each([[], [null], [7], [""], ["x".repeat(5_000)], [{}]])("%#: no key", async (...args) => {
    await expect(answering(...args).credentialKey()).rejects.toMatchObject({ code: "back_end_failed" });
  });
  test.each([[], [null], [{}], ["x"], [{ a: deep }]])("%#: no list", async (...args) => {
    await expect(answering(...args).desiredStates()).rejects.toMatchObject({ code: "back_end_failed" });
  });
  test.each([[], [null], [1], ["true"], [deep]])("%#: neither yes nor no", async (...args) => {
    await expect(answering(...args).mayAccount(5, "READ")).rejects.toMatchObject({ code: "back_end_failed" });
  });

  test("what is wrong is named, and a key that is of the wrong kind is not shown", async () => {
    await expect(answering({ device_name: 7 }).metadata()).rejects.toThrow(/read_device_metadata.*device_name/);
    const secret = "s".repeat(4_097);
    const error = await answering(secret)
      .credentialKey()
      .catch((thrown: Error) => thrown);
    expect(String(error)).not.toContain("sss");
  });
});

test("keys come as numbers or as digits, more than is needed is left alone", async () => {
  const metadata = { device_name: "a", swarm_name: "", ownername: "c", swarm_key: "2", zzz: 1 };
  expect(await answering(metadata).metadata()).toMatchObject({ swarm_key: 2 });
});
