/** The logs of all apps: what is kept of a container at its end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stampOf } from "../../src/model/logLine.ts";
import type { AppOrder } from "../../src/model/order.ts";
import { AppLogs } from "../../src/services/appLogs.ts";
import type { Engine } from "../../src/services/docker.ts";
import { EngineError } from "../../src/services/dockerModem.ts";
import { LogShelf } from "../../src/services/logShelf.ts";

const NOW = Date.UTC(2026, 0, 2);
const ID = "1".repeat(64);
const order = { app: { stage: "PROD", key: 42 }, name: "weather" } as unknown as AppOrder;

let folder: string;
let shelf: LogShelf;
let problems: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rga-"));
  problems = [];
  shelf = new LogShelf({ folder, onProblem: (error) => problems.push(error) });
});
afterEach(() => {
  shelf.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A container that has ended, and how the engine answers when its output is asked for. */
function start(logs: () => Promise<unknown>) {
  const printed: string[] = [];
  const engine = {
    container: async () => ({ Id: ID, Config: { Tty: true }, State: { Running: false } }),
    logs,
  } as unknown as Engine;
  const appLogs = new AppLogs({
    ...{ engine, shelf, now: () => NOW },
    listeners: { watch: () => () => {} } as never,
    outlet: { hasRoom: () => true, room: async () => {} },
    orderOf: () => order,
    topicOf: (container) => container,
    send: async () => "confirmed",
    onPrinted: (_, __, lines) => printed.push(...lines),
    onProblem: (_, error) => problems.push(error),
  });
  return { printed, keep: () => appLogs.keepLast(order, { id: ID, startedAt: 1 }) };
}

test("the last that a container printed is kept, and told for its record", async () => {
  const { keep, printed } = start(async () => Readable.from([Buffer.from(`${stampOf(NOW)} hello\r\n`)]));
  await keep();
  expect(shelf.last(order.app)).toMatchObject({ container: ID, lines: [{ text: "hello" }] });
  expect([printed, problems]).toEqual([["hello"], []]);
});

test("a container that is being removed has been read before: nothing is told, and what was kept stays", async () => {
  shelf.keepLast(order.app, ID, [{ stream: 0, stamp: stampOf(NOW), text: "hello" }]);
  const { keep } = start(() =>
    Promise.reject(new EngineError("container_failed", "dead or marked for removal", { status: 409 })),
  );
  await keep();
  expect(shelf.last(order.app)?.lines).toMatchObject([{ text: "hello" }]);
  expect(problems).toEqual([]);
});

test("an engine that fails is told", async () => {
  const broken = new EngineError("engine_unreachable", "ECONNRESET");
  const { keep } = start(() => Promise.reject(broken));
  await keep();
  expect(problems).toEqual([broken]);
});
