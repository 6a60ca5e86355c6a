/** `reagent logs`: what is asked of the agent, what is printed, and how it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cli } from "../../src/cli.ts";
import { AgentError } from "../../src/model/errors.ts";
import { startControl } from "../../src/services/controlServer.ts";
import { fakeIo } from "./io.ts";

const line = (text: string) => ({ stream: 0, stamp: "2026-01-02T03:04:05.000000000Z", text });

let folder: string;
let control: { close(): Promise<void> };
let asked: unknown[];
let left: Promise<void>;
let printMore: (text: string) => void;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "rgl-"));
  asked = [];
  const gone = Promise.withResolvers<void>();
  left = gone.promise;
  const printed = Promise.withResolvers<string>();
  printMore = printed.resolve;
  control = await startControl({
    path: join(folder, "reagent.sock"),
    handlers: {},
    streams: {
      logs: async (params, send, signal) => {
        asked.push(params);
        const { app, follow } = params as { app: string; follow: boolean };
        if (app === "oven") throw new AgentError("unknown_app", '"oven"');
        await send([line("one"), line("\u001b[2Jtwo")]);
        if (!follow) return;
        const over = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        const more = await Promise.race([printed.promise, over]);
        if (more) await send([line(more)]);
        await over;
        gone.resolve();
      },
    },
  });
});
afterEach(async () => {
  await control.close();
  rmSync(folder, { recursive: true, force: true });
});

async function type(words: readonly string[], isTerminal = false, until?: AbortController) {
  const { io, printed, complained, over } = fakeIo({ REAGENT_HOME: folder });
  const running = cli(words, { ...io, isTerminal, signal: until?.signal ?? over.signal });
  return { code: await running, printed, complained: complained.join("\n") };
}

test("prints what there is, as it is; for eyes without what moves a cursor; for programs as JSON", async () => {
  expect(await type(["logs", "weather"])).toEqual({ code: 0, printed: ["one", "\u001b[2Jtwo"], complained: "" });
  expect((await type(["logs", "weather"], true)).printed).toEqual(["one", "\uFFFD[2Jtwo"]);
  expect((await type(["logs", "weather", "--json"])).printed.map((text) => JSON.parse(text))).toEqual([
    line("one"),
    line("\u001b[2Jtwo"),
  ]);
});

test("passes on what is asked", async () => {
  await type(["logs", "weather", "--since", "30m", "--tail", "5", "-agentDir", folder]);
  expect(asked).toEqual([{ app: "weather", since: "30m", tail: 5, follow: false }]);
});

test("-f goes on until Ctrl-C, and the agent is told that nobody is there any more", async () => {
  const over = new AbortController();
  const running = type(["logs", "weather", "-f"], false, over);
  await expect.poll(() => asked.length).toBe(1);
  over.abort();
  expect((await running).code).toBe(0);
  await left;
});

test("-f ends without a word when whoever read it leaves", async () => {
  const path = resolve("src/cli.ts");
  const child = spawn(process.execPath, [path, "logs", "weather", "-f"], { env: { REAGENT_HOME: folder } });
  const complained = text(child.stderr);
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  child.stdout.destroy();
  printMore("three");
  await left;
  expect([await ended, await complained]).toEqual([[0, null], ""]);
});

test("an app that is not there, an agent that is not there, a wrong flag", async () => {
  const { code, complained } = await type(["logs", "oven"]);
  expect([code, complained.split("\n")[0]]).toEqual([1, 'reagent: there is no such app on this device: "oven"']);
  expect(await type(["logs", "weather", "--nosuch"])).toMatchObject({
    code: 2,
    complained: expect.stringContaining("usage: reagent logs"),
  });
  expect(await type(["logs"])).toMatchObject({ code: 2 });
  for (const [flag, value] of [
    ["--since", "yesterday"],
    ["--tail", "few"],
  ] as const) {
    const wrong = await type(["logs", "weather", flag, value]);
    expect([wrong.code, wrong.complained]).toEqual([2, expect.stringContaining(`${flag} ${value}: expected`)]);
  }
  await control.close();
  expect(await type(["logs", "weather"])).toMatchObject({ code: 3 });
});
