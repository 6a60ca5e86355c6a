/** The plan as a table: every desire, every set of facts, every memory. Whatever is, following it ends at rest. */
import { expect, test } from "vitest";
import type { Container, Facts, Memory } from "../../src/model/app.ts";
import { isWell, type Known, next, type Place, place, type Step, versionToRun } from "../../src/model/plan.ts";
import { wanting } from "../support/app.ts";

const box = (version: string, is: Container["is"], health?: "unhealthy"): Container => {
  return { id: `c${version}`, version, spec: "s", is, startedAt: 1, ...(health && { health }) };
};
const IMAGES = [[], ["1"], ["2"], ["1", "2"]];
const CONTAINERS = [
  undefined,
  ...["1", "2"].flatMap((v) => [box(v, "made"), box(v, "up"), box(v, "down"), box(v, "up", "unhealthy")]),
  { ...box("1", "up"), spec: "other" },
];
const KEPT = [undefined, box("1", "down")];
const WITHOUT_WAY_BACK: Memory[] = [
  undefined,
  { because: "container_failed" as const, until: 1 },
  { because: "container_failed" as const },
].flatMap((wait) =>
  [undefined, "1", "2"].flatMap((version) =>
    [true, false].map((uninstalled) => ({
      failures: 0,
      uninstalled,
      wait,
      setAside: version === undefined ? undefined : { because: "container_failed" as const, version },
    })),
  ),
);
const MEMORIES = WITHOUT_WAY_BACK.flatMap((memory) => [
  memory,
  { ...memory, wayBack: "1" },
  { ...memory, wayBack: "2" },
]);
const ALL: Known[] = (["RUNNING", "PRESENT", "REMOVED", "UNINSTALLED"] as const).flatMap((target) =>
  ["1", "2"].flatMap((version) =>
    IMAGES.flatMap((images) =>
      CONTAINERS.flatMap((container) =>
        KEPT.flatMap((kept) =>
          MEMORIES.map((memory) => ({
            desired: wanting(target, version),
            facts: { images, container, kept },
            memory,
            at: 3_600_000,
          })),
        ),
      ),
    ),
  ),
);

/** What each step does when it works. */
const AFTER: Record<Step, (known: Known, facts: Facts) => Facts> = {
  pull: (known, facts) => ({ ...facts, images: [...facts.images, versionToRun(known)] }),
  create: (known, facts) => ({ ...facts, container: { ...box(versionToRun(known), "up"), spec: known.desired.spec } }),
  stop: (_, { images }) => ({ images }),
  remove: () => ({ images: [] }),
  uninstall: () => ({ images: [] }),
  update: ({ desired }) => ({
    images: [desired.version],
    container: { ...box(desired.version, "up"), spec: desired.spec },
  }),
};

const ENDS: Record<string, Place[]> = {
  RUNNING: ["running"],
  PRESENT: ["present"],
  REMOVED: ["removed", "uninstalled"],
  UNINSTALLED: ["uninstalled"],
};

test("following the plan ends where it was wanted, in at most four steps", () => {
  expect(ALL.length).toBe(4 * 2 * 4 * 10 * 2 * 54);
  for (const known of ALL) {
    let now = settled({ ...known, memory: { ...known.memory, wait: undefined } });
    for (let steps = 0; steps < 4; steps++) now = settled(taken(now));
    const isThere = ENDS[now.desired.target]?.includes(place(now) as Place);
    expect([next(now), isThere, now.facts?.kept], JSON.stringify(known)).toEqual(["rest", true, undefined]);
  }
});

function taken(now: Known): Known {
  const answer = next(now);
  if (!now.facts || answer === "rest" || answer === "look" || answer === "wait") return now;
  const uninstalled = answer === "uninstall" || (now.memory.uninstalled && answer !== "pull");
  return { ...now, facts: AFTER[answer](now, now.facts), memory: { ...now.memory, uninstalled } };
}

/** Half an update is rolled back or finished before anything else is planned. */
function settled(now: Known): Known {
  if (!now.facts || now.desired.target !== "RUNNING") return now;
  const { images, container, kept } = now.facts;
  if (place(now) === "rollingBack") return { ...now, facts: { images, container: kept } };
  if (place(now) !== "probation") return now;
  return { ...now, facts: { images, container }, memory: { ...now.memory, wayBack: undefined } };
}

test("a wait stops every step but never what serves already", () => {
  for (const known of ALL.filter(({ memory }) => memory.wait)) {
    const serves = known.desired.target === "RUNNING" && isWell(known.facts?.container, known.at);
    expect(serves ? next(known) !== "wait" : ["rest", "wait"].includes(next(known)), JSON.stringify(known)).toBe(true);
  }
});

test("without facts it looks, whatever is wanted", () => {
  for (const known of ALL)
    expect([next({ ...known, facts: undefined }), place({ ...known, facts: undefined })]).toEqual(["look", "unknown"]);
});
