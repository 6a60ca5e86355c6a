/** The docs name real files and real things: every `src/x.ts#name` in docs/ and README.md exists. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const pages = [
  ...readdirSync("docs", { recursive: true, encoding: "utf8" }).map((name) => `docs/${name}`),
  "README.md",
  "CONTRIBUTING.md",
].filter((path) => path.endsWith(".md") && existsSync(path));

test.each(pages)("%s points at things that exist", (page) => {
  const pointers = [
    ...readFileSync(page, "utf8").matchAll(/`((?:src|test|diagrams|scripts)\/[\w./-]+\.\w+)(?:#(\w+))?`/g),
  ];
  const dead = pointers.filter(
    ([, path = "", name]) => !existsSync(path) || (name && !readFileSync(path, "utf8").includes(name)),
  );
  expect(dead.map(([pointer]) => pointer)).toEqual([]);
});
