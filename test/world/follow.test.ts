/** docs/follow-one-command.md, walked: one order from its acceptance to the report, in the words of the actors. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { AppId } from "../../src/model/app.ts";
import { wanting } from "../support/app.ts";
import { World } from "./world.ts";

const weather: AppId = { stage: "PROD", key: 42 };

test("an order walks through the app's states, and each that has a wire name is heard", async () => {
  using w = new World();
  await w.until(() => w.actor.getSnapshot().context.isLinked);
  w.ask(weather, wanting("RUNNING"));
  await w.until(() => w.known.get("PROD:42") === "RUNNING");
  expect(w.states.get("PROD:42")).toEqual([
    "unsure.reconciling",
    "pulling",
    "active.creating",
    "active.starting",
    "active.running.settling",
  ]);
  expect(w.heard).toEqual(["PROD:42 DOWNLOADING", "PROD:42 STARTING", "PROD:42 RUNNING"]);
});

test("the steps of the page are numbered without a gap", () => {
  const page = readFileSync("docs/follow-one-command.md", "utf8");
  const numbers = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, n]) => Number(n));
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  expect(numbers.length).toBeGreaterThan(10);
});
