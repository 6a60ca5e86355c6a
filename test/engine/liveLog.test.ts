/** `reagent logs` on a device whose router is away: what was printed, and what comes, over the ends of containers. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { cli } from "../../src/cli.ts";
import { ask } from "../../src/services/controlClient.ts";
import { fakeIo } from "../cli/io.ts";
import { goes, hears, isDevice, startStage } from "./stage.ts";

const COUNTS =
  "trap 'exit 0' TERM; run=$(cat /data/run 2>/dev/null || echo 0); echo $((run+1)) > /data/run; echo run $run; while true; do sleep 0.1; echo tick; done";

test("without a router: what there is, then what comes, from one container after the other; Ctrl-C ends it", async () => {
  await using s = await startStage();
  await s.publish("1.0.0", COUNTS);
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  await s.see("the router is gone", goes("connection", /^waiting/), () => s.closeRouter());
  const { io, printed, over } = fakeIo({ REAGENT_HOME: s.home });
  const following = cli(["logs", "weather", "-f"], io);
  await expect.poll(() => printed.join(" ")).toMatch(/» Starting weather\.\.\. .*run 0 .*tick/);
  await s.see("it crashed", goes(s.app, /^crashed/), () => s.engine.stop(s.container, 0), 30_000);
  const retry = () => ask(join(s.home, "reagent.sock"), "retry", { app: "weather" });
  await s.see("it runs again", goes(s.app, /^active\.running/), retry, 30_000);
  await expect.poll(() => printed.join(" "), { timeout: 10_000 }).toMatch(/run 1 tick tick/);
  over.abort();
  expect(await following).toBe(0);
  const told = printed.filter((line) => line !== "tick").join("\n");
  expect(told).toMatch(/run 0\n(» Now .*\n)?» weather \(PROD\) exited with status code: \d+\n(» .*\n)*run 1(\n» .*)*$/);
  expect(printed[printed.findIndex((line) => line.includes("exited with")) - 1]).toBe("tick");
  const tail = fakeIo({ REAGENT_HOME: s.home });
  expect(await cli(["logs", `PROD:${s.key}`, "--tail", "2", "--json"], tail.io)).toBe(0);
  expect(tail.printed.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(["tick", "tick"]);
  await s.openRouter();
});
