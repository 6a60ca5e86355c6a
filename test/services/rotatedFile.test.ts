/** The agent's own log on disk: bounded, for nobody else, and read back for a person. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseDeviceLogQuery } from "../../src/model/logQuery.ts";
import { queryDeviceLog } from "../../src/services/deviceLog.ts";
import { pathsOf, RotatedFile } from "../../src/services/rotatedFile.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rgf-"));
  path = join(folder, "agent.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("no file is larger than it may be, the oldest goes, and nothing is lost in between", () => {
  const options = { path, largest: 100, older: 2 };
  for (let n = 10; n < 50; n++) new RotatedFile(options).write(`line ${n}\n`);
  const files = pathsOf(options).map((each) => readFileSync(each, "utf8"));
  expect(files.map((text) => text.length <= 100)).toEqual([true, true, true]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const lines = files.join("").trim().split("\n");
  expect(lines).toEqual(Array.from({ length: lines.length }, (_, n) => `line ${50 - lines.length + n}`));
});

test("a disk that takes nothing costs the line, and the next one is tried again", () => {
  const file = new RotatedFile({ path, largest: 10, older: 1 });
  file.write("123456789\n");
  rmSync(folder, { recursive: true });
  file.write("lost\n");
  file.write("lost\n");
});

const at = (minute: number) => new Date(Date.UTC(2026, 0, 2, 3, minute)).toISOString();
const line = (minute: number, level: number, msg: string, more: object = {}) =>
  `${JSON.stringify({ level, time: at(minute), ...more, msg })}\n`;
const ask = (more: object = {}) =>
  queryDeviceLog(path, parseDeviceLogQuery([more], Date.parse(at(30))), Date.parse(at(30)));

test("lines of all files, oldest first, as time, level, words and error", async () => {
  writeFileSync(`${path}.1`, line(1, 30, "begins") + line(2, 20, "a detail"));
  writeFileSync(path, line(3, 40, "a problem", { error: { code: "x", says: "no answer" }, app: "PROD:42" }));
  expect(await ask()).toEqual({
    lines: [`${at(1)} INFO begins`, `${at(3)} WARN a problem: no answer {"app":"PROD:42"}`],
    ...{ returned: 2, truncated: false, files_scanned: 2 },
    ...{ device_time: at(30), oldest_available: at(1) },
  });
});

test("by level, window and number; what is no JSON goes with the line before it", async () => {
  writeFileSync(path, [line(1, 30, "one"), line(5, 50, "two"), "  at stack\n", line(9, 20, "three")].join(""));
  expect((await ask({ level: "error" })).lines).toEqual([`${at(5)} ERROR two`, "  at stack"]);
  expect((await ask({ level: "debug", since: "22m" })).lines).toEqual([`${at(9)} DEBUG three`]);
  expect(await ask({ tail: 1, until: at(2) })).toMatchObject({ lines: [`${at(1)} INFO one`], truncated: false });
  expect(await ask({ tail: 1 })).toMatchObject({ lines: ["  at stack"], truncated: true });
});

test("without a file there is nothing to read", async () => {
  expect(await ask()).toMatchObject({ lines: [], returned: 0, truncated: false, files_scanned: 0 });
});
