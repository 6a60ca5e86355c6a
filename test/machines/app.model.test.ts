/**
 * Random stories against the real machine on a simulated engine. The model is one value: what was asked for last.
 * Whatever happened before, once the world behaves and time passes, the engine must agree with it.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { TARGETS } from "../../src/model/app.ts";
import { isUp } from "../../src/model/plan.ts";
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
  bad: (t: TestApp, n: number) => void t.engine.bad.add(pick(VERSIONS, n)),
  pauseByHand: (t: TestApp) => t.engine.pauseByHand(),
  startByHand: (t: TestApp, n: number) => attempt(() => t.engine.startByHand(pick(VERSIONS, n))),
  removeByHand: (t: TestApp) => t.engine.removeByHand(),
  lose: (t: TestApp) => t.engine.lose(),
  comeBack: (t: TestApp) => t.engine.comeBack(),
  restartAgent: (t: TestApp) => {
    t.kill();
    t.actor = t.boot();
  },
  moment: (t: TestApp, n: number) => t.pass(n, 5),
  while: (t: TestApp, n: number) => t.pass(n * 500, 250),
};
type Step = readonly [name: keyof typeof HAPPENINGS, detail: number];
const step = fc.tuple(fc.constantFrom(...(Object.keys(HAPPENINGS) as Step[0][])), fc.nat(100));

/** Stories that once found a defect. */
const PINNED: [Step[]][] = [
  [
    [
      ["ask", 0],
      ["while", 3],
      ["fault", 0],
      ["restartAgent", 0],
      ["moment", 10],
    ],
  ],
];

test("in the end the engine agrees with the last request, and no two containers ever ran", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (story) => {
      using t = new TestApp(wanting("REMOVED"));
      await settle();
      for (const [name, detail] of story) {
        await HAPPENINGS[name](t, detail);
        await settle();
      }

      t.engine.faults = [];
      t.engine.bad.clear();
      t.engine.comeBack();
      await t.pass(200, 5);
      t.actor.send({ type: "app.retry" });
      await t.pass(2_000, 5);
      await t.pass(4_000_000, 2_000);
      await t.pass(2_000, 5);

      expectDesired(t);
    }),
    { numRuns: Number(process.env["RUNS"] ?? 200), examples: PINNED },
  );
}, 600_000);

function expectDesired(t: TestApp): void {
  const { target, version, spec } = t.desired;
  const { container, images } = t.engine.look();
  expect({ errors: t.errors, violations: t.engine.violations }).toEqual({ errors: [], violations: [] });
  expect({ up: isUp(container), said: t.last()?.state }, t.state).toEqual({ up: target === "RUNNING", said: target });
  if (target === "RUNNING") expect(container).toMatchObject({ version, spec });
  if (target === "PRESENT") expect(images).toContain(version);
  if (target === "REMOVED") expect(images).toEqual([]);
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The person at the keyboard got an error message.
  }
}
