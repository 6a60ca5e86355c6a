/** Small words of the model: what somebody may have meant, what an app's log says about a crash, and the version. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { architectureOf } from "../../src/model/architecture.ts";
import { AgentError } from "../../src/model/errors.ts";
import { nearest } from "../../src/model/nearest.ts";
import { crashSayings } from "../../src/model/sayings.ts";
import { VERSION } from "../../src/model/version.ts";

test("a typo finds the word that was meant, and nonsense finds none", () => {
  const known = ["status", "studio", "studio app", "start"];
  expect(nearest("statsu", known)).toBe("status");
  expect(nearest("Studoi", known)).toBe("studio");
  expect(nearest("frobnicate", known)).toBe(undefined);
  expect(nearest("", known)).toBe(undefined);
});

test("a crash is told with its exit code and when it is tried again, in the original's words", () => {
  const error = new AgentError("container_exited", "exit code 7");
  const memory = { failures: 1, wait: { because: "container_exited", until: 5_570 } } as const;
  expect(crashSayings({ name: "weather", stage: "PROD", error, exitCode: 7, memory, now: 1_000 })).toEqual([
    "weather (PROD) exited with status code: 7",
    "Entered a crashloop (1st attempt), retrying in 4.570s",
  ]);
});

test.each([
  [1, "1st"],
  [2, "2nd"],
  [3, "3rd"],
  [4, "4th"],
  [11, "11th"],
  [12, "12th"],
  [21, "21st"],
  [113, "113th"],
])("attempt %i is the %s", (failures, word) => {
  const memory = { failures, wait: { because: "container_exited", until: 1 } } as const;
  const said = crashSayings({ name: "w", stage: "PROD", error: undefined, exitCode: 1, memory, now: 0 });
  expect(said[1]).toContain(`(${word} attempt)`);
});

test("what waiting cannot help says so", () => {
  const error = new AgentError("image_not_found", "manifest unknown");
  const memory = { failures: 1, wait: { because: "image_not_found" } } as const;
  expect(crashSayings({ name: "w", stage: "PROD", error, exitCode: undefined, memory, now: 0 })).toEqual([
    "w (PROD) failed: the registry has no such image: manifest unknown",
    "w (PROD) is not tried again by itself",
  ]);
});

test("processors have the names that images are called by", () => {
  expect([architectureOf("x64"), architectureOf("arm"), architectureOf("riscv64")]).toEqual([
    { name: "amd64", variant: "" },
    { name: "arm", variant: "v7" },
    { name: "riscv64", variant: "" },
  ]);
});

test("the version is that of package.json", () => {
  expect(VERSION).toBe((JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version);
});
