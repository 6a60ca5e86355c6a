/**
 * Random stories against the real machine on a simulated engine. The model is one value: what was asked for last.
 * Whatever happened before, once the world behaves and time passes, the engine must agree with it.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { TARGETS } from "../../src/model/app.ts";
import { isWell } from "../../src/model/plan.ts";
import { TestApp, wanting } from "../support/app.ts";
import { settle } from "../support/clock.ts";
import type { Fault } from "../support/engine.ts";

const FAULTS: readonly Fault[] = [
  "timeout",
  "container_failed",
  "image_pull_failed",
  "image_not_found",
  "engine_unreachable",
  "bad_configuration",
];
const VERSIONS = ["1", "2", "3"];
const pick = <T>(all: readonly T[], n: number): T => all[n % all.length] as T;

const HAPPENINGS = {
  ask: (t: TestApp, n: number) => t.ask(wanting(pick(TARGETS, n), VERSIONS[n % 3], `s${n % 2}`)),
  run: (t: TestApp, n: number) => t.ask(wanting("RUNNING", VERSIONS[n % 3], `s${n % 2}`)),
  sync: (t: TestApp) => t.ask(t.desired, "sync"),
  retry: (t: TestApp) => t.actor.send({ type: "app.retry" }),
  hold: (t: TestApp) => t.actor.send({ type: "app.hold" }),
  exit: (t: TestApp, n: number) => t.engine.exit(n % 256),
  fault: (t: TestApp, n: number) => void t.engine.faults.push(pick(FAULTS, n)),
  bad: (t: TestApp, n: number) => void t.engine.bad.set(pick(VERSIONS, n), n % 2 ? "exits" : "sick"),
  oneWay: (t: TestApp, n: number) => void t.engine.oneWay.add(pick(VERSIONS, n)),
  judge: (t: TestApp, n: number) => t.engine.judge(n % 3 ? "unhealthy" : "healthy"),
  pauseByHand: (t: TestApp) => t.engine.pauseByHand(),
  startByHand: (t: TestApp, n: number) => attempt(() => t.engine.startByHand(pick(VERSIONS, n))),
  removeByHand: (t: TestApp) => t.engine.removeByHand(),
  lose: (t: TestApp) => t.engine.lose(),
  comeBack: (t: TestApp) => t.engine.comeBack(),
  restartAgent: (t: TestApp) => {
    t.kill();
    t.actor = t.boot();
  },
  moment: (t: TestApp, n: number) => t.pass(n),
  while: (t: TestApp, n: number) => t.pass(n * 500),
};
type Step = readonly [name: keyof typeof HAPPENINGS, detail: number];
const step = fc.tuple(fc.constantFrom(...(Object.keys(HAPPENINGS) as Step[0][])), fc.nat(100));

/** Stories that once found a defect. */
const PINNED: [Step[], string[]][] = [
  [
    [
      ["ask", 0],
      ["while", 3],
      ["fault", 0],
      ["restartAgent", 0],
      ["moment", 10],
    ],
    [],
  ],
];

test("in the end the engine agrees with the last request, and no two containers ever ran", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.subarray(VERSIONS), async (story, withHealthCheck) => {
      using t = new TestApp(wanting("REMOVED"));
      for (const version of withHealthCheck) t.engine.withHealthCheck.add(version);
      await settle();
      for (const [name, detail] of story) {
        await HAPPENINGS[name](t, detail);
        await settle();
      }

      t.engine.faults = [];
      t.engine.bad.clear();
      t.engine.comeBack();
      await t.pass(200);
      t.actor.send({ type: "app.retry" });
      await t.pass(2_000);
      await t.pass(4_000_000);
      await t.pass(2_000);

      expectDesired(t);
    }),
    { numRuns: Number(process.env["RUNS"] ?? 200), examples: PINNED },
  );
}, 600_000);

const SAYS = {
  RUNNING: ["RUNNING"],
  PRESENT: ["PRESENT"],
  REMOVED: ["REMOVED", "UNINSTALLED"],
  UNINSTALLED: ["UNINSTALLED"],
};

function expectDesired(t: TestApp): void {
  const { target, version, spec } = t.desired;
  const { container, kept, images } = t.engine.look();
  const isSetAside = t.memory.setAside?.version === version;
  expect({ errors: t.errors, violations: t.engine.violations }).toEqual({ errors: [], violations: [] });
  expect(
    { kept, up: isWell(container, t.clock.now()), said: SAYS[target].includes(t.last()?.state ?? "") },
    t.state,
  ).toEqual({
    kept: undefined,
    up: target === "RUNNING",
    said: true,
  });
  const whatShows = { RUNNING: container, PRESENT: images, REMOVED: images, UNINSTALLED: images }[target];
  const wanted = {
    RUNNING: { version, spec },
    PRESENT: expect.arrayContaining([version]),
    REMOVED: [],
    UNINSTALLED: [],
  };
  if (!isSetAside)
    expect(whatShows).toEqual(target === "RUNNING" ? expect.objectContaining(wanted.RUNNING) : wanted[target]);
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The person at the keyboard got an error message.
  }
}
