/** The order in which states are told is that of the original, as it was recorded, but for what docs/divergences.md names. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RECORDED } from "../conformance/orders.ts";
import { hears, isDevice, type Stage, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; echo started; while true; do sleep 1; done";

async function online(script: string) {
  const s = await startStage({ env: { REAGENT_CONTAINERS_STOP_GRACE: "1" } });
  await s.publish("1.0.0", script);
  await s.see("the device is connected", isDevice("CONNECTED"), () => s.startAgent());
  return s;
}
const bring = (s: Stage, target: "RUNNING" | "PRESENT" | "REMOVED") =>
  s.see(target, hears(s.key, target), () => s.want(target), 60_000);

/** R7: the original says STOPPING twice. */
const once = (states: readonly string[]) => states.filter((state, i) => state !== states[i - 1]);

test("doubled reports are what docs/divergences.md says of them", () => {
  expect(readFileSync("docs/divergences.md", "utf8")).toContain("| R7 | STOPPING is reported twice | STOPPING once |");
});

test(RECORDED.install.scenario, async () => {
  await using s = await online(FOREVER);
  for (const target of RECORDED.install.asked) await bring(s, target);
  expect(s.reports()).toEqual(RECORDED.install.states);
});

test(RECORDED.runAndStop.scenario, async () => {
  await using s = await online(FOREVER);
  await bring(s, "PRESENT");
  const before = s.reports().length;
  for (const target of RECORDED.runAndStop.asked) await bring(s, target);
  expect(s.reports().slice(before)).toEqual(once(RECORDED.runAndStop.states));
});

test(RECORDED.crash.scenario, async () => {
  await using s = await online("echo about to crash; sleep 3; exit 7");
  await bring(s, "PRESENT");
  const before = s.reports().length;
  await bring(s, "RUNNING");
  await s.see("FAILED", hears(s.key, "FAILED"));
  await s.see("RUNNING again", hears(s.key, "RUNNING"), () => {});
  expect(s.reports().slice(before)).toEqual(RECORDED.crash.states);
});
