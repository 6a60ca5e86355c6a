import { expect, test } from "vitest";
import type { AnyStateMachine } from "xstate";
import { openSlotsOf } from "../src/machines/slot.ts";
import { wire } from "../src/main.ts";
import { World } from "./world/world.ts";

test("main.ts leaves no slot open in any machine of the tree", () => {
  using world = new World();
  const open = machinesUnder(wire(world.services)).flatMap((machine) =>
    Object.keys(openSlotsOf(machine)).map((slot) => `${machine.id}.${slot}`),
  );
  expect(open).toEqual([]);
});

function machinesUnder(machine: AnyStateMachine): AnyStateMachine[] {
  const children = Object.values(machine.implementations.actors).filter(
    (logic): logic is AnyStateMachine => typeof logic === "object" && "states" in logic,
  );
  return [machine, ...children.flatMap(machinesUnder)];
}
