/** What a device in the field meets: engines that go, hands that meddle, agents that die in the middle, routers that freeze. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createEngine } from "../../src/services/docker.ts";
import { makeImage } from "../../src/studio/demoImage.ts";
import { type OwnEngine, startEngine } from "../../src/studio/dockerd.ts";
import { goes, hears, isDevice, openStage, type Stage, type StageOptions, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; echo hello; while true; do sleep 1; done";
const SHORT = { REAGENT_CONTAINERS_STOP_GRACE: "1" };

async function online(options: Partial<StageOptions> = {}) {
  const s = await startStage({ isProxied: true, env: SHORT, ...options });
  await s.publish("1.0.0", FOREVER);
  const agent = s.startAgent();
  await s.see("the device is connected", isDevice("CONNECTED"));
  return { s, agent };
}
const run = (s: Stage) => s.see("RUNNING", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
const containers = async (s: Stage) => {
  const all = await s.engine.containers([`io.reagent.app-key=${s.key}`]);
  return all.map(({ Id, State }) => ({ Id, State }));
};

/** Its command line; of a process that has ended nothing. */
const livesAs = (pid: number): string =>
  existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";

describe.concurrent("by hand", () => {
  test("a container that is paused is resumed as it is", async () => {
    const { s } = await online();
    await using _ = s;
    await run(s);
    const [before] = await containers(s);
    await s.see("it is resumed", goes(s.app, /^active\.running/), () => pause(s, before?.Id ?? ""));
    expect(await containers(s)).toEqual([before]);
  });

  test("a container that is started though PRESENT is wanted is stopped and removed", async () => {
    const { s } = await online();
    await using _ = s;
    await run(s);
    const rule = s.proxy.on(/^DELETE \/containers\//, "hold");
    await s.see("STOPPING", hears(s.key, "STOPPING"), () => s.want("PRESENT"));
    await rule.arrived;
    rule.release();
    await s.see("PRESENT", hears(s.key, "PRESENT"));
    const ref = `${s.identity.docker_registry_url}apps/prod_amd64_${s.key}_weather:1.0.0`;
    const id = await s.engine.create(s.container, { Image: ref, Labels: labelsOf(s) });
    await s.see("PRESENT again", hears(s.key, "PRESENT"), () => s.engine.start(id));
    expect(s.reports().slice(-3)).toEqual(["PRESENT", "STOPPING", "PRESENT"]);
    expect(await containers(s)).toEqual([]);
  });

  test("a container that is stopped and started again by hand is another run: FAILED, and it ends with one that runs", async () => {
    const { s } = await online();
    await using _ = s;
    await run(s);
    const [before] = await containers(s);
    await s.see("FAILED", hears(s.key, "FAILED"), () => s.engine.stop(before?.Id ?? "", 0));
    await s.see("RUNNING", hears(s.key, "RUNNING"), () => s.engine.start(before?.Id ?? ""));
    expect((await containers(s)).map(({ State }) => State)).toEqual(["running"]);
  });

  test("two agents' worth of meddling: a container of ours under another name does not become a second one", async () => {
    const { s } = await online();
    await using _ = s;
    await run(s);
    const [before] = await containers(s);
    await rename(s, before?.Id ?? "", `renamed-${s.key}`);
    await s.see("PRESENT", hears(s.key, "PRESENT"), () => s.want("PRESENT"));
    expect(await containers(s)).toEqual([]);
  });
});

/** As somebody with a shell does it. */
async function post(s: Stage, path: string): Promise<void> {
  const { request } = await import("node:http");
  await new Promise<void>((resolve, reject) => {
    const asked = request({ socketPath: s.engineSocket, method: "POST", path }, (answer) => {
      answer.resume().on("end", () => resolve());
    });
    asked.on("error", reject).end();
  });
}
const pause = (s: Stage, id: string) => post(s, `/containers/${id}/pause`);
const rename = (s: Stage, id: string, name: string) => post(s, `/containers/${id}/rename?name=${name}`);
const labelsOf = (s: Stage) => ({
  "io.reagent.serial": s.identity.serial_number,
  "io.reagent.stage": "PROD",
  "io.reagent.app-key": String(s.key),
  "io.reagent.version": "1.0.0",
  "io.reagent.spec": "1-weather",
});

describe.concurrent("the router", () => {
  test.each(["freeze", "halfOpen", "silence", "cut"] as const)(
    "%s: noticed, and the device is back when all is well; the app runs on as it is",
    async (harm) => {
      const { s } = await online({ flags: ["-ppTimeout", "500"] });
      await using _ = s;
      await run(s);
      const before = await containers(s);
      await s.see("noticed", goes("connection", /^waiting/), () => s.line[harm](), 10_000);
      await s.see("told again", hears(s.key, "RUNNING"), () => s.line.mend(), 60_000);
      await s.see("online", goes("connection", /online$/));
      expect(await containers(s)).toEqual(before);
    },
  );
});

describe("the engine", () => {
  let folder: string;
  let own: OwnEngine;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rgo-"));
    own = await startEngine({ folder: join(folder, "e") });
  });
  afterAll(async () => {
    await own.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ["stopped", "SIGTERM"],
    ["killed with -9", "SIGKILL"],
  ] as const)(
    "%s and started again: unknown meanwhile, no failure told, and one container runs again",
    async (_, signal) => {
      await using s = await openStage({ engineSocket: own.socket, registry: inject("registry"), env: SHORT });
      const ref = await s.publish("1.0.0", FOREVER);
      await makeImage(own.socket, { ref: "foreign:1", script: FOREVER });
      const foreign = await s.engine.create(`foreign-${s.key}`, {
        Image: "foreign:1",
        HostConfig: { RestartPolicy: { Name: "no" } },
      });
      await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
      await run(s);
      const { Pid: pid } = (await s.engine.container(s.container))?.State ?? { Pid: 0 };
      await s.see("unknown", goes(s.app, /^unsure\.unknown$/), () => process.kill(own.pid, signal), 30_000);
      await s.see(
        "it runs again",
        goes(s.app, /^active\.running/),
        async () => {
          own = await startEngine({ folder: join(folder, "e"), keepsContainers: true });
        },
        60_000,
      );
      expect([pid > 0, livesAs(pid)]).toEqual([true, ""]);
      const engine = createEngine({ socketPath: own.socket });
      const ours = await engine.containers([`io.reagent.app-key=${s.key}`]);
      expect(ours.map(({ State }) => State)).toEqual(["running"]);
      expect(await engine.container(foreign)).toBeDefined();
      await engine.remove(foreign);
      await engine.removeImage(ref);
    },
  );
});
