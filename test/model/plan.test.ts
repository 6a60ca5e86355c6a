/** The plan as a table: every desire, every set of facts, every memory. Whatever is, following it ends at rest. */
import { expect, test } from "vitest";
import { type Container, type Facts, type Memory, STRATEGIES, TARGETS } from "../../src/model/app.ts";
import { noted } from "../../src/model/noted.ts";
import { isWell, type Known, type Next, next, type Place, place, versionToRun } from "../../src/model/plan.ts";
import { wanting } from "../support/app.ts";

const box = (version: string, is: Container["is"], health?: "unhealthy"): Container => {
  return { id: `c${version}`, version, spec: "s", is, startedAt: 1, ...(health && { health }) };
};
const IMAGES = [[], ["1"], ["2"], ["1", "2"]];
const CONTAINERS = [
  undefined,
  ...["1", "2"].flatMap((v) => [
    box(v, "made"),
    box(v, "up"),
    box(v, "down"),
    box(v, "up", "unhealthy"),
    { ...box(v, "up"), paused: true },
  ]),
  { ...box("1", "up"), spec: "other" },
];
const KEPT = [undefined, box("1", "down")];
const WITHOUT_WAY_BACK: Memory[] = [
  undefined,
  { because: "container_failed" as const, until: 1 },
  { because: "container_failed" as const },
].flatMap((wait) =>
  [undefined, "1", "2"].flatMap((version) =>
    [true, false].map((isUninstalled) => ({
      failures: 0,
      isUninstalled,
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
const ALL: Known[] = TARGETS.flatMap((target) =>
  ["1", "2"].flatMap((version) =>
    IMAGES.flatMap((images) =>
      CONTAINERS.flatMap((container) =>
        KEPT.flatMap((kept) =>
          MEMORIES.flatMap((memory) =>
            STRATEGIES.map((strategy) => ({
              stage: "PROD" as const,
              desired: wanting(target, version),
              facts: { images, container, kept },
              memory,
              strategy,
              at: 3_600_000,
            })),
          ),
        ),
      ),
    ),
  ),
);

/** What each step does when it works. */
const AFTER: Record<Exclude<Next, "look" | "rest" | "wait">, (known: Known, facts: Facts) => Facts> = {
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
  expect(ALL.length).toBe(4 * 2 * 4 * 12 * 2 * 54 * 2);
  const others = ALL.filter((known) => {
    let now = settled({ ...known, memory: { ...known.memory, wait: undefined } });
    for (let steps = 0; steps < 4; steps++) now = settled(taken(now));
    const isThere = ENDS[now.desired.target]?.includes(place(now) as Place);
    return next(now) !== "rest" || !isThere || now.facts?.kept;
  });
  expect(others.slice(0, 5)).toEqual([]);
});

function taken(now: Known): Known {
  const answer = next(now);
  if (!now.facts || answer === "rest" || answer === "look" || answer === "wait") return now;
  const isUninstalled = answer === "uninstall" || (now.memory.isUninstalled && answer !== "pull");
  return { ...now, facts: AFTER[answer](now, now.facts), memory: { ...now.memory, isUninstalled } };
}

/** Half an update is rolled back or finished before anything else is planned. */
function settled(now: Known): Known {
  if (!now.facts || now.desired.target !== "RUNNING") return now;
  const { images, container, kept } = now.facts;
  if (place(now) === "paused")
    return { ...now, facts: { ...now.facts, container: { ...container, paused: false } as Container } };
  if (place(now) === "swapping")
    return settled({
      ...now,
      facts: { ...now.facts, container: { ...container, is: "up", paused: false, health: undefined } as Container },
    });
  if (place(now) === "rollingBack") return { ...now, facts: { images, container: kept } };
  if (place(now) !== "probation" && place(now) !== "committing") return now;
  return { ...now, facts: { images, container }, memory: { ...now.memory, wayBack: undefined } };
}

test("a wait stops every step but never what serves already", () => {
  const waiting = ALL.filter(({ memory }) => memory.wait);
  const others = waiting.filter((known) => {
    const serves = known.desired.target === "RUNNING" && isWell(known.facts?.container, known.at);
    return serves ? next(known) === "wait" : !["rest", "wait"].includes(next(known));
  });
  expect(others.slice(0, 5)).toEqual([]);
});

test("without facts it looks, whatever is wanted", () => {
  const blind = ALL.map((known): Known => ({ ...known, facts: undefined }));
  expect(new Set(blind.map((known) => `${next(known)} ${place(known)}`))).toEqual(new Set(["look unknown"]));
});

test("a container that was frozen by hand is resumed only if it is the wanted one and is wanted up", () => {
  const paused = ALL.filter((known) => place(known) === "paused");
  expect(new Set(paused.map(({ desired, facts }) => [desired.target, facts?.container?.spec].join()))).toEqual(
    new Set(["RUNNING,s"]),
  );
  expect(
    paused.every(
      ({ desired, facts, memory }) =>
        [desired.version, memory.setAside?.version].includes(facts?.container?.version) ||
        memory.setAside?.version === desired.version,
    ),
  ).toBe(true);
});

test("a fact about another container, or about an older run of this one, changes nothing", () => {
  const facts: Facts = { images: ["1"], container: { ...box("1", "up"), startedAt: 5 } };
  expect(noted(facts, { type: "container.exited", id: "other", startedAt: 5, exitCode: 1 })).toBe(facts);
  expect(noted(facts, { type: "container.exited", id: "c1", startedAt: 4, exitCode: 1 })).toEqual(facts);
  expect(noted(facts, { type: "container.exited", id: "c1", startedAt: 5, exitCode: 1 }).container).toMatchObject({
    is: "down",
    exitCode: 1,
  });
});
