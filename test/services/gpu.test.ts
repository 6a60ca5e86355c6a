/** The signs of a GPU. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasGpu } from "../../src/services/gpu.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rgg-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const look = () =>
  hasGpu({ folder: join(folder, "nvidia"), cache: join(folder, "cache"), model: join(folder, "model") });

test("without any sign there is none", async () => {
  expect(await look()).toBe(false);
  writeFileSync(join(folder, "cache"), "\0libc.so.6\0");
  writeFileSync(join(folder, "model"), "Raspberry Pi 4\0");
  expect(await look()).toBe(false);
});

test("its libraries, the loader's cache, or the board's name show one", async () => {
  writeFileSync(join(folder, "cache"), "\0libc.so.6\0libnvidia-ml.so.1\0");
  expect(await look()).toBe(true);
  rmSync(join(folder, "cache"));
  writeFileSync(join(folder, "model"), "NVIDIA Jetson Nano Developer Kit\0");
  expect(await look()).toBe(true);
  rmSync(join(folder, "model"));
  mkdirSync(join(folder, "nvidia"));
  expect(await look()).toBe(true);
});
