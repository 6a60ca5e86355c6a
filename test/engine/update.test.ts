/** Updates on a real engine: the new version in place of the old one, or the old one back. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Happening } from "../../src/studio/demoScript.ts";
import { goes, hears, isDevice, type Stage, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; echo up; while true; do sleep 0.2; done";
const QUICK = { REAGENT_CONTAINERS_STOP_GRACE: "1", REAGENT_UPDATE_PROBATION: "1" };

async function running(env: Record<string, string> = {}) {
  const s = await startStage({ isProxied: true, env: { ...QUICK, ...env } });
  await s.publish("1.0.0", FOREVER);
  await s.see("the device is connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("1.0.0 runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  return s;
}

const says =
  (key: number, state: string, status: string) =>
  (happening: Happening): boolean =>
    hears(key, state)(happening) &&
    happening.from === "studio" &&
    happening.event.type === "app.reported" &&
    happening.event.report.updateStatus === status;

/** Versions and states of what is there, by the containers' names. */
async function shown(s: Stage) {
  const all = await s.engine.containers([`io.reagent.app-key=${s.key}`]);
  return Object.fromEntries(
    all.map(({ Names, Labels, State }) => [Names[0], `${Labels["io.reagent.version"]} ${State}`]),
  );
}
const printed = (s: Stage, words: string): number =>
  s.happened
    .flatMap((each) => (each.from === "studio" && each.event.type === "log" ? each.event.lines : []))
    .filter((line) => line.is === "output" && line.text === words).length;
const images = async (s: Stage) => {
  const ref = (await s.engine.container(s.container))?.Config.Image ?? "";
  return (await s.engine.tagsOf(ref.slice(0, ref.lastIndexOf(":")))).toSorted();
};

test.concurrent("a new version takes the place of the old one, which is there until it has proven itself, and then goes", async () => {
  await using s = await running();
  await s.publish("2.0.0", FOREVER);
  s.proxy.asked.length = 0;
  await s.see("on probation", goes(s.app, /probation$/), () => s.want("RUNNING", "2.0.0"), 60_000);
  expect(await shown(s)).toEqual({
    [`/${s.container}`]: "2.0.0 running",
    [`/${s.container}.previous`]: "1.0.0 exited",
  });
  await s.see("completed", says(s.key, "RUNNING", "completed"));
  expect(await shown(s)).toEqual({ [`/${s.container}`]: "2.0.0 running" });
  expect(await images(s)).toEqual(["2.0.0"]);
  expect(s.said().slice(3)).toEqual([
    "UPDATING 1",
    "PRESENT 2 pending_remote_confirmation",
    "STARTING 2 completed",
    "RUNNING 2 completed",
  ]);
  expect(s.proxy.mutations().map((call) => call.replace(/\/images\/.*(?<!create)$/, "/images/<ref>"))).toEqual([
    "POST /images/create",
    "POST /containers/<id>/stop",
    "POST /containers/<id>/rename",
    "POST /containers/create",
    "POST /containers/<id>/start",
    "DELETE /containers/<id>",
    "DELETE /images/<ref>",
  ]);
});

describe.concurrent("the old version comes back, as the container that it was, where the new one", () => {
  test.each([
    ["ends by itself", "echo bad; exit 3", {}, "container_exited"],
    [
      "calls itself unhealthy",
      FOREVER,
      { instructions: ["HEALTHCHECK --interval=0.2s --retries=1 CMD echo no water; false"] },
      "container_unhealthy",
    ],
    ["is no program", "", { instructions: ['CMD ["/no/such/program"]'] }, "bad_configuration"],
    ["has labels of ours", FOREVER, { labels: { "io.reagent.serial": "x" } }, "image_refused"],
  ])("%s", async (_, script, more, code) => {
    await using s = await running();
    const before = await s.engine.container(s.container);
    await s.publish("2.0.0", script, more);
    const isBack = code === "image_refused" ? hears(s.key, "RUNNING") : says(s.key, "RUNNING", "canceled");
    await s.see("the old one is back", isBack, () => s.want("RUNNING", "2.0.0"), 60_000);
    expect(await shown(s)).toEqual({ [`/${s.container}`]: "1.0.0 running" });
    expect((await s.engine.container(s.container))?.Id).toBe(before?.Id);
    expect(s.said().at(-1)).toMatch(/^RUNNING 1/);
    const log = s.happened.find((each) => each.from === "agent" && JSON.stringify(each.line).includes(code));
    expect(log, `${code} in the log`).toBeDefined();
    await s.see(
      "the old one prints again",
      () => printed(s, "up") >= (code === "container_unhealthy" ? 3 : 2) || code === "image_refused",
    );
    await s.see("told again", hears(s.key, "RUNNING"), () => s.want("RUNNING", "1.0.0"));
    const starts: Readonly<Record<string, number>> = { container_unhealthy: 3, image_refused: 1 };
    expect(printed(s, "up"), "a line for each start, none twice").toBe(starts[code] ?? 2);
  });
});

test.concurrent("a version that says that there is no way back from it stays, and is FAILED and tried again", async () => {
  await using s = await running();
  await s.publish("2.0.0", "sleep 0.3; exit 3", { labels: { "reagent.way-back": "off" } });
  await s.see("FAILED", hears(s.key, "FAILED"), () => s.want("RUNNING", "2.0.0"), 60_000);
  expect(s.said().at(-1)).toBe("FAILED 2");
  expect(await images(s)).toEqual(["2.0.0"]);
  await s.see("tried again", hears(s.key, "RUNNING"), () => {}, 30_000);
});

test.concurrent("a version that cannot be downloaded leaves the old one running", async () => {
  await using s = await running();
  await s.see("it runs on", hears(s.key, "RUNNING"), () => s.want("RUNNING", "2.0.0"), 60_000);
  expect(s.said().slice(3)).toEqual(["UPDATING 1", "RUNNING 1"]);
  expect(await shown(s)).toEqual({ [`/${s.container}`]: "1.0.0 running" });
});

test.concurrent("stopped before the download, with the strategy for small disks, and back where the download fails", async () => {
  await using s = await running({ REAGENT_UPDATE_STRATEGY: "stop-then-download" });
  await s.see("it runs again", hears(s.key, "RUNNING"), () => s.want("RUNNING", "2.0.0"), 60_000);
  expect(s.said().slice(3)).toEqual(["STOPPING 1", "UPDATING 1", "STARTING 1", "RUNNING 1"]);
  await s.publish("2.0.0", FOREVER);
  await s.see("completed", says(s.key, "RUNNING", "completed"), () => s.want("RUNNING", "2.0.0"), 60_000);
  expect(await shown(s)).toEqual({ [`/${s.container}`]: "2.0.0 running" });
  expect(await images(s)).toEqual(["2.0.0"]);
});

describe.concurrent("U10: an update that is called off", () => {
  async function downloading() {
    const s = await running();
    await s.publish("2.0.0", FOREVER);
    const held = s.proxy.on(/^POST \/images\/create$/, "hold");
    await s.see("UPDATING", hears(s.key, "UPDATING"), () => s.want("RUNNING", "2.0.0"));
    await held.arrived;
    return s;
  }
  const versions = { present_version: "1.0.0", newest_version: "2.0.0", release_key: 1, new_release_key: 2 };

  test.each([
    ["PRESENT", {}, ["STOPPING 1 canceled", "PRESENT 1 canceled"]],
    ["PRESENT", { cancel_transition: true }, ["STOPPING 1 canceled", "PRESENT 1 canceled"]],
    ["RUNNING", { cancel_transition: true }, ["RUNNING 1 canceled"]],
    ["REMOVED", { cancel_transition: true }, ["DELETING 1 canceled", "REMOVED 1 canceled"]],
    ["UNINSTALLED", {}, ["DELETING 1 canceled", "REMOVED 1 canceled", "UNINSTALLED 1 canceled"]],
  ])("by %s %j", async (target, more, reports) => {
    await using s = await downloading();
    const began = Date.now();
    await s.see(target, says(s.key, target, "canceled"), () =>
      s.request({ ...versions, ...more, target_state: target }),
    );
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(s.said().slice(4)).toEqual(reports);
    expect(s.reports()).not.toContain("FAILED");
  });

  test("RUNNING alone calls nothing off: the update goes on", async () => {
    await using s = await downloading();
    const answer = await s.request({ ...versions, target_state: "RUNNING" });
    expect(answer).toMatchObject({ outcome: "after" });
    expect(s.proxy.asked.some(({ path }) => path.endsWith("/stop"))).toBe(false);
  });
});

test.concurrent("nothing to call off: that is the answer, and nothing changes", async () => {
  await using s = await running();
  expect(await s.request({ present_version: "1.0.0", target_state: "PRESENT", cancel_transition: true })).toEqual({
    outcome: "refused",
    why: "nothing that can be cancelled is going on",
  });
  expect(await shown(s)).toEqual({ [`/${s.container}`]: "1.0.0 running" });
});

test.concurrent("R11: an uninstallation takes away the data, follows no link, and leaves what others have", async () => {
  await using s = await running();
  const data = join(s.home, "apps/prod/weather");
  const foreign = join(s.folder, "foreign");
  mkdirSync(foreign);
  writeFileSync(join(foreign, "kept"), "");
  symlinkSync(foreign, join(data, "link"));
  writeFileSync(join(data, "file"), "");
  await s.see("UNINSTALLED", hears(s.key, "UNINSTALLED"), () =>
    s.request({ present_version: "1.0.0", target_state: "UNINSTALLED" }),
  );
  expect(s.reports().slice(3)).toEqual(["DELETING", "REMOVED", "UNINSTALLED"]);
  expect([existsSync(data), existsSync(join(foreign, "kept")), existsSync(join(s.home, "apps"))]).toEqual([
    false,
    true,
    true,
  ]);
  expect(await shown(s)).toEqual({});
});
