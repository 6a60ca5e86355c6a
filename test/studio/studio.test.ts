/** The studio as whoever runs it sees it: devices, apps, wishes, events; on the real router, with the agent's own calls. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseAppRequest } from "../../src/model/wireRequest.ts";
import { Refusal } from "../../src/services/wampEndpoint.ts";
import { Bench } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

const WEATHER = { key: 42, name: "weather", versions: ["1.0.0", "1.1.0"] };
const ORDER = { app: { stage: "PROD", key: 42 }, name: "weather", target: "RUNNING", owner: 5, requestor: 5 } as const;
const statuses = () => bench.all("device.status").map(({ device, status }) => `${device.name} ${status}`);

test("a new device gets a file with every field, and a secret of its own", async () => {
  const studio = await bench.start();
  const [one, two] = [studio.addDevice({ name: "press-01" }), studio.addDevice({ name: "press-02" })];
  expect(one).toMatchObject({
    ...{ name: "press-01", swarm_key: 1, device_key: 1, device_endpoint_url: studio.url, environment: "local" },
    ...{ docker_registry_url: "127.0.0.1:5000/", docker_main_repository: "apps/", status: "DISCONNECTED" },
  });
  expect(Object.keys(one)).toHaveLength(22);
  expect(one.secret).toHaveLength(44);
  expect(two.secret).not.toBe(one.secret);
  expect(two.serial_number).not.toBe(one.serial_number);
  expect(studio.flock("press-01")).toEqual(one);
  expect(() => studio.addDevice({ name: "press-01" })).toThrow(/there is a device press-01 already/);
  expect(() => studio.addDevice({ name: "../x" })).toThrow(/name: is no name of a device/);
});

test("what is on disk is for its owner only", async () => {
  const studio = await bench.start();
  studio.addApp(WEATHER);
  expect(statSync(bench.folder).mode & 0o777).toBe(0o700);
  const files = readdirSync(bench.folder);
  expect(files).toContain("studio.db");
  for (const file of files) expect(statSync(join(bench.folder, file)).mode & 0o777, file).toBe(0o600);
});

test("a wish reaches a device that is there, with everything an agent wants to know", async () => {
  const studio = await bench.start();
  const device = await bench.online(studio.addDevice({ name: "press-01" }));
  studio.addApp(WEATHER);
  expect(await studio.desire("weather", "RUNNING")).toEqual({
    ...{ app: "weather", device: "press-01", target: "RUNNING", version: "1.1.0" },
    ...{ outcome: "now", why: "RUNNING is taken up now" },
  });
  await studio.desire(42, "PRESENT", "1.0.0");
  const orders = device.requests.map(parseAppRequest);
  expect(orders).toMatchObject([
    { is: "order", order: { ...ORDER, version: "1.1.0", releaseKey: 2 } },
    { is: "order", order: { ...ORDER, target: "PRESENT", version: "1.0.0", releaseKey: 1 } },
  ]);
  expect(Object.keys(device.requests[0] ?? {})).not.toContain("docker_compose");
});

test("a wish for a device that is not there is kept, and the device reads it when it comes", async () => {
  const studio = await bench.start();
  const flock = studio.addDevice({ name: "press-01" });
  studio.addApp(WEATHER);
  expect(await studio.desire("weather", "RUNNING")).toMatchObject({
    outcome: "kept",
    why: /press-01 is not connected/,
  });
  const { backEnd } = await bench.join(flock);
  expect(await backEnd.desiredStates()).toMatchObject({
    ...{ orders: [{ order: { ...ORDER, version: "1.1.0", releaseKey: 2 } }], unsupported: [], bad: [] },
  });
});

test("without a version it stays the one that was wanted before, also when a newer one is published", async () => {
  const studio = await bench.start();
  studio.addDevice({ name: "press-01" });
  studio.addApp(WEATHER);
  await studio.desire("weather", "RUNNING", "1.0.0");
  studio.addApp({ ...WEATHER, versions: ["2.0.0"] });
  expect(await studio.desire("weather", "PRESENT")).toMatchObject({ version: "1.0.0" });
  expect(studio.knownApps()).toEqual([{ ...WEATHER, versions: ["1.0.0", "1.1.0", "2.0.0"] }]);
});

test("what the device says to a wish comes back: refused, an error with its sentence, nothing at all", async () => {
  const studio = await bench.start();
  const { answer } = await bench.online(studio.addDevice({ name: "press-01" }));
  studio.addApp(WEATHER);
  answer.now = () => {
    throw new Refusal("wamp.error.canceled", [{ error: "insufficient privileges to request app state" }]);
  };
  expect(await studio.desire("weather", "RUNNING")).toMatchObject({
    ...{ outcome: "failed", why: "insufficient privileges to request app state" },
  });
  answer.now = () => null;
  expect(await studio.desire("weather", "RUNNING")).toMatchObject({ outcome: "accepted" });
});

test("nobody can wish for what is not known, and the sentence says what is", async () => {
  const studio = await bench.start();
  studio.addApp(WEATHER);
  await expect(studio.desire("weather", "RUNNING")).rejects.toThrow(/there is no device yet/);
  studio.addDevice({ name: "press-01" });
  await expect(studio.desire("wether", "RUNNING")).rejects.toThrow(/there is no app wether; known are weather/);
  await expect(studio.desire("weather", "RUNNING", "9")).rejects.toThrow(/no version 9, only 1.0.0, 1.1.0/);
  studio.addDevice({ name: "press-02" });
  await expect(studio.desire("weather", "RUNNING")).rejects.toThrow(/say which device; known are press-01, press-02/);
  expect(() => studio.addApp({ ...WEATHER, key: 43 })).toThrow(/app 42 is called weather/);
  expect(() => studio.addApp({ ...WEATHER, name: "Wetter!" })).toThrow(/name: is no name of an app/);
});

test("two devices: each gets its own wishes, and its reports are its own", async () => {
  const studio = await bench.start();
  const one = await bench.online(studio.addDevice({ name: "press-01" }));
  const two = await bench.online(studio.addDevice({ name: "press-02" }));
  studio.addApp(WEATHER);
  await studio.desire("weather", "RUNNING", undefined, "press-02");
  expect([one.requests.length, two.requests.length]).toEqual([0, 1]);
  expect((await one.backEnd.desiredStates()).orders).toEqual([]);
  await two.backEnd.tell({ ...ORDER, version: "1.1.0", releaseKey: 2 }, { state: "RUNNING", version: "1.1.0" });
  expect(studio.apps()).toMatchObject([
    { app: "weather", device: "press-01", desired: undefined, reported: undefined },
    {
      ...{ app: "weather", device: "press-02", deviceStatus: "CONNECTED" },
      desired: { target: "RUNNING", version: "1.1.0" },
      reported: { state: "RUNNING", version: "1.1.0" },
    },
  ]);
});

test("a device that leaves, or is cut off, is DISCONNECTED; its wishes are kept from then on", async () => {
  const studio = await bench.start();
  const [one, two] = [studio.addDevice({ name: "press-01" }), studio.addDevice({ name: "press-02" })];
  studio.addApp(WEATHER);
  const [polite, cut] = [await bench.online(one), await bench.online(two)];
  await polite.session.leave();
  cut.session.close();
  await expect
    .poll(statuses)
    .toEqual([
      ...["press-01 CONFIGURING", "press-01 CONNECTED", "press-02 CONFIGURING", "press-02 CONNECTED"],
      ...["press-01 DISCONNECTED", "press-02 DISCONNECTED"],
    ]);
  expect(bench.all("device.status").at(1)?.session).toBeGreaterThan(0);
  expect(await studio.desire("weather", "RUNNING", undefined, "press-02")).toMatchObject({ outcome: "kept" });
});

test("the testament of an old link does not end a new one", async () => {
  const studio = await bench.start();
  const flock = studio.addDevice({ name: "press-01" });
  const old = await bench.join(flock);
  await old.backEnd.addTestament();
  await old.backEnd.status("CONNECTED");
  const fresh = await bench.join(flock);
  await fresh.backEnd.status("CONNECTED");
  old.session.close();
  const last = await bench.join(studio.addDevice({ name: "press-02" }));
  await last.backEnd.addTestament();
  await last.backEnd.status("CONNECTED");
  await last.session.leave();
  await expect.poll(statuses).toContain("press-02 DISCONNECTED");
  expect(statuses()).not.toContain("press-01 DISCONNECTED");
});

test("what apps say becomes lines: output, the agent's own words, layers on their way", async () => {
  const studio = await bench.start();
  const { session } = await bench.online(studio.addDevice({ name: "press-01" }));
  const say = (message: unknown) =>
    session.publishAcknowledged(`reswarm.logs.${studio.flock("press-01")?.serial_number}.prod_42_weather`, [message]);
  await say({ type: "build", chunk: "LOGGER_CLEAR" });
  await say({ type: "build", chunk: "Starting weather..." });
  await say('{"status":"Downloading","progress":"[=> ] 1MB/2MB","id":"ab12"}\n{"status":"Pull complete","id":"ab12"}');
  await say('sunny\n{"status": 7}\n{"status":7}');
  await say({ id: "x", status: "Transfer Progress:", progress: "12.345%" });
  await say(7);
  await expect.poll(() => bench.all("log").length + bench.all("problem").length).toBe(6);
  expect(bench.all("log")).toMatchObject(Array(5).fill({ container: "prod_42_weather", device: { name: "press-01" } }));
  expect(bench.all("log").map(({ lines }) => lines)).toEqual([
    [{ is: "clear" }],
    [{ is: "agent", text: "Starting weather..." }],
    [
      { is: "progress", id: "ab12", status: "Downloading", progress: "[=> ] 1MB/2MB" },
      { is: "progress", id: "ab12", status: "Pull complete", progress: "" },
    ],
    ["sunny", '{"status": 7}', '{"status":7}'].map((text) => ({ is: "output", text })),
    [{ is: "progress", id: "x", status: "Transfer Progress:", progress: "12.345%" }],
  ]);
  expect(bench.all("problem")).toMatchObject([{ about: /^event reswarm.logs/ }]);
});

test("without logs nobody subscribes, so a device that looks finds nobody", async () => {
  const studio = await bench.start({ logs: false });
  const { session, device } = await bench.online(studio.addDevice({ name: "press-01" }));
  const match = await session.call("wamp.subscription.match", [`reswarm.logs.${device.serial}.prod_42_weather`]);
  expect(match.args).toEqual([null]);
});

test("started again on its folder it has the same address and goes on with what it knew", async () => {
  const first = await bench.start();
  const flock = first.addDevice({ name: "press-01" });
  first.addApp(WEATHER);
  await bench.online(flock);
  await first.desire("weather", "RUNNING", "1.0.0");
  await first.stop();

  bench.events.length = 0;
  const second = await bench.start();
  expect(second.url).toBe(first.url);
  expect(second.operator).toEqual(first.operator);
  expect(second.flock("press-01")).toEqual(flock);
  expect(statuses()).toEqual(["press-01 DISCONNECTED"]);
  const { backEnd } = await bench.online(flock);
  expect((await backEnd.desiredStates()).orders).toMatchObject([{ order: { name: "weather", version: "1.0.0" } }]);
  expect(await second.desire("weather", "PRESENT")).toMatchObject({ outcome: "now", version: "1.0.0" });
});

test("a second studio on the same folder, or on a port that is taken, is refused", async () => {
  const first = await bench.start();
  await expect(bench.start({ port: 0 })).rejects.toMatchObject({ code: "studio_refused", message: /another studio/ });
  const other = new Bench();
  const port = Number(new URL(first.url).port);
  await expect(other.start({ port })).rejects.toMatchObject({ code: "studio_refused", message: /EADDRINUSE/ });
  await other.end();
});
