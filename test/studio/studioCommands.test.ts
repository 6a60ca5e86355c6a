/** The commands of the studio, each as a person in a second terminal runs it: lines and exit codes. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Command } from "../../src/cli/command.ts";
import { studio as serve } from "../../src/cli/studio.ts";
import { studioApp } from "../../src/cli/studioApp.ts";
import { studioApps } from "../../src/cli/studioApps.ts";
import { studioDevice } from "../../src/cli/studioDevice.ts";
import type { Flock } from "../../src/studio/flock.ts";
import { Bench } from "./bench.ts";

let bench: Bench;
const undo: (() => unknown)[] = [];
beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => {
  for (const step of undo.splice(0)) await step();
  await bench.end();
});

function start(command: Command, ...args: string[]) {
  const [lines, complaints, over] = [[] as string[], [] as string[], new AbortController()];
  const ended = command.run({
    ...{ args, env: { REAGENT_STUDIO: bench.folder }, isTerminal: false, signal: over.signal },
    ...{ print: (line) => lines.push(line), complain: (line) => complaints.push(line) },
  });
  return { lines, complaints, ended, stop: () => over.abort() };
}
async function run(command: Command, ...args: string[]) {
  const { lines, complaints, ended } = start(command, ...args);
  return { code: await ended, lines, complaints };
}
async function served() {
  const running = start(serve, "--logs");
  undo.push(async () => {
    running.stop();
    expect(await running.ended).toBe(0);
  });
  await expect.poll(() => running.lines.join("\n")).toMatch(/the studio listens at ws:/);
  return running;
}
async function device(): Promise<Flock> {
  const { lines } = await run(studioDevice, "add", "press-01");
  return JSON.parse(lines.join("\n"));
}
const weather = () => run(studioApp, "add", "weather", "--key", "42", "--version", "1.0.0", "--version", "1.1.0");

test("a studio is served until it is told to end, and says where it is and what happens on it", async () => {
  const { lines } = await served();
  expect(lines.slice(0, 2)).toEqual([
    "the back end answers",
    expect.stringMatching(/^the studio listens at ws:\/\/127.0.0.1:\d+\/, and keeps what it knows in \/.*studio-/),
  ]);
  const { session, device: about } = await bench.online(await device());
  session.publish(`reswarm.logs.${about.serial}.prod_42_weather`, ["sunny \u001b[2J\tdays\nand nights"]);
  await expect.poll(() => lines.at(-1)).toBe("prod_42_weather | and nights");
  expect(lines.slice(-3)).toEqual([
    expect.stringMatching(/^press-01 is CONNECTED \(session \d+\)$/),
    "prod_42_weather | sunny \uFFFD[2J  days",
    "prod_42_weather | and nights",
  ]);
});

test("a device's file goes to standard output, or to a file for its owner only that was not there before", async () => {
  await served();
  expect(await device()).toMatchObject({ name: "press-01", device_key: 1 });
  const path = join(bench.folder, "two.flock");
  expect(await run(studioDevice, "add", "press-02", "-o", path)).toMatchObject({ code: 0 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ name: "press-02", device_key: 2 });
  const lost = await run(studioDevice, "add", "press-03", "-o", path);
  expect(lost).toMatchObject({ code: 1, complaints: [expect.stringContaining("EEXIST")] });
  expect(JSON.parse(lost.lines.join("\n"))).toMatchObject({ name: "press-03" });
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ name: "press-02" });
});

test("run, stop and remove say what became of them", async () => {
  await served();
  const flock = await device();
  await weather();
  expect(await run(studioApp, "run", "weather")).toEqual({
    ...{ code: 0, complaints: [] },
    lines: ["weather 1.1.0 on press-01, RUNNING: kept (press-01 is not connected; it is told when it comes)"],
  });
  const { requests, answer } = await bench.online(flock);
  expect(await run(studioApp, "stop", "weather", "--version", "1.0.0", "--json")).toMatchObject({ code: 0 });
  answer.now = () => {
    throw new Error("the disk is full");
  };
  expect(await run(studioApp, "remove", "42", "--device", "press-01")).toMatchObject({
    ...{ code: 1, lines: ["weather 1.0.0 on press-01, REMOVED: failed (the disk is full)"] },
  });
  expect(requests).toMatchObject([
    { target_state: "PRESENT", present_version: "1.0.0" },
    { target_state: "REMOVED", present_version: "1.0.0" },
  ]);
});

test("what is not known is answered with what is", async () => {
  await served();
  await device();
  await weather();
  const known = "the studio cannot do this: there is no app wether; known are weather";
  expect(await run(studioApp, "run", "wether")).toEqual({ code: 1, lines: [], complaints: [known] });
  expect(await run(studioApp, "run", "weather", "--version", "2")).toMatchObject({
    ...{ code: 1, complaints: [expect.stringContaining("only 1.0.0, 1.1.0")] },
  });
  expect(await run(studioApp, "add", "weather", "--version", "1")).toMatchObject({
    ...{ code: 1, complaints: [expect.stringMatching(/^key: /)] },
  });
});

test("apps: what is wanted and what was reported", async () => {
  await served();
  expect((await run(studioApps)).lines).toEqual([expect.stringMatching(/^no app is known yet/)]);
  await weather();
  expect((await run(studioApps)).lines.at(-1)).toBe("weather (42)  1.1.0   no device yet  -       -");
  const { backEnd } = await bench.online(await device());
  await run(studioApp, "run", "weather", "--version", "1.0.0");
  const order = {
    app: { stage: "PROD", key: 42 },
    name: "weather",
    target: "RUNNING",
    owner: 5,
    requestor: 5,
  } as const;
  await backEnd.tell({ ...order, version: "1.0.0", releaseKey: 1 }, { state: "STARTING", version: "1.0.0" });
  expect((await run(studioApps)).lines).toEqual([
    "APP           NEWEST  DEVICE                WANTED         REPORTED",
    "weather (42)  1.1.0   press-01 (CONNECTED)  RUNNING 1.0.0  STARTING 1.0.0",
  ]);
  const { lines } = await run(studioApps, "--json");
  expect(JSON.parse(lines.join())).toMatchObject([{ app: "weather", reported: { state: "STARTING" } }]);
});

test.each<[Command, string[]]>([
  [studioApp, []],
  [studioApp, ["jump", "weather"]],
  [studioApp, ["constructor", "weather"]],
  [studioApp, ["run"]],
  [studioApp, ["run", "a", "b"]],
  [studioApp, ["run", "a", "--version", "1", "--version", "2"]],
  [studioApp, ["run", "a", "--force"]],
  [studioApps, ["weather"]],
  [studioDevice, ["add"]],
  [studioDevice, ["remove", "press-01"]],
  [serve, ["--port", "http"]],
])("wrong usage is answered with the right one, and 2: %o %j", async (command, args) => {
  const { code, complaints } = await run(command, ...args);
  expect(code).toBe(2);
  expect(complaints.at(-1)).toBe(`usage: ${command.usage}`);
});

test("without a studio it is 3, and says how to start one", async () => {
  expect(await run(studioApps)).toEqual({
    ...{ code: 3, lines: [] },
    complaints: [expect.stringMatching(/^no studio answers on .*studio.sock; start one with `reagent studio`/)],
  });
});

test("a second studio on the folder is refused with a sentence", async () => {
  await served();
  expect(await run(serve, "--port", "0")).toMatchObject({
    ...{ code: 1, complaints: [expect.stringContaining("in use by another studio")] },
  });
});
