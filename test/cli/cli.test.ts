/** The command line as somebody types it: help, typos, exit codes. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cli } from "../../src/cli.ts";
import { VERSION } from "../../src/model/version.ts";
import { FILE } from "../support/flock.ts";
import { fakeIo } from "./io.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rgcli-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function type(...words: string[]) {
  const { io, printed, complained } = fakeIo();
  const code = await cli(words, io);
  return { code, printed: printed.join("\n"), complained: complained.join("\n") };
}

test("--help lists every command and every flag that has an effect", async () => {
  for (const word of ["--help", "-h", "-help"]) {
    const { code, printed } = await type(word);
    expect(code).toBe(0);
    for (const usage of [
      "reagent -config FILE",
      "reagent status",
      "reagent start",
      "reagent studio app",
      "-agentDir <path>",
    ])
      expect(printed).toContain(usage);
  }
});

test.each([["status"], ["start"], ["studio"], ["studio", "app"], ["studio", "apps"], ["studio", "device"]])(
  "%s %s --help says how it is used",
  async (...words) => {
    const { code, printed } = await type(...words, "--help");
    expect(code).toBe(0);
    expect(printed).toMatch(new RegExp(`^reagent ${words.join(" ")}`));
  },
);

test("a typo gets the word that was meant, and exit code 2", async () => {
  expect(await type("statsu")).toEqual({
    code: 2,
    printed: "",
    complained: 'reagent has no command "statsu"; did you mean "status"?\n`reagent --help` lists them all',
  });
  expect((await type("frobnicate", "now")).complained).toContain('no command "frobnicate"\n');
});

test("-version and -arch print one word and end", async () => {
  expect(await type("-version")).toEqual({ code: 0, printed: VERSION, complained: "" });
  expect((await type("-arch")).printed).toMatch(/^(amd64|arm64|arm|386)$/);
});

test("without -config it says what is missing", async () => {
  const { code, complained } = await type("-debug");
  expect([code, complained]).toEqual([2, expect.stringContaining("'-config' argument is required")]);
});

test("an unknown flag is wrong usage, with a hint", async () => {
  const { code, complained } = await type("-confg", "x");
  expect([code, complained]).toEqual([2, expect.stringContaining("-confg is no flag; is -config meant?")]);
});

test("status where no agent runs: one sentence, what to do, exit code 3", async () => {
  const { code, complained } = await type("status", "-agentDir", folder);
  expect(code).toBe(3);
  expect(complained).toContain("no agent answers on the control socket");
  expect(complained).toContain("REAGENT_HOME");
});

test.each([
  ["broken JSON", "{", "broken JSON"],
  ["a field that is missing", JSON.stringify({ ...FILE, serial_number: undefined }), "serial_number"],
  ["a field of another kind", JSON.stringify({ ...FILE, swarm_key: "two" }), "swarm_key"],
])("a .flock file with %s: a sentence that names it, exit code 1, the file untouched", async (_, text, words) => {
  const path = join(folder, "x.flock");
  writeFileSync(path, text);
  const home = join(folder, "home");
  const { code, complained } = await type("-config", path, "-agentDir", home);
  expect([code, complained]).toEqual([1, expect.stringContaining(words)]);
  expect(complained).not.toContain(String(FILE.secret));
  expect(readdirSync(home).filter((name) => name.endsWith(".db"))).toEqual([]);
});

test("a .flock file that is not there is told by its path", async () => {
  const { code, complained } = await type("-config", join(folder, "none.flock"), "-agentDir", folder);
  expect([code, complained]).toEqual([1, expect.stringContaining("none.flock")]);
});

test.each<[string, string, (file: string) => string[]]>([
  ["a home", "ENOTDIR", (file) => ["-agentDir", join(file, "home")]],
  ["a log file", "ENOTDIR", (file) => ["-agentDir", folder, "-logFile", join(file, "x.log")]],
])("%s that cannot be made is told with what the system says", async (_, says, flags) => {
  const path = join(folder, "x.flock");
  writeFileSync(path, JSON.stringify(FILE));
  const { code, complained } = await type("-config", path, ...flags(path));
  expect(code).toBe(1);
  expect(complained).toMatch(new RegExp(`^reagent: the agent cannot write to its disk: ${says}.*x\\.flock.*\\n.*$`));
});

test("a bad setting is wrong usage, by its name", async () => {
  const path = join(folder, "x.flock");
  writeFileSync(path, JSON.stringify(FILE));
  writeFileSync(join(folder, "settings.json"), '{"log.level":"loud"}');
  const { code, complained } = await type("-config", path, "-agentDir", folder);
  expect([code, complained]).toEqual([2, expect.stringContaining("log.level")]);
});
