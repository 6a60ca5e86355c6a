/**
 * The agent is killed with -9 before and after each call by which a transition changes the engine, and the engine before each
 * of them. Whatever the moment: in the end there is what was wanted, once, and nothing else.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, inject, test } from "vitest";
import { createEngine } from "../../src/services/docker.ts";
import type { Happening } from "../../src/studio/demoScript.ts";
import { type OwnEngine, startEngine } from "../../src/studio/dockerd.ts";
import { goes, hears, isDevice, openStage, type Stage, type StageOptions, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.2; done";
const ENV = { REAGENT_CONTAINERS_STOP_GRACE: "1", REAGENT_UPDATE_PROBATION: "1" };

const PULL = "POST /images/create";
const CREATE = "POST /containers/create";
const START = "POST /containers/<id>/start";
const STOP = "POST /containers/<id>/stop";
const RENAME = "POST /containers/<id>/rename";
const REMOVE = "DELETE /containers/<id>";
const REMOVE_IMAGE = "DELETE /images/<ref>";

interface Transition {
  readonly from?: "RUNNING" | "PRESENT";
  readonly act: (s: Stage) => unknown;
  readonly calls: readonly string[];
  /** What the studio is told last, and what the engine has in the end. */
  readonly ends: (s: Stage) => (happening: Happening) => boolean;
  /** The same where the agent lives and knows how an update ended, if that says more. */
  readonly endsWatched?: (s: Stage) => (happening: Happening) => boolean;
  readonly containers: readonly string[];
  readonly images: readonly string[];
}

const told = (state: string, release: number, status?: string) => (s: Stage) => (happening: Happening) =>
  hears(s.key, state)(happening) &&
  happening.from === "studio" &&
  happening.event.type === "app.reported" &&
  happening.event.report.release_key === release &&
  (status === undefined || happening.event.report.updateStatus === status);
/** As somebody with a shell does it. */
async function pause(s: Stage): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request({ socketPath: s.engineSocket, method: "POST", path: `/containers/${s.container}/pause` }, (answer) => {
    answer.resume().on("end", resolve);
  })
    .on("error", reject)
    .end();
  await promise;
}

const TRANSITIONS: Readonly<Record<string, Transition>> = {
  download: {
    act: (s) => s.want("PRESENT"),
    calls: [PULL],
    ends: told("PRESENT", 1),
    containers: [],
    images: ["1.0.0"],
  },
  start: {
    from: "PRESENT",
    act: (s) => s.want("RUNNING"),
    calls: [CREATE, START],
    ends: told("RUNNING", 1),
    containers: ["1.0.0 running"],
    images: ["1.0.0"],
  },
  resumption: {
    from: "RUNNING",
    act: pause,
    calls: ["POST /containers/<id>/unpause"],
    ends: (s) => goes(s.app, /^active\.running/),
    containers: ["1.0.0 running"],
    images: ["1.0.0"],
  },
  stop: {
    from: "RUNNING",
    act: (s) => s.want("PRESENT"),
    calls: [STOP, REMOVE],
    ends: told("PRESENT", 1),
    containers: [],
    images: ["1.0.0"],
  },
  removal: {
    from: "RUNNING",
    act: (s) => s.want("REMOVED"),
    calls: [REMOVE, REMOVE_IMAGE],
    ends: told("REMOVED", 1),
    containers: [],
    images: [],
  },
  uninstallation: {
    from: "RUNNING",
    act: (s) => s.want("UNINSTALLED"),
    calls: [REMOVE, REMOVE_IMAGE],
    ends: told("UNINSTALLED", 1),
    containers: [],
    images: [],
  },
  update: {
    from: "RUNNING",
    act: (s) => s.want("RUNNING", "2.0.0"),
    calls: [PULL, STOP, RENAME, CREATE, START, REMOVE, REMOVE_IMAGE],
    ends: told("RUNNING", 2),
    containers: ["2.0.0 running"],
    images: ["2.0.0"],
  },
  "roll back": {
    from: "RUNNING",
    act: (s) => s.want("RUNNING", "bad"),
    calls: [PULL, STOP, RENAME, CREATE, START, STOP, REMOVE, RENAME, START],
    ends: told("RUNNING", 1),
    endsWatched: told("RUNNING", 1, "canceled"),
    containers: ["1.0.0 running"],
    images: ["1.0.0", "bad"],
  },
  "update of a stopped app": {
    from: "PRESENT",
    act: (s) => s.want("PRESENT", "2.0.0"),
    calls: [PULL],
    ends: told("PRESENT", 2),
    containers: [],
    images: ["1.0.0", "2.0.0"],
  },
};

async function ready({ from }: Transition, options: Partial<StageOptions> = {}) {
  const s = await (options.engineSocket
    ? openStage({ registry: inject("registry"), isProxied: true, env: ENV, ...(options as { engineSocket: string }) })
    : startStage({ isProxied: true, env: ENV }));
  s.addVersion("bad");
  for (const version of ["1.0.0", "2.0.0"]) await s.publish(version, FOREVER);
  await s.publish("bad", "exit 3");
  const agent = s.startAgent();
  await s.see("connected", isDevice("CONNECTED"), () => {});
  if (from) await s.see(from, hears(s.key, from), () => s.want(from), 60_000);
  return { s, agent };
}

const named = (call: string) => call.replace(/^DELETE \/images\/.*/, REMOVE_IMAGE);

async function shown(s: Stage, engine = s.engine) {
  const all = await engine.containers([`io.reagent.app-key=${s.key}`]);
  const repository = s.repository;
  return {
    containers: all.map(
      ({ Names, Labels, State }) =>
        `${Names[0] === `/${s.container}` ? "" : Names[0]}${Labels["io.reagent.version"]} ${State}`,
    ),
    images: (await engine.tagsOf(repository)).toSorted(),
  };
}

describe.concurrent.each(Object.entries(TRANSITIONS))("%s", (_, transition) => {
  const { act, calls, ends, containers, images } = transition;

  test("makes these calls and no others", async () => {
    await using s = (await ready(transition)).s;
    s.proxy.asked.length = 0;
    await s.see("the end", ends(s), () => act(s), 30_000);
    expect(s.proxy.mutations().map(named)).toEqual(calls);
    expect(await shown(s)).toEqual({ containers, images });
  });

  test.each(
    calls.flatMap((call, at) =>
      (["before", "after"] as const).map((side) => [side, `${at + 1}: ${call}`, call, at + 1] as const),
    ),
  )("the agent is killed %s call %s", async (side, __, call, at) => {
    const { s, agent } = await ready(transition);
    await using stage = s;
    const killed = s.proxy.crashAt({ at, side, kill: () => agent.kill() });
    await act(s);
    expect(named(await killed)).toBe(call);
    await s.see("the end", ends(s), () => stage.startAgent(), 40_000);
    expect(await shown(s)).toEqual({ containers, images });
  });
});

test.each(["RUNNING", "PRESENT", "REMOVED"] as const)(
  "the agent is killed the moment %s is answered: it is done",
  async (target) => {
    const from = target === "RUNNING" ? "PRESENT" : "RUNNING";
    const { s, agent } = await ready({ ...(TRANSITIONS["start"] as Transition), from });
    await using stage = s;
    expect(await s.want(target)).toMatchObject({ outcome: expect.stringMatching(/now|cancels/) });
    await agent.kill();
    await s.see(target, hears(s.key, target), () => stage.startAgent(), 40_000);
    expect((await shown(s)).containers).toEqual(target === "RUNNING" ? ["1.0.0 running"] : []);
  },
);

describe("the engine is killed with -9 in the middle of", () => {
  /** Engines that no test has at the moment: each may be killed by the one that takes it. */
  const idle: { readonly folder: string; own: OwnEngine }[] = [];
  const another = async () => {
    const folder = mkdtempSync(join(tmpdir(), "rgc-"));
    return { folder, own: await startEngine({ folder: join(folder, "e") }) };
  };
  afterAll(async () => {
    for (const { own, folder } of idle) {
      await own.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
  const points = Object.entries(TRANSITIONS).flatMap(([name, transition]) =>
    transition.calls.map((call, at) => [name, `${at + 1}: ${call}`, call, at + 1, transition] as const),
  );

  test.concurrent.each(points)(
    "%s, before call %s",
    async (name, _, call, at, transition) => {
      const engine = idle.pop() ?? (await another());
      await using after = new AsyncDisposableStack();
      after.defer(() => void idle.push(engine));
      const { s } = await ready(transition, { engineSocket: engine.own.socket });
      after.use(s);
      const killed = s.proxy.crashAt({
        at,
        side: "before",
        kill: async () => {
          process.kill(engine.own.pid, "SIGKILL");
          engine.own = await startEngine({ folder: join(engine.folder, "e"), keepsContainers: true });
        },
      });
      const ends = transition.endsWatched ?? transition.ends;
      const act = async () => {
        await transition.act(s);
        expect(named(await killed)).toBe(call);
      };
      await s.see("the end", ends(s), act, 60_000);
      const { containers, images } = transition;
      expect(await shown(s, createEngine({ socketPath: engine.own.socket }))).toEqual({ containers, images });
      if (name === "update") expect(s.reports()).not.toContain("FAILED");
    },
    120_000,
  );
});
