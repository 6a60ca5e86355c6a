import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseFlock } from "../../src/model/flock.ts";
import { readSettings, Settings } from "../../src/model/settings.ts";
import { PAGES } from "../support/docsPages.ts";

test.each(Object.entries(PAGES))("%s is what `npm run docs` makes of the code", (path, text) => {
  expect(readFileSync(path, "utf8")).toBe(text());
});

const page = readFileSync("docs/config.md", "utf8");

test("the examples of whole files on the page can be used", () => {
  const [settings, flock] = [...page.matchAll(/^ {4}\{\n(?: {4}.*\n)+/gm)].map(([text]) => text);
  expect(readSettings(settings, {})["containers.stopGrace"]).toBe(30);
  expect(parseFlock(flock ?? "").name).toBe("press-01");
});

test("the examples of settings, all together, mean the same in the file and in the environment", () => {
  const inFile = [...page.matchAll(/in settings\.json \| `(.*)` \|/g)].map(([, text]) => text);
  const inEnv = [...page.matchAll(/in the environment \| `(\w+)=(.*)` \|/g)].map(([, name, value]) => [name, value]);
  expect(inFile.length).toBe(Object.keys(Settings.shape).length);
  const settings = readSettings(`{${inFile.join(", ")}}`, {});
  expect(Object.keys(settings).length).toBe(inFile.length);
  expect(readSettings(undefined, Object.fromEntries(inEnv))).toEqual(settings);
});
