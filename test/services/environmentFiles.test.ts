import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeEnvironment } from "../../src/services/environmentFiles.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "rge-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));
const env = (...names: string[]) => join(data, "env", ...names);
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test("a file for each, for the owner alone; what is no longer set goes", async () => {
  await writeEnvironment(data, { CITY: "Köln", LARGE: "x".repeat(100_000) });
  expect(readdirSync(env())).toEqual(["CITY.txt", "LARGE.txt"]);
  expect(readFileSync(env("CITY.txt"), "utf8")).toBe("Köln");
  expect([mode(env()), mode(env("CITY.txt"))]).toEqual(["700", "600"]);
  chmodSync(env(), 0o777);
  await writeEnvironment(data, { CITY: "Bonn" });
  expect(readdirSync(env())).toEqual(["CITY.txt"]);
  expect(readFileSync(env("CITY.txt"), "utf8")).toBe("Bonn");
  expect(mode(env())).toBe("700");
  await writeEnvironment(data, {});
  expect(readdirSync(env())).toEqual([]);
});

test("without variables no folder is made", async () => {
  await writeEnvironment(data, {});
  expect(readdirSync(data)).toEqual([]);
});

test("a link in place of the folder, or of a file, leads nowhere", async () => {
  const elsewhere = join(data, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "victim"), "whole");
  symlinkSync(elsewhere, env());
  await expect(writeEnvironment(data, { CITY: "x" })).rejects.toMatchObject({ code: "bad_configuration" });
  expect(readdirSync(elsewhere)).toEqual(["victim"]);
  rmSync(env());
  mkdirSync(env());
  symlinkSync(join(elsewhere, "victim"), env("CITY.txt"));
  symlinkSync(elsewhere, env("old"));
  await writeEnvironment(data, { CITY: "x" });
  expect(readFileSync(join(elsewhere, "victim"), "utf8")).toBe("whole");
  expect(lstatSync(env("CITY.txt")).isSymbolicLink()).toBe(false);
  expect(readdirSync(env())).toEqual(["CITY.txt"]);
});

test("a file in place of the folder is told", async () => {
  writeFileSync(env(), "");
  await expect(writeEnvironment(data, { CITY: "x" })).rejects.toMatchObject({ code: "bad_configuration" });
});
