/** What a container is made with: the whole of what is asked for, what the engine made of it, and what is never touched. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeImage } from "../../src/studio/demoImage.ts";
import { dial } from "../support/link.ts";
import { goes, hears, isDevice, reads, type Stage, type StageOptions, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; while true; do sleep 1; done";
const SHORT = { REAGENT_CONTAINERS_STOP_GRACE: "1" };

async function online({ env, ...options }: Partial<StageOptions> = {}, script = FOREVER) {
  const s = await startStage({ isProxied: true, env: { ...SHORT, ...env }, ...options });
  await s.publish("1.0.0", script);
  await s.see("the device is connected", isDevice("CONNECTED"), () => s.startAgent());
  return s;
}
const run = (s: Stage, state = "RUNNING") => s.see(state, hears(s.key, state), () => s.want("RUNNING"), 60_000);
const bodyOf = (s: Stage) => s.proxy.asked.find(({ path }) => path === "/containers/create");

/** The part that is the same for every access. */
function expected(s: Stage) {
  const { identity } = s;
  return {
    Image: `${identity.docker_registry_url}apps/prod_amd64_${s.key}_weather:1.0.0`,
    Tty: true,
    Env: [
      `DEVICE_SERIAL_NUMBER=${identity.serial_number}`,
      "ENV=PROD",
      `DEVICE_KEY=${identity.device_key}`,
      `SWARM_KEY=${identity.swarm_key}`,
      `APP_KEY=${s.key}`,
      "APP_NAME=weather",
      "DEVICE_NAME=press-01",
      expect.stringMatching(/^DEVICE_ENDPOINT_URL=ws:\/\/host\.docker\.internal:\d+\/$/),
      "TUNNEL_DOMAIN=127.0.0.1",
      `APP_AUTH_ID=app-${s.key}-prod-e1@${identity.serial_number}`,
      expect.stringMatching(/^APP_AUTH_SECRET=[A-Za-z0-9+/]{43}=$/),
    ],
    Labels: {
      real: "True",
      "io.reagent.agent": "reagent",
      "io.reagent.serial": identity.serial_number,
      "io.reagent.stage": "PROD",
      "io.reagent.app-key": String(s.key),
      "io.reagent.version": "1.0.0",
      "io.reagent.spec": "1-weather",
    },
    HostConfig: {
      Binds: [`${s.home}/apps/shared:/shared`, `${s.home}/apps/prod/weather:/data`],
      NetworkMode: "bridge",
      ExtraHosts: ["host.docker.internal:host-gateway"],
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
  };
}

/** The address of this device in its network is left out: it is another one everywhere. */
function withoutAddress(body: unknown) {
  const { Env, ...rest } = body as { Env: string[] };
  return { ...rest, Env: Env.filter((each) => !each.startsWith("DEVICE_LAN_IP=")) };
}

test("access none: what is asked for, whole, and what the engine made of it", async () => {
  await using s = await online();
  await run(s);
  const { HostConfig, ...rest } = expected(s);
  expect(bodyOf(s)?.query).toBe(`name=${s.container}`);
  expect(withoutAddress(bodyOf(s)?.body)).toEqual({
    ...rest,
    HostConfig: { ...HostConfig, SecurityOpt: ["no-new-privileges"] },
  });
  const made = await s.engine.container(s.container);
  expect(made).toMatchObject({
    Name: `/${s.container}`,
    Config: { Tty: true, Labels: rest.Labels, Env: expect.arrayContaining(["ENV=PROD", `APP_KEY=${s.key}`]) },
    HostConfig: {
      Privileged: false,
      NetworkMode: "bridge",
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
      ExtraHosts: ["host.docker.internal:host-gateway"],
      Binds: HostConfig.Binds,
    },
  });
});

test("a list of devices: these and no more", async () => {
  await using s = await online({ env: { REAGENT_CONTAINERS_ACCESS: "/dev/null,/dev/zero" } });
  await run(s);
  const { HostConfig, ...rest } = expected(s);
  const device = (path: string) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: "rwm" });
  expect(withoutAddress(bodyOf(s)?.body)).toEqual({
    ...rest,
    HostConfig: {
      ...HostConfig,
      SecurityOpt: ["no-new-privileges"],
      Devices: [device("/dev/null"), device("/dev/zero")],
    },
  });
});

test("full access, as the original's containers: what is asked for is compared, since no privileged container starts on this kind of machine", async () => {
  await using s = await online({ env: { REAGENT_CONTAINERS_ACCESS: "full" } });
  s.proxy.on(/^POST \/containers\/create$/, { refuse: 500 });
  await run(s, "FAILED");
  const { HostConfig, ...rest } = expected(s);
  const all = { PathOnHost: "/dev", PathInContainer: "/dev", CgroupPermissions: "rwm" };
  const body = withoutAddress(bodyOf(s)?.body) as unknown as { HostConfig: { Binds: string[] } };
  const extras = body.HostConfig.Binds.slice(2);
  expect(extras.filter((bind) => !/^(\/sys\/bus\/w1\/devices|\/usr\/local\/cuda):/.test(bind))).toEqual([]);
  expect(body).toEqual({
    ...rest,
    HostConfig: {
      ...HostConfig,
      Binds: [...HostConfig.Binds, ...extras],
      Privileged: true,
      CapAdd: ["ALL"],
      Devices: [all],
    },
  });
});

test.each(["data", "shared"])(
  "a link that leads out of the apps folder, in the place of %s, is not followed",
  async (which) => {
    await using s = await online();
    const outside = join(s.folder, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "keep"), "me");
    mkdirSync(join(s.home, "apps", "prod"), { recursive: true });
    symlinkSync(outside, which === "data" ? join(s.home, "apps", "prod", "weather") : join(s.home, "apps", "shared"));
    await run(s, "FAILED");
    await s.see("why", reads(/leads out of the apps folder/));
    expect(s.proxy.mutations()).not.toContain("POST /containers/create");
    expect(readdirSync(outside)).toEqual(["keep"]);
  },
);

test("an image that brings our labels is refused, and stays so", async () => {
  await using s = await online();
  const ref = await s.publish("1.0.0", FOREVER);
  await makeImage(s.engineSocket, { ref, script: FOREVER, labels: { "io.reagent.serial": "somebody-else" } });
  await run(s, "FAILED");
  await s.see("why", reads(/has the label io\.reagent\.serial/));
  await s.see("what next", reads("weather (PROD) is not tried again by itself"));
  await s.engine.removeImage(ref);
});

test("a foreign container that has the name is a failure that says so; a foreign one with a name like it runs on", async () => {
  await using s = await online();
  const ref = await s.publish("1.0.0", FOREVER);
  await makeImage(s.engineSocket, { ref, script: FOREVER });
  const foreign = await s.engine.create(s.container, { Image: ref, Labels: { real: "True" } });
  const alike = await s.engine.create(`my-${s.container}-x`, { Image: ref });
  await s.engine.start(foreign);
  await s.engine.start(alike);
  try {
    await run(s, "FAILED");
    await s.see("why", reads(/a container that is not ours has the name/));
    await s.see("REMOVED", hears(s.key, "REMOVED"), () => s.want("REMOVED"));
    for (const id of [foreign, alike]) expect((await s.engine.container(id))?.State.Running).toBe(true);
  } finally {
    await s.engine.remove(foreign);
    await s.engine.remove(alike);
  }
});

test("two apps with one name share no data", async () => {
  await using s = await online();
  await run(s);
  const dataOf = async (name: string) => (await s.engine.container(name))?.HostConfig.Binds?.[1];
  const namesake = s.key + 1;
  const ref = `${s.identity.docker_registry_url}apps/prod_amd64_${namesake}_weather:1.0.0`;
  await makeImage(s.engineSocket, { ref, script: FOREVER });
  const { authid, secret } = s.operator();
  const session = await dial(s.routerUrl(), { authid, readSecret: () => secret }).joined;
  const request = () =>
    session.call(`re.mgmt.${s.identity.serial_number}.request_app_state`, [], {
      ...{ app_key: namesake, app_name: "weather", stage: "PROD", target_state: "RUNNING", current_state: "PRESENT" },
      ...{ present_version: "1.0.0", requestor_account_key: 5 },
    });
  await s.see("its namesake runs", goes(`app:PROD:${namesake}`, /^active\.running/), request, 60_000);
  await session.leave();
  const folders = [`${s.home}/apps/prod/weather:/data`, `${s.home}/apps/prod/weather.${namesake}:/data`];
  const seen = async () => [await dataOf(s.container), await dataOf(`prod_${namesake}_weather`)];
  expect(await seen()).toEqual(folders);
});
