/**
 * Random stories of reconnects and crashes on the real tree in a simulated world. The model is one value for each app:
 * what was asked for last. Once the world behaves and time passes, the engine agrees with it, the back end knows it, and
 * no link, stream, follower or second container is left.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AppId, appName, TARGETS } from "../../src/model/app.ts";
import { isUp } from "../../src/model/plan.ts";
import { wanting } from "../support/app.ts";
import { settle } from "../support/clock.ts";
import { BY_HAND } from "../support/engine.ts";
import { World } from "./world.ts";

const APPS: readonly AppId[] = [
  { stage: "PROD", key: 42 },
  { stage: "PROD", key: 7 },
];
const FAULTS = ["timeout", "container_failed", "image_pull_failed", "engine_unreachable"] as const;
const pick = <T>(all: readonly T[], n: number): T => all[n % all.length] as T;

const HAPPENINGS = {
  ask: (w: World, n: number) => w.ask(pick(APPS, n), wanting(pick(TARGETS, n >> 1), `${1 + (n % 2)}`)),
  sync: (w: World, n: number) => {
    const known = w.disk.get(appName(pick(APPS, n)));
    if (known) w.ask(known.app, known.desired, "sync");
  },
  crash: (w: World, n: number) => w.engineOf(pick(APPS, n)).exit(n),
  fault: (w: World, n: number) => void w.engineOf(pick(APPS, n)).faults.push(pick(FAULTS, n >> 1)),
  pauseByHand: (w: World, n: number) => w.engineOf(pick(APPS, n)).pauseByHand(),
  startByHand: (w: World, n: number) => attempt(() => w.engineOf(pick(APPS, n)).startByHand(pick(["1", "2"], n >> 1))),
  judge: (w: World, n: number) => w.engineOf(pick(APPS, n)).judge(n % 3 ? "unhealthy" : "healthy"),
  bad: (w: World, n: number) => {
    const engine = w.engineOf(pick(APPS, n));
    const version = pick(["1", "2"], n >> 1);
    engine.bad.set(version, pick(["exits", "sick", "mute"], n >> 2));
    if (n % 5 > 0) engine.withHealthCheck.add(version);
  },
  oneWay: (w: World, n: number) => void w.engineOf(pick(APPS, n)).oneWay.add(pick(["1", "2"], n >> 1)),
  lie: (w: World, n: number) => void w.engineOf(pick(APPS, n)).lies.push(pick(["loses", "doubles", "delays"], n >> 1)),
  retry: (w: World, n: number) => w.actor.send({ type: "app.retry", app: pick(APPS, n) }),
  hold: (w: World, n: number) => w.actor.send({ type: "app.hold", app: pick(APPS, n) }),
  removeByHand: (w: World, n: number) => w.engineOf(pick(APPS, n)).removeByHand(),
  takePort: (w: World, n: number) => w.host.strangerTakes(w.host.portOf(pick(APPS, n)) ?? 40_000 + (n >> 1)),
  leavePorts: (w: World) => w.host.strangersLeave(),
  dropLink: (w: World) => w.dropLink(),
  routerDown: (w: World) => void Object.assign(w, { isRouterUp: false }),
  routerUp: (w: World) => void Object.assign(w, { isRouterUp: true }),
  refuse: (w: World, n: number) => void Object.assign(w, { refusals: n % 5 }),
  loseEngine: (w: World) => w.loseEngine(),
  bringEngineBack: (w: World) => w.bringEngineBack(),
  killAgent: (w: World) => {
    w.kill();
    w.actor = w.boot();
  },
  moment: (w: World, n: number) => w.pass(n),
  while: (w: World, n: number) => w.pass(n * 500),
};
type Step = readonly [name: keyof typeof HAPPENINGS, detail: number];
const step = fc.tuple(fc.constantFrom(...(Object.keys(HAPPENINGS) as Step[0][])), fc.nat(100));

test("in the end the engine does what was asked last, and the back end knows it and has heard an answer to each request", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: "max" }), async (story) => {
      using w = new World();
      for (const app of APPS) w.ask(app, wanting("RUNNING"));
      for (const [name, detail] of story) {
        await HAPPENINGS[name](w, detail);
        await settle();
      }
      await behave(w);

      expect(w.errors).toEqual([]);
      const { openLinks, mostOpenLinks, openStreams, mostInFlight } = w;
      expect({ openLinks, mostOpenLinks, openStreams }).toEqual({ openLinks: 1, mostOpenLinks: 1, openStreams: 1 });
      expect(mostInFlight).toBeLessThanOrEqual(1);
      expect(w.answered).toEqual(w.asked);
      for (const app of APPS) expectAsAsked(w, app);
    }),
    { numRuns: Number(process.env["RUNS"] ?? 60) },
  );
}, 600_000);

/** The world stops making trouble, and time passes. */
async function behave(w: World): Promise<void> {
  w.bringEngineBack();
  w.isRouterUp = true;
  w.refusals = 0;
  for (const engine of w.engines.values()) {
    engine.faults = [];
    engine.lies = [];
    engine.bad.clear();
  }
  await w.pass(700_000);
  for (const app of APPS) w.actor.send({ type: "app.retry", app });
  await w.pass(90_000);
}

const KNOWN = {
  RUNNING: ["RUNNING"],
  PRESENT: ["PRESENT"],
  REMOVED: ["REMOVED", "UNINSTALLED"],
  UNINSTALLED: ["UNINSTALLED"],
};

function expectAsAsked(w: World, app: AppId): void {
  const { target, version } = w.disk.get(appName(app))?.desired ?? wanting("REMOVED");
  const engine = w.engineOf(app);
  const { container, kept, images } = engine.look();
  expect(engine.violations).toEqual([]);
  expect(kept).toBeUndefined();
  expect([isUp(container), KNOWN[target].includes(w.known.get(appName(app)) ?? "")]).toEqual([
    target === "RUNNING",
    true,
  ]);
  if (target === "REMOVED" || target === "UNINSTALLED") expect([container, images]).toEqual([undefined, []]);
  // Of one that runs the image may be gone: by hand, between its removal and a start.
  if (target === "PRESENT") expect(images).toContain(version);
  if (target === "UNINSTALLED") expect([engine.hasData, w.host.portOf(app)]).toEqual([false, undefined]);
  if (target !== "RUNNING") return;
  expect(container?.version).toBe(version);
  expect([w.host.portOf(app), BY_HAND]).toContain(engine.port);
  expect(w.host.holderOf(engine.port)).toBe(container?.id);
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The person at the keyboard got an error message.
  }
}
