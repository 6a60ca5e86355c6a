/** Containers of apps that nobody knows. */
import { expect, test } from "vitest";
import type { Engine } from "../../src/services/docker.ts";
import { removeOrphans } from "../../src/services/orphans.ts";

const labels = (key: number, serial = "s1") => ({
  "io.reagent.serial": serial,
  "io.reagent.stage": "PROD",
  "io.reagent.app-key": String(key),
});

async function sweep(fails: Partial<Record<string, Error>> = {}) {
  const removed: string[] = [];
  const problems: unknown[] = [];
  const engine = {
    containers: async () => {
      if (fails["list"]) throw fails["list"];
      return [
        { Id: "known", Names: ["/prod_1_x"], Labels: labels(1) },
        { Id: "orphan", Names: ["/prod_99_ghost"], Labels: labels(99) },
        { Id: "foreign", Names: ["/prod_98_ghost"], Labels: labels(98, "s2") },
        { Id: "odd", Names: ["/odd"], Labels: { "io.reagent.serial": "s1" } },
        { Id: "orphan2", Names: ["/prod_97_ghost"], Labels: labels(97) },
      ];
    },
    remove: async (id: string) => {
      if (fails[id]) throw fails[id];
      removed.push(id);
    },
  } as unknown as Engine;
  await removeOrphans({
    engine,
    serial: "s1",
    isKnown: (app) => app === "PROD:1",
    log: { warn: ({ error }) => error !== undefined && problems.push(error) },
  });
  return { removed, problems };
}

test("those with our serial number and an unknown app go; what is known, another device's, or says no app, stays", async () => {
  expect(await sweep()).toEqual({ removed: ["orphan", "orphan2"], problems: [] });
});

test("one that cannot be removed is told, and stops nothing; so is an engine that gives no list", async () => {
  const busy = new Error("busy");
  expect(await sweep({ orphan: busy })).toEqual({ removed: ["orphan2"], problems: [busy] });
  expect(await sweep({ list: busy })).toEqual({ removed: [], problems: [busy] });
});
