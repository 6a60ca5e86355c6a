/** What the engine shows of a container, in the words of the model. */
import { describe, expect, test } from "vitest";
import type { ContainerInfo } from "../../src/services/docker.ts";
import { containerOf, graceOf } from "../../src/services/dockerFacts.ts";

const STARTED = "2026-01-02T03:04:05.678901234Z";
const shown = (State: object, Labels: Record<string, string> = {}) =>
  containerOf({
    Id: "c",
    Config: { Labels: { "io.reagent.version": "1", "io.reagent.spec": "s", ...Labels } },
    State: { StartedAt: STARTED, ...State },
  } as unknown as ContainerInfo);

test.each([
  ["created", { Status: "created", StartedAt: "0001-01-01T00:00:00Z" }, { is: "made", startedAt: 0 }],
  ["running", { Status: "running", Running: true }, { is: "up", startedAt: Date.parse(STARTED) }],
  ["paused", { Status: "paused", Running: true, Paused: true }, { is: "up", paused: true }],
  ["restarting", { Status: "restarting", Running: false, ExitCode: 1 }, { is: "down", exitCode: 1 }],
  ["removing", { Status: "removing", Running: false, ExitCode: 0 }, { is: "down" }],
  ["exited with 0", { Status: "exited", ExitCode: 0 }, { is: "down", exitCode: 0 }],
  ["exited with 137", { Status: "exited", ExitCode: 137 }, { is: "down", exitCode: 137 }],
  ["out of memory", { Status: "exited", ExitCode: 137, OOMKilled: true }, { isOutOfMemory: true }],
  ["dead", { Status: "dead", ExitCode: 255 }, { is: "down", exitCode: 255 }],
])("%s is %s", (_, state, container) => {
  expect(shown(state)).toMatchObject({ id: "c", version: "1", spec: "s", ...container });
});

describe("health", () => {
  const sick = (Log: unknown, Status = "unhealthy") => ({ Status: "running", Running: true, Health: { Status, Log } });

  test("with the last words of the check, on one line and short", () => {
    const log = [
      { ExitCode: 0, Output: "old" },
      { ExitCode: 1, Output: `no\u001b[31m water\n${"x".repeat(1_000)}` },
    ];
    const { health, healthSays } = shown(sick(log));
    expect([health, healthSays]).toEqual([
      "unhealthy",
      expect.stringMatching(/^exit code 1: no\uFFFD\[31m water.{200,}…$/),
    ]);
  });

  test.each([[{ "reagent.health": "off" }], [{ "reagent.health": "off", x: "y" }]])(
    "is nobody's matter with %j",
    (labels) => {
      expect(shown(sick([]), labels)).not.toHaveProperty("health");
    },
  );

  test("is absent where there is none, or the engine says something else", () => {
    for (const status of ["none", "odd"]) expect(shown(sick([], status))).not.toHaveProperty("health");
    expect(shown({ Status: "running", Running: true })).not.toHaveProperty("health");
  });
});

test("the label says what follows an end; whatever else it says is `always`", () => {
  const ended = { Status: "exited", ExitCode: 0 };
  expect(shown(ended, { "reagent.restart": "on-failure" })).toMatchObject({ restart: "on-failure" });
  expect(shown(ended, { "reagent.restart": "no" })).toMatchObject({ restart: "no" });
  for (const odd of ["always", "never", ""])
    expect(shown(ended, { "reagent.restart": odd })).not.toHaveProperty("restart");
});

test("how long a stop may take: the label, else the image, else neither says; never more than ten minutes", () => {
  const grace = (Labels: Record<string, string>, StopTimeout?: number) =>
    graceOf({ Labels, ...(StopTimeout !== undefined && { StopTimeout }) } as never);
  expect(grace({ "reagent.stop-grace": "90" }, 5)).toBe(90);
  expect(grace({ "reagent.stop-grace": "-1" }, 5)).toBe(5);
  expect(grace({ "reagent.stop-grace": "601" })).toBeUndefined();
  expect(grace({}, 5_000)).toBe(600);
  expect(grace({}, -1)).toBeUndefined();
});
