/** The studio, or its link to a router, goes away and comes back. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StudioEvent } from "../../src/model/studio.ts";
import { BackEnd } from "../../src/studio/backEnd.ts";
import { DesiredStates, type WishRow } from "../../src/studio/desiredStates.ts";
import { type Flock, flockOf } from "../../src/studio/flock.ts";
import { EVERYTHING, MiniRouter } from "../../src/studio/router/minirouter.ts";
import { Bench } from "./bench.ts";

const login = (secret: string, authid = "system") => ({ authid, method: "wampcra", secret }) as const;
const DEVICE = { name: "press-01", swarmName: "a", owner: "b", architecture: "" };
const WISH: WishRow = {
  ...{ appKey: 1, appName: "a", target: "RUNNING" as const, version: "1", newestVersion: "1", state: "REMOVED" },
  ...{ releaseKey: 1, newestReleaseKey: 1, requestor: 5 },
};

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

test("killed in the middle, it goes on with what it knew, at the same address", async () => {
  const program = fileURLToPath(new URL("./servedStudio.ts", import.meta.url));
  const child = spawn(process.execPath, [program, bench.folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(child.stdout), "line");
  const flock = JSON.parse(line as string) as Flock;
  const before = await bench.online(flock);
  child.kill("SIGKILL");
  await before.session.closed;
  await once(child, "close");

  const studio = await bench.start();
  expect(studio.url).toBe(flock.device_endpoint_url);
  expect(bench.all("device.status")).toMatchObject([{ status: "DISCONNECTED", device: { name: "press-01" } }]);
  const after = await bench.online(flock);
  expect((await after.backEnd.desiredStates()).orders).toMatchObject([
    { order: { name: "weather", target: "RUNNING" } },
  ]);
  expect(await studio.desire("weather", "PRESENT")).toMatchObject({ outcome: "now" });
});

test("on another router: it joins with what it is given, is there again after a cut, and knows who is gone", async () => {
  const store = new DesiredStates(bench.folder);
  const row = store.addDevice(DEVICE, "r");
  const users = {
    studio: { method: "wampcra", secret: "s", role: "backend" },
    "1-1": { method: "wampcra", secret: row.secret, role: "device" },
  } as const;
  const router = await new MiniRouter({
    ...{ realms: ["plant"], users },
    roles: { backend: EVERYTHING, device: EVERYTHING },
  }).listen();
  const events: StudioEvent[] = [];
  const backEnd = new BackEnd({
    ...{ url: router.url, realm: "plant", login: login("s", "studio"), store, accounts: [7], logs: true },
    ...{ emit: (event) => events.push(event), now: () => new Date(0), random: () => 0 },
  });
  try {
    await backEnd.ready;
    const device = await bench.joinRealm("plant", flockOf(row, router.url));
    await device.session.register(`re.mgmt.${row.serial}.wamp_connection_established`, () => 1);
    await device.backEnd.status("CONNECTED");
    expect(await device.backEnd.mayAccount(7, "READ")).toBe(true);
    const told = () => events.map((event) => (event.type === "device.status" ? event.status : event.type));
    const ups = () => told().filter((what) => what === "link.up");

    router.peer("studio").ws.terminate();
    await expect.poll(ups).toHaveLength(2);
    router.cutAll();
    await expect.poll(ups).toHaveLength(3);
    const again = ["link.down", "link.up"];
    expect(told()).toEqual(["link.up", "CONNECTED", ...again, "link.down", "DISCONNECTED", "link.up"]);
  } finally {
    await backEnd.stop();
    await router.close({ goodbye: false });
    store.close();
  }
});

test("a router that does not want it is told, and it can be stopped all the same", async () => {
  const router = await new MiniRouter({
    users: { system: { method: "wampcra", secret: "s", role: "operator" } },
  }).listen();
  const store = new DesiredStates(bench.folder);
  const told = Promise.withResolvers<StudioEvent>();
  const backEnd = new BackEnd({
    ...{ url: router.url, login: login("wrong"), store, accounts: [5], logs: false, emit: told.resolve },
    ...{ now: () => new Date(0), random: () => 0 },
  });
  expect(await told.promise).toMatchObject({
    ...{ type: "link.down", because: expect.stringContaining("authentication_failed") },
  });
  expect(await backEnd.request(store.addDevice(DEVICE, "r"), WISH)).toMatchObject({ outcome: "kept" });
  await backEnd.stop();
  await router.close({ goodbye: false });
  store.close();
});

test("a router that does not say who calls gets every question refused, with the reason", async () => {
  const store = new DesiredStates(bench.folder);
  const row = store.addDevice(DEVICE, "r");
  const mum = EVERYTHING.map((rule) => ({ ...rule, disclose: false }));
  const users = {
    system: { method: "wampcra", secret: "s", role: "operator" },
    "1-1": { method: "wampcra", secret: row.secret, role: "operator" },
  } as const;
  const router = await new MiniRouter({ users, roles: { operator: mum } }).listen();
  const backEnd = new BackEnd({
    ...{ url: router.url, login: login("s"), store, accounts: [5], logs: false, emit: () => {} },
    ...{ now: () => new Date(0), random: () => 0 },
  });
  await backEnd.ready;
  const device = await bench.join(flockOf(row, router.url));
  await expect(device.backEnd.metadata()).rejects.toThrow(/back end did not answer/);
  await expect(device.session.call("reswarm.devices.get_app_cred_key")).rejects.toMatchObject({
    args: [expect.stringContaining("disclose callers")],
  });
  await backEnd.stop();
  await router.close({ goodbye: false });
  store.close();
});
