/** Development apps: the image that was built on the device is run, stopped and removed; nothing is downloaded. */
import { expect, test } from "vitest";
import { makeImage } from "../../src/studio/demoImage.ts";
import { goes, hears, isDevice, reads, type Stage, startStage } from "./stage.ts";

const ENV = { REAGENT_CONTAINERS_STOP_GRACE: "1" };

async function built(script: string) {
  const s = await startStage({ isProxied: true, env: ENV });
  const ref = `${s.repository.replace("/prod_", "/dev_")}:latest`;
  await makeImage(s.engineSocket, { ref, script });
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  return { s, ref };
}
const ask = (s: Stage, target_state: string) => s.request({ stage: "DEV", target_state });

test("run, stop and remove", async () => {
  const { s, ref } = await built("trap 'exit 0' TERM; echo hello; while true; do sleep 0.2; done");
  await using _ = s;
  await s.see("RUNNING", hears(s.key, "RUNNING"), () => ask(s, "RUNNING"), 30_000);
  await s.see("its output", reads("hello"));
  const info = await s.engine.container(`dev_${s.key}_weather`);
  expect(info?.Config.Image).toBe(ref);
  expect(info?.Config.Env).toContain("ENV=DEV");
  await s.see("PRESENT", hears(s.key, "PRESENT"), () => ask(s, "PRESENT"));
  await s.see("REMOVED", hears(s.key, "REMOVED"), () => ask(s, "REMOVED"));
  expect(await s.engine.image(ref)).toBeUndefined();
  expect(s.reports()).toEqual(["STARTING", "RUNNING", "STOPPING", "PRESENT", "DELETING", "REMOVED"]);
  expect(s.proxy.asked.filter(({ path }) => path === "/images/create")).toEqual([]);
});

test("one that ends is FAILED and is not tried again by itself; asked for it runs again", async () => {
  const { s } = await built("sleep 0.5; exit 3");
  await using _ = s;
  await s.see("FAILED", hears(s.key, "FAILED"), () => ask(s, "RUNNING"), 30_000);
  await s.see("held", goes(`app:DEV:${s.key}`, /^crashed\.held$/), undefined);
  await s.see("RUNNING", hears(s.key, "RUNNING"), () => ask(s, "RUNNING"), 30_000);
});

test("one that was not built fails at its start, and says what to do", async () => {
  await using s = await startStage({ isProxied: true, env: ENV });
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("FAILED", hears(s.key, "FAILED"), () => ask(s, "RUNNING"), 30_000);
  await s.see("why", reads(/was not built on this device/));
  expect(s.reports().at(-1)).toBe("FAILED");
  expect(s.proxy.mutations()).toEqual([]);
});
