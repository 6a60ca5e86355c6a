/** An app's ports on the device: given, kept, told, exchanged when somebody else has one, and taken over from an original. */
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { dial } from "../support/link.ts";
import { makeOriginal, WEATHER } from "../support/originalHome.ts";
import { hears, isDevice, reads, type Stage, startStage } from "./stage.ts";

const SERVES = "trap 'exit 0' TERM; echo my port is $DEVICE_PORT_FOR_8080; while true; do sleep 1; done";

async function request(s: Stage, target: string, ports: unknown[], newest = "1.0.0") {
  const { authid, secret } = s.operator();
  const line = dial(s.routerUrl(), { authid, readSecret: () => secret });
  const session = await line.joined;
  await session.call(`re.mgmt.${s.identity.serial_number}.request_app_state`, [], {
    ...{ app_key: s.key, app_name: "weather", stage: "PROD", target_state: target, current_state: "PRESENT" },
    ...{ present_version: "1.0.0", requestor_account_key: 5, ports },
    ...(newest !== "1.0.0" && { request_update: true, newest_version: newest }),
  });
  session.close();
  await line.end;
}

async function online(isProxied = false) {
  const s = await startStage({ isProxied });
  await s.publish("1.0.0", SERVES);
  await s.see("the device is connected", isDevice("CONNECTED"), () => s.startAgent());
  return s;
}
const portOf = async (s: Stage) => {
  const info = await s.engine.container(s.container);
  const bindings = (info?.HostConfig.PortBindings ?? {}) as Record<string, { HostPort: string }[]>;
  return Number(bindings["8080/tcp"]?.[0]?.HostPort);
};
const told = (s: Stage) =>
  s.happened.flatMap((each) =>
    each.from === "studio" && each.event.type === "app.ports" ? [each.event.report.ports] : [],
  );
const isTold = (port: () => number) => (happening: Stage["happened"][number]) =>
  happening.from === "studio" &&
  happening.event.type === "app.ports" &&
  happening.event.report.ports[0]?.["host_port"] === port();

test("one of the pool, told to the app and to the back end, and kept over a stop", async () => {
  await using s = await online();
  const rules = [{ port: 8080, name: "web", active: true }];
  await s.see("it runs", hears(s.key, "RUNNING"), () => request(s, "RUNNING", rules), 60_000);
  const port = await portOf(s);
  expect(port).toBeGreaterThanOrEqual(40_000);
  await s.see("the app knows it", reads(`my port is ${port}`));
  await s.see(
    "the back end knows it",
    isTold(() => port),
  );
  expect(told(s)[0]?.[0]).toMatchObject({ port: 8080, name: "web", active: true, host_port: port });
  await s.see("stopped", hears(s.key, "PRESENT"), () => request(s, "PRESENT", rules));
  await s.see("it runs again", hears(s.key, "RUNNING"), () => request(s, "RUNNING", rules));
  expect(await portOf(s)).toBe(port);
});

test("one that a program of the device took meanwhile is exchanged, and that is told", async () => {
  await using s = await online();
  const server = createServer().listen(0, "0.0.0.0");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port: taken } = server.address() as { port: number };
  const rules = [{ port: 8080, host_port: taken }];
  await s.see("it runs", hears(s.key, "RUNNING"), () => request(s, "RUNNING", rules), 60_000);
  const port = await portOf(s);
  expect(port).not.toBe(taken);
  await s.see(
    "the back end knows it",
    isTold(() => port),
  );
  server.close();
});

test("one that was exchanged in the middle of an update is the old version's too when that comes back", async () => {
  await using s = await online(true);
  await s.publish("2.0.0", "sleep 2; exit 1");
  const rules = [{ port: 8080 }];
  await s.see("it runs", hears(s.key, "RUNNING"), () => request(s, "RUNNING", rules), 60_000);
  const taken = await portOf(s);
  const held = s.proxy.on(/^POST \/containers\/\w+\/rename$/, "hold");
  const server = createServer();
  await s.see("it is exchanged", reads(`Port ${taken} of the device is taken; another one is used`), async () => {
    await request(s, "RUNNING", rules, "2.0.0");
    await held.arrived;
    await new Promise<void>((resolve) => server.listen(taken, "0.0.0.0", resolve));
    held.release();
  });
  server.close();
  await s.see("the old version is back", hears(s.key, "RUNNING"), undefined, 60_000);
  const port = await portOf(s);
  expect((await s.engine.container(s.container))?.Config.Labels["io.reagent.version"]).toBe("1.0.0");
  expect(port).not.toBe(taken);
  await s.see(
    "the back end knows it",
    isTold(() => port),
  );
});

test("those of an original's container are its successor's", async () => {
  await using s = await startStage({ env: { REAGENT_CONTAINERS_ACCESS: "none" } });
  const image = await s.publish("1.0.0", SERVES);
  await s.engine.pull(image, { signal: AbortSignal.timeout(30_000), onProgress: () => {} });
  const id = await s.engine.create(s.container, {
    ...{ Image: image, Labels: { real: "True" }, Tty: true, ExposedPorts: { "8080/tcp": {} } },
    HostConfig: { PortBindings: { "8080/tcp": [{ HostIp: "0.0.0.0", HostPort: "43210" }] } },
  });
  await s.engine.start(id);
  mkdirSync(s.home, { mode: 0o700 });
  makeOriginal(s.home, [{ ...WEATHER, app_key: s.key, ports: '[{"port":8080}]' }]);
  await s.see("told as it is", hears(s.key, "RUNNING"), () => s.startAgent());
  expect((await s.engine.container(s.container))?.Id).toBe(id);
  await s.see("failed", hears(s.key, "FAILED"), () => s.engine.stop(id, 0), 30_000);
  await s.see("its successor runs", hears(s.key, "RUNNING"), () => {}, 30_000);
  expect(await portOf(s)).toBe(43_210);
});
