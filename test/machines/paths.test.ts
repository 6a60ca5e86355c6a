/** The small charts as graphs, no effect runs: every state can be entered. */
import { expect, test } from "vitest";
import { type AnyStateMachine, type AnyStateNode, createActor, fromCallback } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { engineMachine } from "../../src/machines/engine.ts";
import { logsMachine } from "../../src/machines/logs.ts";
import { reporterMachine } from "../../src/machines/reporter.ts";

const parent = createActor(fromCallback(() => {}));
const app = { stage: "PROD", key: 42 };
const container = { id: "c", startedAt: 1, isOver: false };

const CHARTS: [AnyStateMachine, object, object[]][] = [
  [
    engineMachine,
    { parent, now: () => 0, random: () => 0 },
    [{ type: "engine.opened" }, { type: "engine.closed", because: "gone" }, { type: "engine.dial" }],
  ],
  [logsMachine, { app }, [{ type: "logs.follow", ...container }, { type: "logs.ended" }, { type: "logs.heard" }]],
  [reporterMachine, { random: () => 0 }, [{ type: "link.up" }, { type: "link.down" }]],
];

test.each(CHARTS)("$id: every state is reachable", (machine, input, events) => {
  const paths = getShortestPaths(machine, {
    input,
    events: events as never,
    serializeState: ({ value, context }) => JSON.stringify([value, (context as { isHeard?: boolean }).isHeard]),
  });
  const reached = new Set(paths.flatMap(({ state }) => state._nodes.map(({ id }: AnyStateNode) => id)));
  expect(reached).toEqual(new Set(idsUnder(machine.root)));
});

function idsUnder(node: AnyStateNode): string[] {
  return [node.id, ...Object.values(node.states).flatMap((child) => idsUnder(child as AnyStateNode))];
}
