/** Cases of the original that take a real engine, by the bundled agent as a process. The ids stand in test/conformance/cases.ts. */
import { describe, expect, test } from "vitest";
import { hears, isDevice, reads, type Stage, type StageOptions, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; echo hello; while true; do sleep 1; done";
const SHORT = { REAGENT_CONTAINERS_STOP_GRACE: "1", REAGENT_UPDATE_PROBATION: "1" };

async function online(options: Partial<StageOptions> = {}, script = FOREVER) {
  const s = await startStage({ isProxied: true, env: SHORT, ...options });
  await s.publish("1.0.0", script);
  await s.see("the device is connected", isDevice("CONNECTED"), () => s.startAgent());
  return s;
}
const bring = (s: Stage, target: "RUNNING" | "PRESENT" | "REMOVED", state: string = target) =>
  s.see(`${target} ends in ${state}`, hears(s.key, state), () => s.want(target), 60_000);
const statesOf = async (s: Stage) =>
  (await s.engine.containers([`io.reagent.app-key=${s.key}`])).map(({ State }) => State);
const mutations = (s: Stage) => s.proxy.mutations().map((call) => call.replace(`127.0.0.1`, "registry"));

describe("R: run, stop, remove", () => {
  test.concurrent("R1: with the image here one container is created and started", async () => {
    await using s = await online();
    await bring(s, "PRESENT");
    s.proxy.asked.length = 0;
    await bring(s, "RUNNING");
    expect(mutations(s)).toEqual(["POST /containers/create", "POST /containers/<id>/start"]);
    expect(s.reports()).toEqual(["DOWNLOADING", "PRESENT", "STARTING", "RUNNING"]);
    expect(await statesOf(s)).toEqual(["running"]);
  });

  test.concurrent("R2: a container that is left over and does not run is replaced by a new one", async () => {
    await using s = await online();
    await bring(s, "RUNNING");
    const [before] = await s.engine.containers([`io.reagent.app-key=${s.key}`]);
    await s.see("FAILED", hears(s.key, "FAILED"), () => s.engine.stop(before?.Id ?? "", 0));
    s.proxy.asked.length = 0;
    await bring(s, "RUNNING");
    expect(mutations(s)).toEqual(["DELETE /containers/<id>", "POST /containers/create", "POST /containers/<id>/start"]);
  });

  test.concurrent("R3: a container that cannot be created is STARTING, then FAILED, never RUNNING", async () => {
    await using s = await online();
    const rule = s.proxy.on(/^POST \/containers\/create$/, { refuse: 500, says: "no room for one more" });
    await bring(s, "RUNNING", "FAILED");
    await s.see("why", reads(/failed: .*no room for one more/));
    expect(s.reports()).toEqual(["DOWNLOADING", "STARTING", "FAILED"]);
    rule.release();
    await bring(s, "RUNNING");
  });

  test.concurrent("R7: a stop stops and removes the container", async () => {
    await using s = await online();
    await bring(s, "RUNNING");
    s.proxy.asked.length = 0;
    await bring(s, "PRESENT");
    expect(mutations(s)).toEqual(["POST /containers/<id>/stop", "DELETE /containers/<id>"]);
    expect(s.reports().slice(-2)).toEqual(["STOPPING", "PRESENT"]);
    expect(await statesOf(s)).toEqual([]);
  });

  test.concurrent("R8: a stop that the engine refuses is STOPPING, then FAILED; asked again it stops", async () => {
    await using s = await online();
    await bring(s, "RUNNING");
    const rule = s.proxy.on(/^POST \/containers\/\w+\/stop$/, { refuse: 500 });
    await bring(s, "PRESENT", "FAILED");
    expect(s.reports().slice(-2)).toEqual(["STOPPING", "FAILED"]);
    rule.release();
    await bring(s, "PRESENT");
    expect(await statesOf(s)).toEqual([]);
  });

  test.concurrent("R9: a removal without a container removes the images alone", async () => {
    await using s = await online();
    await bring(s, "PRESENT");
    s.proxy.asked.length = 0;
    await bring(s, "REMOVED");
    expect(mutations(s)).toEqual([expect.stringMatching(/^DELETE \/images\/.*_weather:1\.0\.0$/)]);
    expect(s.reports().slice(-2)).toEqual(["DELETING", "REMOVED"]);
  });

  test.concurrent("R10: an image that cannot be removed is DELETING, then FAILED", async () => {
    await using s = await online();
    await bring(s, "PRESENT");
    const rule = s.proxy.on(/^DELETE \/images\//, { refuse: 409, says: "image is being used" });
    await bring(s, "REMOVED", "FAILED");
    expect(s.reports().slice(-2)).toEqual(["DELETING", "FAILED"]);
    rule.release();
    await bring(s, "REMOVED");
  });
});

describe("P: pull", () => {
  test.concurrent("P1: DOWNLOADING, PRESENT, with the engine's progress on the log topic", async () => {
    await using s = await online();
    await bring(s, "PRESENT");
    await s.see("the last word", reads("Succesfully installed the app: weather (Version: 1.0.0)"));
    expect(s.reports()).toEqual(["DOWNLOADING", "PRESENT"]);
    const progress = s.happened.flatMap((each) =>
      each.from === "studio" && each.event.type === "log" ? each.event.lines : [],
    );
    expect(progress.filter(({ is }) => is === "progress").length).toBeGreaterThan(2);
    expect(progress[0]).toEqual({ is: "clear" });
  });

  test.concurrent("P3: a tag that does not exist never ends in PRESENT, and is not tried again by itself", async () => {
    await using s = await online();
    await s.see("FAILED", hears(s.key, "FAILED"), () => s.want("PRESENT", "2.0.0"), 60_000);
    await s.see("why", reads(/^Error occured while trying to pull the image: the registry has no such image/));
    await s.see("what next", reads("weather (PROD) is not tried again by itself"));
    expect(s.reports()).toEqual(["DOWNLOADING", "FAILED"]);
  });

  test.concurrent("P5: called off by REMOVED it ends at once, is no failure, and the engine stops downloading", async () => {
    await using s = await online();
    const held = s.proxy.on(/^POST \/images\/create$/, "hold");
    await s.see("DOWNLOADING", hears(s.key, "DOWNLOADING"), () => s.want("PRESENT"));
    await held.arrived;
    await bring(s, "REMOVED");
    held.release();
    expect(s.reports()).toEqual(["DOWNLOADING", "REMOVED"]);
  });

  test.concurrent("P5: a link that is cut while DOWNLOADING cuts nothing", async () => {
    await using s = await online();
    const held = s.proxy.on(/^POST \/images\/create$/, "hold");
    await s.see("DOWNLOADING", hears(s.key, "DOWNLOADING"), () => s.want("PRESENT"));
    await held.arrived;
    await s.closeRouter();
    await s.openRouter();
    await s.see("PRESENT", hears(s.key, "PRESENT"), held.release, 30_000);
    expect(s.reports()).not.toContain("FAILED");
    expect(s.proxy.mutations().filter((call) => call === "POST /images/create")).toHaveLength(1);
  });
});

describe("F: recovery of a failed app", () => {
  async function failed() {
    const s = await online({}, "exit 3");
    await bring(s, "RUNNING", "FAILED");
    s.proxy.asked.length = 0;
    return s;
  }

  test.concurrent("F1: to RUNNING: what is left is removed by force, then it runs", async () => {
    await using s = await failed();
    await s.publish("2.0.0", FOREVER);
    await s.see("RUNNING", hears(s.key, "RUNNING"), () => s.want("RUNNING", "2.0.0"), 60_000);
    expect(mutations(s).filter((call) => /containers/.test(call))).toEqual([
      "DELETE /containers/<id>",
      "POST /containers/create",
      "POST /containers/<id>/start",
    ]);
  });

  test.concurrent("F2: to PRESENT with its image here: no pull", async () => {
    await using s = await failed();
    await bring(s, "PRESENT");
    expect(mutations(s).filter((call) => /images/.test(call))).toEqual([]);
    expect(await statesOf(s)).toEqual([]);
  });

  test.concurrent("F3: to PRESENT without its image: a pull", async () => {
    await using s = await online();
    await s.see("FAILED", hears(s.key, "FAILED"), () => s.want("RUNNING", "2.0.0"), 60_000);
    await s.publish("2.0.0", FOREVER);
    await s.see("PRESENT", hears(s.key, "PRESENT"), () => s.want("PRESENT", "2.0.0"), 60_000);
  });
});

describe("C: crash loop", () => {
  test.concurrent("C8: exit code 0 is FAILED, and the app is started again", async () => {
    await using s = await online({}, "sleep 2; exit 0");
    await bring(s, "RUNNING");
    await s.see("FAILED", hears(s.key, "FAILED"));
    await s.see("RUNNING", hears(s.key, "RUNNING"), () => {});
  });

  test.concurrent("C9: a crash while the router is away is mended, and told at the next link", async () => {
    await using s = await online();
    await bring(s, "RUNNING");
    const [before] = await s.engine.containers([`io.reagent.app-key=${s.key}`]);
    await s.closeRouter();
    await s.engine.stop(before?.Id ?? "", 0);
    const isUp = (h: (typeof s.happened)[number]) =>
      h.from === "agent" && h.line["actor"] === s.app && /running/.test(String(h.line["to"]));
    await s.see("it runs again", isUp, () => {}, 20_000);
    await s.see("RUNNING is told", hears(s.key, "RUNNING"), () => s.openRouter(), 30_000);
    expect(await statesOf(s)).toEqual(["running"]);
  });

  test.concurrent("C7: a stop asked for the moment FAILED is told stays", async () => {
    await using s = await online();
    await bring(s, "RUNNING");
    const [before] = await s.engine.containers([`io.reagent.app-key=${s.key}`]);
    await s.see("FAILED", hears(s.key, "FAILED"), () => s.engine.stop(before?.Id ?? "", 0));
    await bring(s, "PRESENT");
    expect(s.reports().slice(-3)).toEqual(["FAILED", "STOPPING", "PRESENT"]);
    expect(await statesOf(s)).toEqual([]);
  });
});
