/** Every procedure of the back end with what it should be told, and with what it should not. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Session } from "../../src/services/wampSession.ts";
import type { Flock } from "../../src/studio/flock.ts";
import type { Studio } from "../../src/studio/studio.ts";
import { Bench } from "./bench.ts";

let bench: Bench;
let studio: Studio;
let flock: Flock;
let device: Awaited<ReturnType<Bench["join"]>>;
beforeEach(async () => {
  bench = new Bench();
  studio = await bench.start();
  flock = studio.addDevice({ name: "press-01", swarmName: "plant_a", owner: "alice" });
  studio.addApp({ key: 42, name: "weather", versions: ["1.0.0", "1.1.0"] });
  device = await bench.join(flock);
});
afterEach(() => bench.end());

const ask = async (name: string, said?: unknown, session: Session = device.session) =>
  (await session.call(`reswarm.${name}`, said === undefined ? [] : [said])).args;
const ME = { swarm_key: 1, device_key: 1 };
const REPORT = {
  ...{ ...ME, app_key: 42, stage: "PROD", state: "RUNNING", release_key: 1, device_to_app_key: 0, updateStatus: "" },
  ...{ requestor_account_key: 5, request_update: false, release_build: false },
};
const report = (more: object = {}) => ({ ...REPORT, serial_number: flock.serial_number, ...more });
const QUESTION = { privilege: "READ", entity: "DEVICE", entity_key: 1, requestor_account_key: 5, swarm_key: 1 };
const STATUS = { ...ME, status: "CONNECTED", wamp_session_id: 7 };
const MACHINE = { architecture: "amd64", os: "linux", arch: "amd64", variant: "", agent_version: "1" };

test("read_device_metadata says who the device is, as the agent reads it", async () => {
  expect(await device.backEnd.metadata()).toEqual({
    ...{ device_name: "press-01", swarm_name: "plant_a", ownername: "alice", swarm_key: 1 },
  });
});

test("get_app_cred_key: one for each device, the same each time", async () => {
  const key = await device.backEnd.credentialKey();
  expect(key).toHaveLength(44);
  expect(await device.backEnd.credentialKey()).toBe(key);
  const other = await bench.join(studio.addDevice({ name: "press-02" }));
  expect(await other.backEnd.credentialKey()).not.toBe(key);
});

test("update_device_status: the event names device, status and session; the answer is null, as the original can bear", async () => {
  await device.backEnd.status("CONFIGURING");
  expect(await ask("devices.update_device_status", { ...STATUS, status: "EMERGENCY" })).toEqual([null]);
  const about = { serial: flock.serial_number, deviceKey: 1, name: "press-01" };
  expect(bench.all("device.status")).toEqual([
    { type: "device.status", device: about, status: "CONFIGURING", session: device.session.id },
    { type: "device.status", device: about, status: "EMERGENCY", session: 7 },
  ]);
});

test("update_device_architecture", async () => {
  await device.backEnd.architecture();
  expect(bench.all("device.described")).toMatchObject([{ about: { ...MACHINE, os: "linux debian 12 6.1.0" } }]);
});

test("check_privilege: the operator may, anybody else may not", async () => {
  expect(await device.backEnd.mayAccount(5, "DEVELOP")).toBe(true);
  expect(await device.backEnd.mayAccount(6, "READ")).toBe(false);
});

test("get_requested_app_states: a row has every key of the wire, and the state that was reported last", async () => {
  expect(await ask("containers.get_requested_app_states", { device_key: 1 })).toEqual([[]]);
  await studio.desire("weather", "RUNNING", "1.0.0");
  await ask("containers.update_app_on_device", report({ state: "STARTING" }));
  expect(await ask("containers.get_requested_app_states", { device_key: "1" })).toMatchObject([
    [
      {
        ...{ app_key: 42, app_name: "weather", stage: "PROD", target_state: "RUNNING", current_state: "STARTING" },
        ...{ manually_requested_state: "RUNNING", release_key: 1, new_release_key: 2 },
        ...{ present_version: "1.0.0", newest_version: "1.1.0", request_update: false },
        ...{ requestor_account_key: 5, device_owner_account_key: 5, device_key: 1, serial_number: flock.serial_number },
        ...{ container_name: "prod_42_weather", docker_compose: null, ports: [], environment: {} },
      },
    ],
  ]);
});

test("update_app_on_device: the event has all 12 keys; of an app that is not known nothing is kept", async () => {
  await ask("containers.update_app_on_device", report());
  await ask("containers.update_app_on_device", report({ app_key: 99 }));
  expect(bench.all("app.reported").map((event) => event.report)).toEqual([report(), report({ app_key: 99 })]);
  expect(studio.apps()).toMatchObject([{ app: "weather", reported: { state: "RUNNING", version: "1.0.0" } }]);
});

test("update_app_on_device in its port form is another event, and changes no state", async () => {
  const ports = [{ port: 8080, protocol: "http", host_port: 30_000 }];
  await ask("containers.update_app_on_device", { ...ME, app_key: 42, stage: "PROD", ports });
  expect(bench.all("app.ports")).toMatchObject([{ report: { app_key: 42, ports } }]);
  expect(studio.apps()).toMatchObject([{ reported: undefined }]);
});

test("get_registry_token is a text", async () => {
  expect(await ask("containers.get_registry_token", { callerID: 5 })).toEqual([expect.stringMatching(/^[\w-]{32}$/)]);
});

describe("a bad payload is answered with what is wrong, told as a problem, and changes nothing:", () => {
  const huge = "x".repeat(300);
  test.each<[string, unknown, RegExp]>([
    ["devices.read_device_metadata", undefined, /expected object/],
    ["devices.read_device_metadata", { device_key: "one" }, /device_key/],
    ["devices.update_device_status", { ...STATUS, status: "DISCONNECTED" }, /status: .*"CONFIGURING"/],
    ["devices.update_device_status", { ...STATUS, wamp_session_id: "7" }, /wamp_session_id/],
    ["devices.update_device_status", { ...STATUS, stats: { cpu_count: "two" } }, /stats.cpu_count/],
    ["devices.update_device_architecture", { ...ME, ...MACHINE, os: huge }, /os/],
    ["devices.check_privilege", { ...QUESTION, privilege: "ROOT" }, /privilege/],
    ["devices.check_privilege", { ...QUESTION, requestor_account_key: "admin" }, /requestor_account_key/],
    ["containers.get_requested_app_states", [1], /expected object/],
    ["containers.update_app_on_device", { ...REPORT, serial_number: 7 }, /serial_number/],
    ["containers.update_app_on_device", { ...REPORT, serial_number: "", state: "running" }, /state/],
    ["containers.update_app_on_device", { ...ME, app_key: 42, stage: "PROD", ports: [{ port: 0 }] }, /ports.0.port/],
    ["containers.get_registry_token", { callerID: -1 }, /callerID/],
  ])("%s %j", async (name, said, why) => {
    const asked = ask(name, said);
    await expect(asked).rejects.toMatchObject({
      uri: "wamp.error.invalid_argument",
      args: [expect.stringMatching(why)],
    });
    expect(bench.all("problem")).toMatchObject([
      { about: `reswarm.${name} by 1-1`, because: expect.stringMatching(why) },
    ]);
    expect(bench.events.map(({ type }) => type)).toEqual(["link.up", "problem"]);
    expect(studio.apps()).toMatchObject([{ deviceStatus: "DISCONNECTED", reported: undefined }]);
  });
});

describe("a device speaks of itself alone:", () => {
  test.each<[string, object]>([
    ["devices.read_device_metadata", { device_key: 2 }],
    ["devices.update_device_status", { ...STATUS, device_key: 2 }],
    ["devices.update_device_status", { ...STATUS, swarm_key: 2 }],
    ["devices.update_device_architecture", { ...ME, ...MACHINE, device_key: 2 }],
    ["devices.check_privilege", { ...QUESTION, entity_key: 2 }],
    ["containers.get_requested_app_states", { device_key: 2 }],
    ["containers.update_app_on_device", { ...REPORT, serial_number: "another" }],
    ["containers.update_app_on_device", { ...ME, device_key: 2, app_key: 42, stage: "PROD", ports: [] }],
  ])("%s %j", async (name, said) => {
    studio.addDevice({ name: "press-02" });
    await expect(ask(name, said)).rejects.toMatchObject({ uri: "wamp.error.not_authorized" });
    expect(bench.events.map(({ type }) => type)).toEqual(["link.up", "problem"]);
  });
});

test("a device cannot say that another one is gone: it does not know that one's session", async () => {
  const other = await bench.online(studio.addDevice({ name: "press-02" }));
  const will = { swarm_key: 1, device_key: 2, serial_number: other.device.serial, wamp_session_id: 1 };
  await device.session.publishAcknowledged("reswarm.api.testament_device", [will]);
  await device.session.publishAcknowledged("reswarm.api.testament_device", ["nonsense"]);
  await expect.poll(() => bench.all("problem")).toHaveLength(1);
  expect(bench.all("device.status").map(({ status }) => status)).not.toContain("DISCONNECTED");
});
