/** An engine that is not itself: it comes back empty, its disk is full. Nothing is lost or doubled, and no lie is told. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { createEngine } from "../../src/services/docker.ts";
import { startEngine } from "../../src/studio/dockerd.ts";
import { appOf, FOREVER, running, SHORT_GRACE, statesOf } from "./running.ts";
import { goes, hears, isDevice, openStage, reads, startStage } from "./stage.ts";

describe("its disk is full", () => {
  test("while an image comes: FAILED with what to do, and done when there is room", async () => {
    await using s = await startStage({ isProxied: true, env: SHORT_GRACE });
    await s.publish("1.0.0", FOREVER);
    await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
    const full = s.proxy.on(/^POST \/images\/create$/, {
      refuse: 500,
      says: "write /var/lib/docker/tmp/x: no space left on device",
    });
    await s.see("FAILED", hears(s.key, "FAILED"), () => s.want("RUNNING"), 30_000);
    expect((await appOf(s))?.error).toMatchObject({ code: "engine_full" });
    await s.see("it runs", hears(s.key, "RUNNING"), full.release, 30_000);
  });

  test("and what is left is less than is wanted: nothing is downloaded, what runs goes on, and why is told", async () => {
    await using s = await running();
    await s.publish("2.0.0", FOREVER);
    await s.see("the next agent is there", isDevice("CONNECTED"), async () => {
      await s.stopAgents();
      s.startAgent({ REAGENT_PULLS_MIN_FREE: "1000000" });
    });
    s.proxy.asked.length = 0;
    await s.see("it runs on", hears(s.key, "RUNNING"), () => s.want("RUNNING", "2.0.0"), 30_000);
    await s.see("why", reads(/MB are free in .*, and 1000000 are wanted/));
    expect(s.proxy.mutations()).toEqual([]);
    expect(await statesOf(s)).toEqual(["running"]);
  });

  test("while an update is put in place: the old version runs on or again", async () => {
    await using s = await running();
    await s.publish("2.0.0", FOREVER);
    const full = s.proxy.on(/^POST \/containers\/create$/, { refuse: 500, says: "no space left on device" });
    await s.see("the old one is back", hears(s.key, "RUNNING"), () => s.want("RUNNING", "2.0.0"), 60_000);
    full.release();
    expect(await statesOf(s)).toEqual(["running"]);
    expect((await s.engine.container(s.container))?.Config.Labels["io.reagent.version"]).toBe("1.0.0");
    expect(s.said().at(-1)).toBe("RUNNING 1 canceled");
  });
});

test("the agent's disk was full before it starts: it is there, knows what runs, and takes orders when there is room", async () => {
  const home = mkdtempSync(join(tmpdir(), "rgh-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", home]);
  try {
    await using s = await startStage({ home, env: SHORT_GRACE });
    await s.publish("1.0.0", FOREVER);
    await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
    await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
    await s.stopAgents();
    const ballast = join(home, "ballast");
    expect(spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=1k"]).status).toBe(1);
    await s.see("connected again", isDevice("CONNECTED"), () => s.startAgent());
    await s.see("it runs", hears(s.key, "RUNNING"));
    const refused = { args: [{ error: expect.stringContaining("cannot write to its disk") }] };
    await expect(s.request({ target_state: "PRESENT", present_version: "1.0.0" })).rejects.toMatchObject(refused);
    expect((await s.ask("prune_images", [{}])).args).toEqual([null]);
    expect(await statesOf(s)).toEqual(["running"]);
    rmSync(ballast);
    await s.see("it is stopped", hears(s.key, "PRESENT"), () => s.want("PRESENT"));
  } finally {
    execFileSync("umount", [home]);
    rmSync(home, { recursive: true, force: true });
  }
});

test("it is replaced by an empty one: what is wanted is downloaded and run again, once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rgh-"));
  let own = await startEngine({ folder: join(folder, "e") });
  try {
    await using s = await openStage({ engineSocket: own.socket, registry: inject("registry"), env: SHORT_GRACE });
    await s.publish("1.0.0", FOREVER);
    await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
    await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
    await s.see("unknown", goes(s.app, /^unsure\.unknown$/), () => own.kill(), 30_000);
    await own.stop();
    rmSync(join(folder, "e", "data"), { recursive: true, force: true });
    await s.see(
      "it runs again",
      hears(s.key, "RUNNING"),
      async () => {
        own = await startEngine({ folder: join(folder, "e") });
      },
      60_000,
    );
    const all = await createEngine({ socketPath: own.socket }).containers([`io.reagent.app-key=${s.key}`]);
    expect(all.map(({ State }) => State)).toEqual(["running"]);
    expect(s.reports()).not.toContain("FAILED");
  } finally {
    await own.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
