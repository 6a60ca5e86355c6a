/** Who may do what on the studio's router. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Session } from "../../src/services/wampSession.ts";
import type { Studio } from "../../src/studio/studio.ts";
import { dial } from "../support/link.ts";
import { Bench } from "./bench.ts";
import { RawClient } from "./rawClient.ts";

let bench: Bench;
let studio: Studio;
let one: Awaited<ReturnType<Bench["online"]>>;
let two: Awaited<ReturnType<Bench["online"]>>;
let operator: Session;
beforeEach(async () => {
  bench = new Bench();
  studio = await bench.start();
  one = await bench.online(studio.addDevice({ name: "press-01" }));
  two = await bench.online(studio.addDevice({ name: "press-02" }));
  operator = await bench.dial(studio.url, studio.operator.authid, studio.operator.secret);
});
afterEach(() => bench.end());

const denied = { code: "refused", uri: "wamp.error.not_authorized" };

test("a device registers, publishes and subscribes under its own serial number only", async () => {
  await one.session.register(one.mine("device_handshake"), () => 1);
  await one.session.subscribe(one.mine("term_write.x"), () => {});
  await one.session.publishAcknowledged(one.mine("tunnel_state_update/onreload"));
  await expect(one.session.register(two.mine("device_handshake"), () => 1)).rejects.toMatchObject(denied);
  await expect(one.session.register("re.mgmt.", () => 1, { match: "prefix" })).rejects.toMatchObject(denied);
  await expect(one.session.register("reswarm.devices.x", () => 1)).rejects.toMatchObject(denied);
  await expect(one.session.subscribe(two.mine("term_write.x"), () => {})).rejects.toMatchObject(denied);
  await expect(one.session.publishAcknowledged(two.mine("term_data.x"))).rejects.toMatchObject(denied);
  await expect(
    one.session.publishAcknowledged(`reswarm.logs.${two.device.serial}.prod_1_a`, ["I am not you"]),
  ).rejects.toMatchObject(denied);
});

test("a device calls no other device, not even itself, and hears nobody's logs", async () => {
  await expect(one.session.call(two.mine("request_app_state"))).rejects.toMatchObject(denied);
  await expect(one.session.call(one.mine("request_app_state"))).rejects.toMatchObject(denied);
  const logs = () => one.session.subscribe(`reswarm.logs.${two.device.serial}.`, () => {}, { match: "prefix" });
  await expect(logs()).rejects.toMatchObject(denied);
  expect(two.requests).toEqual([]);
});

test.each([
  ["wamp.session.list", []],
  ["wamp.session.kill_by_authid", ["system"]],
  ["wamp.registration.list", []],
])("a device may not ask the router for %s", async (procedure, args) => {
  await expect(one.session.call(procedure, args)).rejects.toMatchObject(denied);
});

test("a device may hear what an agent has to hear of the router", async () => {
  for (const topic of ["wamp.subscription.on_create", "wamp.subscription.on_delete", "wamp.registration.on_unregister"])
    await one.session.subscribe(topic, () => {});
  await one.session.subscribe("reswarm.device.%d.list/ondestroy", () => {});
  expect((await one.session.call("wamp.subscription.match", ["nobody.hears"])).args).toEqual([null]);
  expect((await one.session.call("wamp.session.flush_testaments")).args).toEqual([1]);
  await expect(one.session.subscribe("wamp.session.on_join", () => {})).rejects.toMatchObject(denied);
});

test("an operator calls devices, who learn who it is, and follows logs", async () => {
  const callers: unknown[] = [];
  await one.session.register(one.mine("who"), (_, __, { caller }) => callers.push(caller));
  await operator.call(one.mine("who"));
  expect(callers).toMatchObject([{ authid: "5", authrole: "operator" }]);
  const heard: unknown[] = [];
  await operator.subscribe("reswarm.logs.", (args) => heard.push(args), { match: "prefix" });
  one.session.publish(`reswarm.logs.${one.device.serial}.prod_1_a`, ["hello"]);
  await expect.poll(() => heard).toEqual([["hello"]]);
});

test("an operator registers nothing, speaks for no device, and is no back end's caller", async () => {
  await expect(operator.register(one.mine("request_app_state"), () => 1)).rejects.toMatchObject(denied);
  await expect(operator.publishAcknowledged(`reswarm.logs.${one.device.serial}.x`)).rejects.toMatchObject(denied);
  await expect(operator.call("reswarm.devices.get_app_cred_key")).rejects.toMatchObject(denied);
  await expect(operator.call("wamp.session.kill_by_authid", ["system"])).rejects.toMatchObject(denied);
});

test("nobody gets in without a proof, and a secret is for its own device", async () => {
  const stranger = new RawClient(studio.url);
  await stranger.say([1, "realm1", { authmethods: ["anonymous"] }]);
  await stranger.closed;
  expect(stranger.heard).toMatchObject([[3, {}, "wamp.error.no_matching_auth_method"]]);
  const secret = studio.flock("press-01")?.secret ?? "";
  for (const authid of ["1-2", "1-3", "system", "5"]) {
    const { end } = dial(studio.url, { authid, readSecret: () => secret });
    expect(await end).toMatchObject({ because: "wamp.error.authentication_failed" });
  }
});

test("a web page gets no connection", async () => {
  const page = new RawClient(studio.url, { origin: "http://127.0.0.1:8000" });
  await page.closed;
  expect(page.heard).toEqual([]);
});

test("a page that bends its own name to this address gets no connection either", async () => {
  const { port } = new URL(studio.url);
  const page = new RawClient(studio.url, { host: `evil.example:${port}` });
  await page.closed;
  expect(page.heard).toEqual([]);
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
    const own = new RawClient(studio.url, { host });
    await own.say([1, "realm1", { authid: "nobody", authmethods: ["wampcra"], roles: { caller: {} } }]);
    await own.hears(([type]) => type === 4);
    own.ws.terminate();
  }
});

test("nonsense of every kind from a device that has proven who it is hurts nobody else", async () => {
  const { secret, serial_number: serial } = studio.flock("press-01") ?? { secret: "", serial_number: "" };
  const said = [
    `[48,1,{},"reswarm.containers.update_app_on_device",[${"[".repeat(50_000)}${"]".repeat(50_000)}]]`,
    [48, 1, {}, "reswarm.devices.update_device_status", 7, 7],
    [48, 1, {}, "reswarm.devices.update_device_status", [{ __proto__: null, toString: 1 }]],
    [48, 1, null, "reswarm.devices.get_app_cred_key", null, null],
    [16, 1, {}, "reswarm.api.testament_device", [{ toString: 1 }], { x: 1 }],
    [16, 1, {}, `reswarm.logs.${serial}.`, ["x"]],
    [16, 1, {}, `reswarm.logs.${serial}.a`, [{ type: "build", chunk: { toString: 1 } }]],
    [70, 1, {}, "x"],
    [8, 68, 1, {}, 7],
    [64, 1, { match: "wildcard" }, "re.mgmt..request_app_state"],
    "nonsense",
  ];
  for (const frame of said) {
    const client = await new RawClient(studio.url).join("1-1", secret);
    await client.say(frame);
    await client.say([6, {}, "wamp.close.normal"]);
    await client.closed;
  }
  studio.addApp({ key: 42, name: "weather", versions: ["1.0.0"] });
  expect(await studio.desire("weather", "RUNNING", undefined, "press-02")).toMatchObject({ outcome: "now" });
  expect(bench.all("link.down")).toEqual([]);
});
