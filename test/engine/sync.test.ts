/** The studio's list at a connect, against a real engine: what it names, what it does not, and what is nobody's business. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createEngine } from "../../src/services/docker.ts";
import { makeImage } from "../../src/studio/demoImage.ts";
import { goes, hears, isDevice, type Stage, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.2; done";
const ENV = { REAGENT_CONTAINERS_STOP_GRACE: "1" };

async function running() {
  const s = await startStage({ env: ENV });
  await s.publish("1.0.0", FOREVER);
  const agent = s.startAgent();
  await s.see("connected", isDevice("CONNECTED"), () => {});
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  for (const n of [1, 2]) await s.another(n, FOREVER);
  return { s, agent };
}

const other = (s: Stage, n: number) => `prod_${s.key + n * 1_000_000}_weather-${n}`;

/** A container with labels as ours, or as somebody else's. */
async function plant(s: Stage, name: string, Labels: Record<string, string>) {
  const ref = `planted-${s.key}:1`;
  await makeImage(s.engineSocket, { ref, script: FOREVER });
  const id = await s.engine.create(name, { Image: ref, Labels, HostConfig: { RestartPolicy: { Name: "no" } } });
  await s.engine.start(id);
  return id;
}
const ours = (s: Stage, key: number, serial = s.identity.serial_number) => ({
  real: "True",
  "io.reagent.serial": serial,
  "io.reagent.stage": "PROD",
  "io.reagent.app-key": String(key),
});

test.concurrent("O: an app that the list leaves out goes before the device is CONNECTED, its data stay, and its going is not told", async () => {
  const { s, agent } = await running();
  await using _ = s;
  await agent.kill();
  await s.forgetWishes(s.key);
  const from = s.happened.length;
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent(), 30_000);
  await s.see("gone", goes(s.app, /^absent\.removed$/), undefined, 30_000);
  expect(await s.engine.container(s.container)).toBeUndefined();
  expect(existsSync(join(s.home, "apps/prod/weather"))).toBe(true);
  expect(await s.engine.tagsOf(s.repository)).toEqual([]);
  const told = s.happened
    .slice(from)
    .filter((each) => /DELETING|REMOVED/.test(JSON.stringify(each)) && each.from === "studio");
  expect(told).toEqual([]);
  for (const n of [1, 2]) expect((await s.engine.container(other(s, n)))?.State.Running).toBe(true);
}, 120_000);

test.concurrent("O: an empty list removes nothing; that is shown", async () => {
  const { s, agent } = await running();
  await using _ = s;
  await agent.kill();
  await s.forgetWishes();
  await s.see(
    "doubted",
    (each) => each.from === "agent" && JSON.stringify(each.line).includes("list_doubted"),
    () => s.startAgent(),
  );
  await s.see("connected", isDevice("CONNECTED"));
  for (const name of [s.container, other(s, 1), other(s, 2)])
    expect((await s.engine.container(name))?.State.Running).toBe(true);
}, 120_000);

test.concurrent("O: orphans of this device go; another device's, foreign ones and a compose project's stay", async () => {
  await using s = await startStage({ env: ENV });
  await s.publish("1.0.0", FOREVER);
  const engine = createEngine({ socketPath: s.engineSocket });
  const orphan = await plant(s, `prod_99_ghost-${s.key}`, ours(s, 99));
  const strangers = [
    await plant(s, `prod_98_ghost-${s.key}`, ours(s, 98, "another-device")),
    await plant(s, `prod_97_ghost-${s.key}`, { real: "True" }),
    await plant(s, `my-prod_42_weather-${s.key}`, {}),
    await plant(s, `compose-${s.key}-nginx-1`, { "com.docker.compose.project": "prod_6_shop_compose" }),
  ];
  try {
    await s.see(
      "removed",
      (each) => each.from === "agent" && JSON.stringify(each.line).includes("nobody knows is removed"),
      () => s.startAgent(),
    );
    expect(await engine.container(orphan)).toBeUndefined();
    for (const id of strangers) expect((await engine.container(id))?.State.Running).toBe(true);
  } finally {
    for (const id of strangers) await engine.remove(id);
    await engine.removeImage(`planted-${s.key}:1`);
  }
});

test.concurrent("with an empty database what bears our serial and is named by the list is taken over as it runs", async () => {
  await using s = await startStage({ env: ENV });
  await s.publish("1.0.0", FOREVER);
  const agent = s.startAgent();
  await s.see("connected", isDevice("CONNECTED"), () => {});
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  const before = await s.engine.container(s.container);
  await agent.kill();
  for (const end of ["", "-wal", "-shm"]) rmSync(join(s.home, `agent.db${end}`), { force: true });
  await s.see("it is told as it runs", hears(s.key, "RUNNING"), () => s.startAgent(), 30_000);
  expect((await s.engine.container(s.container))?.State.StartedAt).toBe(before?.State.StartedAt);
});
