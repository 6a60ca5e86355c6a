/** `reagent runs` for eyes and for programs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runs, runsScreen } from "../../src/cli/runs.ts";
import { startControl } from "../../src/services/controlServer.ts";
import { fakeIo } from "./io.ts";

const FOUND = {
  app: "PROD:42",
  name: "weather",
  runs: [
    { run: "d-2", version: "2.0.0", begin: Date.UTC(2026, 0, 2, 3, 4, 5), lastLines: [] },
    {
      ...{ run: "c-1", version: "1.0.0", begin: Date.UTC(2026, 0, 2, 3, 0, 0), end: Date.UTC(2026, 0, 2, 3, 0, 9) },
      ...{ exitCode: 137, signal: "SIGKILL", outOfMemory: true, reason: "the container ended by itself" },
      lastLines: ["one", "\u001b[2Jtwo"],
    },
    { run: "b-1", version: "1.0.0", begin: Date.UTC(2026, 0, 1), end: Date.UTC(2026, 0, 1), lastLines: [] },
  ],
};

test("for eyes: when, how long, how it ended and what it said last", () => {
  expect(runsScreen(FOUND)).toEqual([
    "PROD:42 weather",
    "2026-01-02T03:04:05Z  2.0.0  runs",
    "2026-01-02T03:00:00Z  1.0.0  ran 9 s, exit code 137, SIGKILL, out of memory",
    "  the container ended by itself",
    "  | one",
    "  | \uFFFD[2Jtwo",
    "2026-01-01T00:00:00Z  1.0.0  ran 0 s, nobody saw how it ended",
  ]);
  expect(runsScreen({ ...FOUND, runs: [] })).toEqual(["PROD:42 weather has not run yet"]);
});

test("for programs, and wrong usage", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rgr-"));
  const control = await startControl({ path: join(folder, "reagent.sock"), handlers: { runs: () => FOUND } });
  try {
    const { io, printed, complained } = fakeIo();
    expect(await runs.run({ ...io, args: ["weather", "--json", "-agentDir", folder] })).toBe(0);
    expect(JSON.parse(printed.join())).toEqual(FOUND);
    expect(await runs.run({ ...io, args: ["--json"] })).toBe(2);
    expect(complained.join()).toContain("reagent runs <app>");
  } finally {
    await control.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
