/** What takes half a minute by design, side by side: the grace of a sick container, and the patience with an engine that hangs. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { Status } from "../../src/model/status.ts";
import { ask } from "../../src/services/controlClient.ts";
import { goes, hears, isDevice, type Stage, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.2; done";
const ENV = { REAGENT_CONTAINERS_STOP_GRACE: "1" };
const appOf = async (s: Stage) => Status.parse(await ask(join(s.home, "reagent.sock"), "status")).apps[0];
const statesOf = async (s: Stage) =>
  (await s.engine.containers([`io.reagent.app-key=${s.key}`])).map(({ State }) => State);

async function running() {
  const s = await startStage({ isProxied: true, env: ENV });
  await s.publish("1.0.0", FOREVER);
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  return s;
}

test.concurrent("an engine that hangs in the middle of a stop: unknown since then, no failure told, and stopped when it is sane again", async () => {
  await using s = await running();
  const held = s.proxy.on(/./, "hold");
  const before = Date.now();
  await s.see("STOPPING", hears(s.key, "STOPPING"), () => s.want("PRESENT"));
  await s.see("unknown", goes(s.app, /^unsure\.unknown$/), undefined, 150_000);
  expect(s.reports()).not.toContain("FAILED");
  const shown = await appOf(s);
  expect(shown).toMatchObject({ state: "unsure.unknown", wire: "STOPPING" });
  expect(shown?.since).toBeGreaterThan(before);
  await s.see("PRESENT", hears(s.key, "PRESENT"), held.release, 120_000);
  expect(await statesOf(s)).toEqual([]);
}, 300_000);

test.concurrent("halting a container that is not healthy: the agent is killed before call 1 and after it; FAILED says why", async () => {
  await using s = await startStage({ isProxied: true, env: ENV });
  await s.publish("1.0.0", FOREVER, {
    instructions: ["HEALTHCHECK --interval=0.5s --retries=2 CMD echo no water; false"],
  });
  let agent = s.startAgent();
  await s.see("connected", isDevice("CONNECTED"), () => {});
  await s.see("RUNNING", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  for (const side of ["before", "after"] as const) {
    expect(await s.proxy.crashAt({ at: 1, side, kill: () => agent.kill() })).toBe("POST /containers/<id>/stop");
    agent = s.startAgent();
  }
  await s.see("FAILED", hears(s.key, "FAILED"), undefined, 30_000);
  expect((await s.engine.container(s.container))?.State.Running).toBe(false);
  const { apps } = Status.parse(await ask(`${s.home}/reagent.sock`, "status"));
  expect(apps[0]?.error).toMatchObject({ code: "container_unhealthy", says: expect.stringContaining("no water") });
  expect(s.reports()).toContain("STOPPING");
  await s.see("it runs again", hears(s.key, "RUNNING"), () => {}, 30_000);
  expect(await statesOf(s)).toEqual(["running"]);
}, 120_000);
