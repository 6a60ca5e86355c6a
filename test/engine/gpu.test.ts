/** The runtime of a GPU, on an engine of our own that knows one by that name. There is no GPU: the runtimes are stand-ins. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { type OwnEngine, startEngine } from "../../src/studio/dockerd.ts";
import { hears, isDevice, openStage, reads } from "./stage.ts";

let folder: string;
let own: OwnEngine | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rgn-"));
});
afterEach(async () => {
  await own?.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(runtime: string | undefined) {
  const path = join(folder, "nvidia-container-runtime");
  if (runtime) writeFileSync(path, runtime);
  if (runtime) chmodSync(path, 0o755);
  own = await startEngine({ folder: join(folder, "e"), flags: runtime ? ["--add-runtime", `nvidia=${path}`] : [] });
  const env = { REAGENT_CONTAINERS_GPU: "on", REAGENT_CONTAINERS_STOP_GRACE: "1" };
  const s = await openStage({ engineSocket: own.socket, registry: inject("registry"), env });
  await s.publish("1.0.0", "trap 'exit 0' TERM; while true; do sleep 1; done");
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  return { s, runtime: (await s.engine.container(s.container))?.HostConfig.Runtime };
}

test("a runtime that works is used", async () => {
  const { s, runtime } = await run('#!/bin/sh\nexec runc "$@"\n');
  await using _ = s;
  expect(runtime).toBe("nvidia");
});

test("R4: one that fails at the start is left out, and that is told", async () => {
  const { s, runtime } = await run("#!/bin/sh\necho nvidia-container-cli: initialization error >&2\nexit 1\n");
  await using _ = s;
  expect(runtime).toBe("runc");
  await s.see("told", reads(/runtime nvidia fails/));
  expect(s.reports()).toEqual(["DOWNLOADING", "STARTING", "RUNNING"]);
});

test("R4: one that the engine does not know is left out", async () => {
  const { s, runtime } = await run(undefined);
  await using _ = s;
  expect(runtime).toBe("runc");
});
