/** The drawings are those of the code, and a reader trips over nothing in them. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import type { AnyStateMachine } from "xstate";
import { type ChartTransition, toChart } from "../diagrams/draw/chart.ts";
import { type Layout, layoutProblems, pathOf, statesOf, unusedWords } from "../diagrams/draw/layout.ts";
import { type Picture, picture } from "../diagrams/draw/picture.ts";
import { type Box, tell } from "../diagrams/draw/story.ts";
import { MACHINES } from "../diagrams/machines.ts";

const CASES = MACHINES.map(({ machine, layout }): [string, AnyStateMachine, Layout] => [machine.id, machine, layout]);
const pictures = new Map<string, Picture>();
beforeAll(() => {
  for (const drawn of MACHINES) pictures.set(drawn.machine.id, picture(drawn));
});

test.each(CASES)("%s: picture and text are fresh (else: npm run diagrams)", (name) => {
  expect(readFileSync(`diagrams/${name}.svg`, "utf8") === pictures.get(name)?.svg, "the SVG").toBe(true);
  expect(readFileSync(`diagrams/${name}.mmd`, "utf8")).toBe(pictures.get(name)?.mermaid);
});

test.each(CASES)("%s: no line through a box, no two lines that cross, all words have a place", (name) => {
  expect(pictures.get(name)?.problems).toEqual([]);
});

test.each(CASES)("%s: each state has a cell, and the layout names nothing that is not there", (_, machine, layout) => {
  expect(layoutProblems(toChart(machine), layout)).toEqual([]);
  expect(unusedWords(toChart(machine), layout)).toEqual([]);
});

test.each(CASES)("%s: a state without a cell is found", (_, machine, layout) => {
  const [path = "", ...rest] = Object.keys(layout.cells);
  const cells = Object.fromEntries(Object.entries(layout.cells).filter(([each]) => rest.includes(each)));
  expect(layoutProblems(toChart(machine), { ...layout, cells })).toEqual([`no cell: ${path}`]);
  expect(picture({ machine, layout: { ...layout, cells } }).problems).toEqual([`no cell: ${path}`]);
});

test.each(CASES)("%s: every state and every transition is in the picture and in the text", (name, machine, layout) => {
  const chart = toChart(machine);
  const story = tell(chart, layout);
  const flat = (boxes: readonly Box[]): Box[] => boxes.flatMap((box) => [box, ...flat(box.boxes)]);
  const boxes = new Map(flat(story.boxes).map((box) => [box.path, box]));
  const { svg = "", mermaid = "" } = pictures.get(name) ?? {};
  const rowsOf = (source: string) =>
    (source === "" ? [...story.rules, ...story.noted] : (boxes.get(source)?.rows ?? [])).map(({ text }) => text);
  const leadsTo = (source: string, isHub: boolean, to: string): boolean =>
    story.arrows.some((arrow) => arrow.from === source && (arrow.to === to || arrow.to.startsWith(`${to}.`))) ||
    rowsOf(source).some((text) => text.endsWith(`\u2192 ${to.split(".").at(-1)}`)) ||
    (isHub && [...boxes.values()].some(({ path, isHubTarget }) => isHubTarget && `${path}.`.startsWith(`${to}.`)));
  const isTold = (source: string, isHub: boolean, { targets, kind }: ChartTransition): boolean =>
    targets.length === 0
      ? kind === "done" || rowsOf(source).some((text) => text.includes(": "))
      : targets.map(pathOf).every((to) => leadsTo(source, isHub, to));

  for (const { id, key, tags, transitions } of statesOf(chart.root)) {
    if (id !== chart.root.id) expect(svg).toContain(`data-state="${pathOf(id)}"`);
    if (id !== chart.root.id) expect(mermaid).toContain(`state "${key}`);
    for (const each of transitions) expect(isTold(pathOf(id), tags.includes("hub"), each), each.id).toBe(true);
  }
  const drawn = statesOf(chart.root).flatMap(({ transitions }) => transitions.flatMap(({ targets }) => targets));
  expect(mermaid.match(/-->/g)?.length ?? 0).toBeGreaterThanOrEqual(drawn.length);
});

test("every box and arrow can be found by a page that lights them", () => {
  for (const { svg } of pictures.values()) {
    const arrows = svg.match(/class="arrow [^>]*>/g) ?? [];
    expect(arrows.length).toBeGreaterThan(0);
    expect(arrows.filter((arrow) => !/data-from="[^"]+" data-to="[^"]+"/.test(arrow))).toEqual([]);
  }
});
