/** The written rules that a machine can check. Each failure names the file and the rule. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { agentMachine } from "../src/machines/agent.ts";
import { appMachine } from "../src/machines/app.ts";
import { connectionMachine } from "../src/machines/connection.ts";
import { engineMachine } from "../src/machines/engine.ts";
import { logsMachine } from "../src/machines/logs.ts";
import { reporterMachine } from "../src/machines/reporter.ts";
import { openSlotsOf } from "../src/machines/slot.ts";

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path}`);

test.each(filesOf("src"))("%s says in its first lines what it is for, and stays short", (path) => {
  const text = readFileSync(path, "utf8");
  expect(text.split("\n").length, "at most 300 lines").toBeLessThanOrEqual(300);
  expect(text, "opens with a docstring").toMatch(/^(#!.*\n)?\/\*\*/);
  expect(path, "names an idea").not.toMatch(/\/(utils?|helpers?|types|index)\.ts$/);
});

test.each(filesOf("test").filter((path) => path.endsWith(".test.ts")))("%s waits for events, not for time", (path) => {
  expect(readFileSync(path, "utf8")).not.toMatch(
    /setTimeout\((resolve|r|res)\b|\bsleep\(\d|\b(it|test|describe)\.(only|skip|todo)\b/,
  );
});

const MACHINES: AnyStateMachine[] = [
  agentMachine,
  appMachine,
  connectionMachine,
  engineMachine,
  logsMachine,
  reporterMachine,
];

describe.each(MACHINES)("machine $id", (machine) => {
  const nodes = statesOf(machine.root);
  const slots = openSlotsOf(machine);

  test("a one-off effect runs in a state named -ing", () => {
    const oneOffs = nodes.filter(({ invoke }) => invoke.some(({ src }) => slots[String(src)] === "once"));
    expect(oneOffs.map(({ key }) => key).filter((key) => !/ing([A-Z]|$)/.test(key))).toEqual([]);
  });

  test("every invoked effect says what happens when it fails, here or in a state around it", () => {
    const isTold = (node: AnyStateNode, type: string): boolean =>
      node.ownEvents.includes(type) || (node.parent !== undefined && isTold(node.parent, type));
    const silent = nodes.flatMap((node) =>
      node.invoke
        .filter(({ id }) => !isTold(node, `xstate.error.actor.${id}`) && !isTold(node, "xstate.error.actor.*"))
        .map(({ src }) => `${node.key}: ${src}`),
    );
    expect(silent).toEqual([]);
  });

  test("a loop of eventless transitions ends as an error, not as a hanging process", () => {
    expect(machine.options?.maxIterations).toBeLessThanOrEqual(50);
  });

  test("events are spelled noun.verb", () => {
    const own = machine.events.filter((type) => !type.startsWith("xstate."));
    expect(own.filter((type) => !/^[a-z]+\.([a-z]+|\*)$/.test(type))).toEqual([]);
  });

  test("every delay that the chart names is one that is there", () => {
    const named = nodes
      .flatMap(({ after }) => after.map(({ delay }) => delay))
      .filter((delay) => typeof delay === "string");
    expect(named.filter((name) => !(name in machine.implementations.delays))).toEqual([]);
  });
});

function statesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap((child) => statesOf(child as AnyStateNode))];
}
