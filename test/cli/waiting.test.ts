/** `reagent retry` and `reagent hold`, from the words to the answer. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cli } from "../../src/cli.ts";
import { AgentError } from "../../src/model/errors.ts";
import { startControl } from "../../src/services/controlServer.ts";
import { fakeIo } from "./io.ts";

let folder: string;
let control: { close(): Promise<void> };
const asked: unknown[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "rgw-"));
  asked.length = 0;
  const wake = (request: string) => (params: unknown) => {
    asked.push([request, params]);
    const { app } = params as { app: string };
    if (app === "oven") throw new AgentError("unknown_app", '"oven"');
    if (app === "calm") return { app: "PROD:7", outcome: "refused", why: "nothing is waiting to be tried again" };
    return { app: "PROD:42", outcome: "now", why: "it is tried again now" };
  };
  control = await startControl({
    path: join(folder, "reagent.sock"),
    handlers: { retry: wake("retry"), hold: wake("hold") },
  });
});
afterEach(async () => {
  await control.close();
  rmSync(folder, { recursive: true, force: true });
});

async function type(...words: string[]) {
  const { io, printed, complained } = fakeIo({ REAGENT_HOME: folder });
  const code = await cli(words, io);
  return { code, printed, complained: complained.join("\n") };
}

test.each(["retry", "hold"])("%s passes the app on and says what becomes of it", async (request) => {
  expect(await type(request, "weather")).toEqual({
    code: 0,
    printed: ["PROD:42: it is tried again now"],
    complained: "",
  });
  expect(asked).toEqual([[request, { app: "weather" }]]);
});

test("for programs it is one JSON object", async () => {
  const { printed } = await type("retry", "weather", "--json");
  expect(JSON.parse(printed.join())).toEqual({ app: "PROD:42", outcome: "now", why: "it is tried again now" });
});

test("where nothing waits the exit code is 1", async () => {
  expect(await type("hold", "calm")).toMatchObject({
    code: 1,
    printed: ["PROD:7: nothing is waiting to be tried again"],
  });
});

test("an app that is not there is told with what to do, no app is wrong usage, no agent is 3", async () => {
  const unknown = await type("retry", "oven");
  expect([unknown.code, unknown.complained]).toEqual([1, expect.stringContaining("reagent status")]);
  expect(await type("retry")).toMatchObject({ code: 2, complained: expect.stringContaining("reagent retry <app>") });
  expect((await type("retry", "weather", "-agentDir", join(folder, "none"))).code).toBe(3);
});

test("an app that is not there is complained about once", async () => {
  const { code, complained } = await type("hold", "oven");
  expect([code, complained.split("\n")[0]]).toEqual([1, 'reagent: there is no such app on this device: "oven"']);
});
