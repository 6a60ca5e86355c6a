/** A fresh session calls what the original calls, in its order; registrations come between CONFIGURING and the rest. */
import { expect, test } from "vitest";
import { Wire } from "../support/wire.ts";
import { ON_CONNECT } from "./orders.ts";

test("the calls of a connect are in the order in which they were recorded", async () => {
  await using w = await Wire.online();
  const calls = w.said
    .filter(({ type }) => type === "CALL")
    .map(({ uri, args }) => {
      const [{ status = "" } = {}] = (args ?? []) as [{ status?: string }?];
      return `${uri} ${uri.endsWith("update_device_status") ? status : ""}`.trim();
    });
  expect(calls).toEqual(ON_CONNECT);
  const order = w.said
    .filter(({ type }) => type === "CALL" || type === "REGISTER")
    .map(({ uri }) => uri.replace(/^re\.mgmt\.[^.]*\./, ""));
  expect(order[0]).toBe("wamp_connection_established");
  const registered = order.indexOf("request_app_state");
  expect(registered).toBeGreaterThan(order.indexOf("reswarm.devices.update_device_status"));
  expect(registered).toBeLessThan(order.indexOf("reswarm.devices.update_device_architecture"));
});
