/** What was printed before, where the engine, the container or the name is not what one hoped for. */
import { expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { stampOf } from "../../src/model/logLine.ts";
import { parseAppLogQuery } from "../../src/model/logQuery.ts";
import { LABELS } from "../../src/model/names.ts";
import type { AppOrder } from "../../src/model/order.ts";
import type { Adoption } from "../../src/services/adoption.ts";
import type { Engine } from "../../src/services/docker.ts";
import { EngineError } from "../../src/services/dockerModem.ts";
import { LogQueries } from "../../src/services/logQueries.ts";
import type { LogShelf } from "../../src/services/logShelf.ts";

const app = { stage: "PROD", key: 42 } as const;
const order = { app, name: "weather" } as unknown as AppOrder;
const QUERY = parseAppLogQuery([{ containerName: "prod_42_weather", timestamps: false, tail: 2 }], 0);

function start(container: Engine["container"], kept: readonly string[] = [], logs?: Engine["logs"]) {
  const lines = kept.map((text, n) => ({ stream: 0 as const, stamp: stampOf(n * 1_000), text }));
  return new LogQueries({
    engine: { container, logs } as unknown as Engine,
    serial: "s1",
    shelf: { last: () => (kept.length > 0 ? { container: "c", lines } : undefined) } as unknown as LogShelf,
    adoption: { of: () => undefined } as unknown as Adoption,
    orders: () => [order],
    wordsOf: () => [{ stamp: stampOf(1_500), text: "a word" }],
    now: () => 0,
  });
}

test("an engine that fails is an error, and not taken for a container that is gone", async () => {
  const queries = start(async () => {
    throw new AgentError("engine_timeout", "10 ms");
  }, ["kept"]);
  await expect(queries.appLogs(QUERY)).rejects.toMatchObject({ code: "engine_timeout" });
  await expect(queries.history("prod_42_weather")).rejects.toMatchObject({ code: "engine_timeout" });
});

test("a container that is gone: the newest of what was kept, and that there is more", async () => {
  const queries = start(async () => undefined, ["a", "b", "c"]);
  expect(await queries.appLogs(QUERY)).toMatchObject({ lines: ["b", "c"], source: "history", truncated: true });
  expect(await queries.history("prod_42_weather")).toEqual(["a", "b", "a word", "c"]);
});

test("so is one that goes away between the question and the reading", async () => {
  const Labels = { [LABELS.serial]: "s1", [LABELS.stage]: app.stage, [LABELS.key]: String(app.key) };
  const there = async () => ({ Id: "x", Name: "/prod_42_weather", Config: { Labels } }) as never;
  const gone = () => Promise.reject(new EngineError("container_failed", "being removed", { status: 409 }));
  const queries = start(there, ["a", "b", "c"], gone);
  expect(await queries.appLogs(QUERY)).toMatchObject({ lines: ["b", "c"], source: "history", truncated: true });
  expect(await queries.history("prod_42_weather")).toEqual(["a", "b", "a word", "c"]);
});

test("one of somebody else that has the name is none of ours", async () => {
  const queries = start(async () => ({ Id: "x", Name: "/prod_42_weather", Config: { Labels: {} } }) as never);
  expect(await queries.appLogs(QUERY)).toMatchObject({ lines: null, source: "history", returned: 0 });
  expect(await queries.history("prod_1_ghost")).toBeNull();
});
