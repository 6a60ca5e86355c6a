/** The built file, run in a folder without node_modules: what is left out of the bundle must not be missed. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { bundle } from "../../scripts/bundle.mjs";

const folder = mkdtempSync(join(tmpdir(), "rg-"));
const outfile = join(folder, "program.mjs");
let packages: string[] = [];

beforeAll(async () => {
  const { inputs } = await bundle({ entry: "test/bundle/program.ts", outfile });
  packages = Object.keys(inputs).flatMap(
    (path) => /.*node_modules\/(@[^/]+\/)?([^/]+)/.exec(path)?.slice(1).join("") ?? [],
  );
  return () => rmSync(folder, { recursive: true });
});

test("it joins with a secret, calls, publishes, asks an engine and logs, and runs what is imported late only then", async () => {
  const env = { PATH: process.env["PATH"] };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [outfile, folder], { cwd: folder, env });
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual([
    ["echo", 100_000],
    ["news", 3_000],
    ["nowhere", "wamp.error.no_such_procedure"],
    ["containers", []],
    ["gone", "engine_unreachable"],
    ["log", '{"level":30,"msg":"hello"}\n'],
    ["before", []],
    ["after", ["later"], 42],
  ]);
});

test("it starts by itself, and what is never used is not in it", () => {
  expect(readFileSync(outfile, "utf8")).toMatch(/^#!\/usr\/bin\/env node\nimport/);
  expect(packages).toEqual(expect.arrayContaining(["autobahn", "dockerode", "pino", "ws"]));
  const unused = /^(ssh2|cpu-features|@grpc|protobufjs|bufferutil|utf-8-validate|when|msgpack5|cbor)\b/;
  expect([...new Set(packages)].filter((name) => unused.test(name))).toEqual([]);
});

test.each([
  ["20.20.2", 1],
  ["24.1.9", 1],
  ["24.2.0", 0],
  ["25.0.0", 0],
])("on Node %s it ends with %i, and never without a word", async (node, code) => {
  const versions = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${node}" } })`;
  const args = ["--import", `data:text/javascript,${encodeURIComponent(versions)}`, outfile, folder];
  const run = await promisify(execFile)(process.execPath, args).catch((error) => error);
  expect(run.code ?? 0).toBe(code);
  expect(run.stderr).toBe(
    code === 0
      ? ""
      : `reagent needs Node 24.2 or newer, and ${process.execPath} is Node ${node}. Start it with a newer one.\n`,
  );
});
