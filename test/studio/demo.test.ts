/** Where the demo does not even begin. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runDemo } from "../../src/studio/demo.ts";

test("a folder that cannot be written is told as that, not as a defect", async () => {
  const parent = mkdtempSync(join(tmpdir(), "rgdemo-"));
  const file = join(parent, "file");
  writeFileSync(file, "");
  const printed: string[] = [];
  const running = runDemo({
    ...{ folder: join(file, ".reagent"), entry: "", env: {}, once: true, isInColour: false, now: () => 0 },
    print: (line) => printed.push(line),
    signal: new AbortController().signal,
  });
  await expect(running).rejects.toMatchObject({ code: "storage_failed", message: expect.stringContaining(file) });
  expect(printed).toEqual([]);
  rmSync(parent, { recursive: true, force: true });
});
