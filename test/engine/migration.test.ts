/** An agent that starts beside an original's database and on its containers; those run without privileges here, which this kind of machine cannot give. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Status } from "../../src/model/status.ts";
import { ask } from "../../src/services/controlClient.ts";
import { makeOriginal, WEATHER } from "../support/originalHome.ts";
import { hears, isDevice, reads, type Stage, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; while true; do echo hello; sleep 1; done";

/** As the original makes one, but for its privileges. */
async function originalContainer(s: Stage, image: string): Promise<string> {
  const id = await s.engine.create(s.container, {
    Image: image,
    Labels: { real: "True" },
    Tty: true,
    HostConfig: { RestartPolicy: { Name: "no" } },
  });
  await s.engine.start(id);
  return id;
}

const PLAIN = { environment_variables: "{}", ports: "[]" };

async function moved(s: Stage, more: Record<string, string> = PLAIN) {
  const image = await s.publish("1.0.0", FOREVER);
  await s.engine.pull(image, { signal: AbortSignal.timeout(30_000), onProgress: () => {} });
  const id = await originalContainer(s, image);
  mkdirSync(s.home, { mode: 0o700 });
  const database = makeOriginal(s.home, [{ ...WEATHER, ...more, app_key: s.key }]);
  const look = async () => {
    const info = await s.engine.container(s.container);
    return { id: info?.Id, startedAt: info?.State.StartedAt, isUp: info?.State.Running };
  };
  const hash = () => createHash("sha256").update(readFileSync(database)).digest("hex");
  return { id, before: await look(), look, hash, file: hash() };
}
const status = async (s: Stage) => Status.parse(await ask(join(s.home, "reagent.sock"), "status"));

test.concurrent("its container runs on untouched, is told as RUNNING, and its database stays as it is", async () => {
  await using s = await startStage();
  const { before, look, hash, file } = await moved(s);
  await s.see("the app is told", hears(s.key, "RUNNING"), () => s.startAgent());
  await s.see("the device is connected", isDevice("CONNECTED"));
  expect(s.reports()).toEqual(["RUNNING"]);
  expect(await look()).toEqual(before);
  expect(hash()).toBe(file);
  expect(await status(s)).toMatchObject({
    apps: [{ key: s.key, state: "active.running.settling", version: "1.0.0" }],
    takenOver: { apps: [`PROD:${s.key}`], skipped: [] },
    // This studio's list does not name it, which is not believed at once.
    problems: [{ about: "desired_states.doubt" }],
  });
});

test.concurrent("it stays adopted after a restart of the agent, and after a request for what it is", async () => {
  await using s = await startStage();
  const { before, look } = await moved(s);
  const agent = s.startAgent();
  await s.see("connected", isDevice("CONNECTED"));
  await agent.stop();
  await s.see("connected again", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("told", hears(s.key, "RUNNING"), () => s.want("RUNNING"));
  expect(await look()).toEqual(before);
});

test.concurrent("other variables than it was made for replace it, once", async () => {
  await using s = await startStage({ env: { REAGENT_CONTAINERS_ACCESS: "none" } });
  const { id, look } = await moved(s, { environment_variables: '{"CITY":{"value":"Bonn"}}', ports: "[]" });
  const agent = s.startAgent();
  await s.see("connected", isDevice("CONNECTED"));
  expect((await look()).id).toBe(id);
  await agent.stop();
  await s.see("it runs on", hears(s.key, "RUNNING"), () => s.startAgent());
  expect((await look()).id).toBe(id);
  await s.see("another one", hears(s.key, "STARTING"), () => s.want("RUNNING"), 30_000);
  await s.see("runs", hears(s.key, "RUNNING"), () => {}, 30_000);
  expect((await look()).id).not.toBe(id);
});

test.concurrent("killed by hand it is FAILED, and then one of our own runs, with the original's name and label", async () => {
  // As privileged as the one before it could not start here.
  await using s = await startStage({ env: { REAGENT_CONTAINERS_ACCESS: "none" } });
  const { id } = await moved(s);
  // One that ends before it was looked at is one that ended while nobody watched, and no failure.
  await s.see("told as it is", hears(s.key, "RUNNING"), () => s.startAgent());
  await s.see("failed", hears(s.key, "FAILED"), () => s.engine.stop(id, 0), 30_000);
  await s.see("runs again", hears(s.key, "RUNNING"), () => {}, 30_000);
  const info = await s.engine.container(s.container);
  expect(info?.Id).not.toBe(id);
  expect(info?.Config.Labels["real"]).toBe("True");
});

test.concurrent("its output is followed", async () => {
  await using s = await startStage();
  await moved(s);
  await s.see("the output", reads("hello"), () => s.startAgent());
});

test.concurrent("stopped and removed as any other", async () => {
  await using s = await startStage();
  await moved(s);
  s.startAgent();
  await s.see("connected", isDevice("CONNECTED"));
  await s.see("stopped", hears(s.key, "PRESENT"), () => s.want("PRESENT"));
  expect(await s.engine.container(s.container)).toBeUndefined();
  await s.see("removed", hears(s.key, "REMOVED"), () => s.want("REMOVED"));
});

test.concurrent("a container with that name and label is left alone where nothing was taken over", async () => {
  await using s = await startStage();
  const image = await s.publish("1.0.0", FOREVER);
  await s.engine.pull(image, { signal: AbortSignal.timeout(30_000), onProgress: () => {} });
  const id = await originalContainer(s, image);
  s.startAgent();
  await s.see("connected", isDevice("CONNECTED"));
  await s.see("failed", hears(s.key, "FAILED"), () => s.want("RUNNING"), 30_000);
  expect((await s.engine.container(id))?.State.Running).toBe(true);
  await s.engine.remove(id);
});
