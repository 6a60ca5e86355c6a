/** What takes half a minute by design, side by side: the grace of a sick container, and the patience with an engine that hangs. */
import { expect, test } from "vitest";
import { appOf, FOREVER, running, SHORT_GRACE, statesOf } from "./running.ts";
import { goes, hears, isDevice, startStage } from "./stage.ts";

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

test.concurrent("halting a container that is not healthy after as many checks as are set: the agent is killed before call 1 and after it; FAILED says why", async () => {
  await using s = await startStage({
    isProxied: true,
    env: { ...SHORT_GRACE, REAGENT_CONTAINERS_UNHEALTHY_CHECKS: "2" },
  });
  await s.publish("1.0.0", FOREVER, {
    instructions: ["HEALTHCHECK --interval=0.5s --retries=500 CMD echo no water; false"],
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
  expect((await appOf(s))?.error).toMatchObject({
    code: "container_unhealthy",
    says: expect.stringContaining("no water"),
  });
  expect(s.reports()).toContain("STOPPING");
  await s.see("it runs again", hears(s.key, "RUNNING"), () => {}, 30_000);
  expect(await statesOf(s)).toEqual(["running"]);
}, 120_000);
