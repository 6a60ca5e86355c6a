/** The event stream and the slow look beside it: what no event tells is found all the same. */
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { WatchFact } from "../../src/model/app.ts";
import { minutes, ms } from "../../src/model/duration.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { ContainerInfo, Engine } from "../../src/services/docker.ts";
import { watchEngine } from "../../src/services/dockerEvents.ts";

const ID = "a".repeat(64);
const OTHER = "b".repeat(64);
const labels = {
  "io.reagent.serial": "s1",
  "io.reagent.stage": "PROD",
  "io.reagent.app-key": "42",
  "io.reagent.version": "1",
  "io.reagent.spec": "s",
};

const NOW = Date.UTC(2026, 0, 2);

function start(lookEvery = ms(5)) {
  const containers = new Map<string, "running" | "exited">([[ID, "running"]]);
  const stream = new PassThrough();
  const told: WatchFact[] = [];
  const world = { isAway: false, looks: 0, since: 0 };
  const engine = {
    events: async (since: number) => {
      world.since = since;
      return stream;
    },
    containers: async () => {
      world.looks++;
      if (world.isAway) throw new AgentError("engine_timeout", "list");
      return [...containers].map(([Id, State]) => ({ Id, State }));
    },
    container: async (Id: string) => {
      const state = containers.get(Id);
      const State = { Status: state, Running: state === "running", ExitCode: 3, StartedAt: "2026-01-02T03:04:05Z" };
      return state && ({ Id, Name: "/prod_42_weather", Config: { Labels: labels }, State } as unknown as ContainerInfo);
    },
  } as unknown as Engine;
  const close = watchEngine({ engine, serial: "s1", lookEvery, now: () => NOW }, (fact) => told.push(fact));
  const kinds = () => told.map((fact) => (fact.type === "app.fact" ? fact.fact.type : fact.type));
  return { containers, stream, told, world, close, kinds };
}

test("what runs is told before the stream counts as open, and nothing is told of what stays as it is", async () => {
  const { world, kinds, close } = start();
  await expect.poll(kinds).toEqual(["container.started", "engine.opened"]);
  await expect.poll(() => world.looks).toBeGreaterThan(5);
  expect(kinds()).toHaveLength(2);
  close();
});

test("what happens after the engine has answered and before it hears of events is told: it remembers the last of them", async () => {
  const { containers, stream, world, kinds, close } = start(minutes(5));
  await expect.poll(kinds).toEqual(["container.started", "engine.opened"]);
  containers.set(ID, "exited");
  if (world.since < NOW) stream.write(`${JSON.stringify({ id: ID })}\n`);
  await expect.poll(kinds).toEqual(["container.started", "engine.opened", "container.exited"]);
  close();
});

test("an end, a removal and a start that no event told of are found by the slow look", async () => {
  const { containers, kinds, close } = start();
  await expect.poll(kinds).toHaveLength(2);
  containers.set(ID, "exited");
  await expect.poll(kinds).toEqual(["container.started", "engine.opened", "container.exited"]);
  containers.delete(ID);
  await expect.poll(() => kinds().at(-1)).toBe("container.removed");
  containers.set(OTHER, "running");
  await expect.poll(() => kinds().at(-1)).toBe("container.started");
  close();
});

test("an engine that does not answer the slow look is away", async () => {
  const { world, kinds } = start();
  await expect.poll(kinds).toHaveLength(2);
  world.isAway = true;
  await expect.poll(() => kinds().at(-1)).toBe("engine.closed");
});
