/** The plan as a table: every desire, every set of facts, every memory. Whatever is, following it ends at rest. */
import { expect, test } from "vitest";
import { type Container, type Facts, type Memory, TARGETS } from "../../src/model/app.ts";
import { isUp, type Known, next, noted, type Place, place } from "../../src/model/plan.ts";
import { wanting } from "../support/app.ts";

const box = (version: string, is: Container["is"]): Container => ({ id: "c", version, spec: "s", is, startedAt: 1 });
const IMAGES = [[], ["1"], ["2"], ["1", "2"]];
const CONTAINERS = [
  undefined,
  ...["1", "2"].flatMap((v) => [box(v, "made"), box(v, "up"), box(v, "down"), { ...box(v, "up"), paused: true }]),
  { ...box("1", "up"), spec: "other" },
  { ...box("1", "up"), spec: "other", paused: true },
];
const MEMORIES: Memory[] = [
  { failures: 0 },
  { failures: 1, wait: { because: "container_failed", until: 1 } },
  { failures: 1, wait: { because: "container_failed" } },
];
const ALL: Known[] = TARGETS.flatMap((target) =>
  ["1", "2"].flatMap((version) =>
    IMAGES.flatMap((images) =>
      CONTAINERS.flatMap((container) =>
        MEMORIES.map((memory) => ({ desired: wanting(target, version), facts: { images, container }, memory })),
      ),
    ),
  ),
);

/** What each step does when it works. */
const AFTER: Record<"pull" | "create" | "stop" | "remove", (known: Known, facts: Facts) => Facts> = {
  pull: ({ desired }, facts) => ({ ...facts, images: [...facts.images, desired.version] }),
  create: ({ desired }, facts) => ({ ...facts, container: box(desired.version, "up") }),
  stop: (_, { images }) => ({ images }),
  remove: () => ({ images: [] }),
};

const ENDS: Record<string, Place> = { RUNNING: "running", PRESENT: "present", REMOVED: "removed" };

test("following the plan ends where it was wanted, in at most four steps", () => {
  expect(ALL.length).toBe(3 * 2 * 4 * 11 * 3);
  for (const known of ALL) {
    let now: Known = { ...known, memory: { failures: 0 } };
    for (let steps = 0; steps < 4; steps++) now = taken(now);
    expect([next(now), place(now)], JSON.stringify(known)).toEqual(["rest", ENDS[now.desired.target]]);
  }
});

function taken(now: Known): Known {
  const answer = next(now);
  if (!now.facts || answer === "rest" || answer === "look" || answer === "wait") return now;
  return { ...now, facts: AFTER[answer](now, now.facts) };
}

test("a wait stops every step but never what serves already", () => {
  for (const known of ALL.filter(({ memory }) => memory.wait)) {
    const serves = known.desired.target === "RUNNING" && isUp(known.facts?.container);
    expect(serves ? next(known) !== "wait" : ["rest", "wait"].includes(next(known)), JSON.stringify(known)).toBe(true);
  }
});

test("without facts it looks, whatever is wanted", () => {
  for (const known of ALL)
    expect([next({ ...known, facts: undefined }), place({ ...known, facts: undefined })]).toEqual(["look", "unknown"]);
});

test("a container that was frozen by hand is resumed only if it is the wanted one and is wanted up", () => {
  const paused = ALL.filter((known) => place(known) === "paused");
  expect(new Set(paused.map(({ desired, facts }) => [desired.target, facts?.container?.spec].join()))).toEqual(
    new Set(["RUNNING,s"]),
  );
  expect(paused.every(({ desired, facts }) => facts?.container?.version === desired.version)).toBe(true);
});

test("a fact about another container, or about an older run of this one, changes nothing", () => {
  const facts: Facts = { images: ["1"], container: { ...box("1", "up"), startedAt: 5 } };
  expect(noted(facts, { type: "container.exited", id: "other", startedAt: 5, exitCode: 1 })).toBe(facts);
  expect(noted(facts, { type: "container.exited", id: "c", startedAt: 4, exitCode: 1 })).toEqual(facts);
  expect(noted(facts, { type: "container.exited", id: "c", startedAt: 5, exitCode: 1 }).container).toMatchObject({
    is: "down",
    exitCode: 1,
  });
});
