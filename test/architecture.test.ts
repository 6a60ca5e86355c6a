/** The arrows of docs/architecture.md, checked on the files themselves: who may import whom. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

/** Folder of the importer -> what it may import: folders of src, or packages. Nothing else. */
const MAY_IMPORT: Record<string, RegExp> = {
  model: /^(src\/model\/|zod$)/,
  machines: /^(src\/machines\/|src\/model\/|xstate$)/,
  services: /^(src\/services\/|src\/model\/|node:|(autobahn|ws|dockerode|docker-modem|p-retry|pino)$)/,
  studio: /^(src\/(studio|model)\/|src\/services\/(wamp|control)\w*\.ts$|node:|(ws|dockerode|pino)$)/,
  cli: /^(src\/(cli|model|services|studio)\/|src\/main\.ts$|node:)/,
  "main.ts": /^(src\/(machines|services|model)\/|xstate$|node:|(autobahn|ws|dockerode|docker-modem|p-retry|pino)$)/,
  "cli.ts": /^(src\/(cli|model|services|studio)\/|src\/main\.ts$|node:)/,
};

const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));

const imports = files.flatMap((file) =>
  [...readFileSync(join("src", file), "utf8").matchAll(/(?<![.\w])(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    ([, to = ""]) => ({
      from: file,
      to: to.startsWith(".") ? normalize(join("src", dirname(file), to)) : to,
    }),
  ),
);

test("every import follows an allowed arrow", () => {
  expect(files.length, "files seen").toBeGreaterThan(10);
  const wrong = imports.filter(({ from, to }) => !MAY_IMPORT[from.split("/")[0] ?? ""]?.test(to));
  expect(wrong).toEqual([]);
});

test("only the commands that run them import main.ts, the studio, or more of the services than the control socket's client", () => {
  const from = (to: RegExp) =>
    imports.filter((each) => /^cli\b/.test(each.from) && to.test(each.to)).map((each) => each.from);
  expect(from(/^src\/main\.ts$/).filter((file) => file !== "cli/run.ts")).toEqual([]);
  expect(from(/^src\/studio\//).filter((file) => !/^cli\/(studio|start)\w*\.ts$/.test(file))).toEqual([]);
  expect(from(/^src\/services\/(?!controlClient\.ts)/)).toEqual([]);
});
